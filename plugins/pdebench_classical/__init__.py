"""Classical solvers as methods, in NumPy: what every learned method must be compared with."""

from collections.abc import Sequence

from pdebench_lite import hookimpl
from pdebench_lite.registry.method import Backend, Method


@hookimpl
def pdebench_methods() -> Sequence[Method]:
    """Return the methods."""
    from pdebench_classical.descriptions import (
        ADJOINT,
        ETDRK4,
        FEM,
        FV,
        LEASTSQUARES,
        LINEAR_REGRESSION,
        MARCH,
        MUSCL,
        OPTICALFLOW,
        SEMILAGRANGIAN,
    )

    return (
        *(MARCH, FEM, FV, ETDRK4, MUSCL, SEMILAGRANGIAN),
        *(ADJOINT, LEASTSQUARES, LINEAR_REGRESSION, OPTICALFLOW),
    )


@hookimpl
def pdebench_backends() -> Sequence[Backend]:
    """Return NumPy, which needs nothing but the core's own requirements."""
    return (Backend("numpy", (), "", "pdebench_lite.runner.host"),)
