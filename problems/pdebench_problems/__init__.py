"""The problems that ship with pdebench-lite: one PDE per file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pdebench_lite import hookimpl

if TYPE_CHECKING:  # take long to import, and listing the methods needs neither
    from pdebench_lite.metrics import Metric
    from pdebench_lite.problem import Problem


@hookimpl
def pdebench_problems() -> "Sequence[type[Problem]]":
    """Return the problems."""
    from pdebench_problems.advection_density import AdvectionDensity
    from pdebench_problems.allen_cahn import AllenCahn
    from pdebench_problems.burgers import Burgers
    from pdebench_problems.darcy import Darcy
    from pdebench_problems.derivatives import Derivatives
    from pdebench_problems.kovasznay import Kovasznay
    from pdebench_problems.navier_stokes import NavierStokes
    from pdebench_problems.poisson import Poisson
    from pdebench_problems.regression import Regression
    from pdebench_problems.wave import Wave

    return (
        *(Burgers, AdvectionDensity, AllenCahn, Wave, NavierStokes, Kovasznay, Poisson, Darcy),
        *(Derivatives, Regression),
    )


@hookimpl
def pdebench_metrics() -> "Sequence[Metric]":
    """Return the metrics that only these problems have."""
    from pdebench_problems import advection_density, burgers_family, burgers_viscosity

    return (*advection_density.METRICS, *burgers_family.METRICS, *burgers_viscosity.METRICS)
