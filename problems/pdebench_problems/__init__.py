"""The problems that ship with pdebench-lite: one PDE per file."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pdebench_lite import hookimpl
from pdebench_lite.problem import Problem

if TYPE_CHECKING:  # metrics compute with NumPy, and listing the methods needs neither
    from pdebench_lite.metrics import Metric


@hookimpl
def pdebench_problems() -> Sequence[type[Problem]]:
    """Return the problems."""
    from pdebench_problems.advection_density import AdvectionDensity
    from pdebench_problems.burgers import Burgers

    return (Burgers, AdvectionDensity)


@hookimpl
def pdebench_metrics() -> "Sequence[Metric]":
    """Return the metrics that only these problems have."""
    from pdebench_problems.advection_density import METRICS

    return METRICS
