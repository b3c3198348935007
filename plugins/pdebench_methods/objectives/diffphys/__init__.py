"""Objectives of `diffphys`: unknowns are fitted through a solver, unrolled in time or implicit."""

from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

from .fitting import DiffphysTools as DiffphysTools
from .fitting import Fitting as Fitting
from .objective import DiffphysObjective as DiffphysObjective
from .stationary import StationaryObjective as StationaryObjective


def fitting(view: View, run: Run, tools: DiffphysTools) -> Fitting:
    """Return the objective for a problem with time, or without."""
    kind = StationaryObjective if view.domain.time is None else DiffphysObjective
    return kind(view, run, tools)
