"""Settings of `fv`, which solves a stationary problem on a grid by finite volumes."""

from pydantic import Field

from pdebench_lite.problem import Stationary, Task
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings

CELLS = {1: 1024, 2: 256, 3: 48}
"""Cells an axis where none are given, by number of space axes."""


class VolumesSettings(Settings):
    """Resolution: cost and error."""

    cells: int = Field(0, ge=0, le=1 << 14, description="cells an axis; 0: 1024, 256, 48 in 1-3 D")


def supports(task: Task, config: VolumesSettings) -> Support:
    """Say whether a task states fluxes on a box and gives all that they read."""
    problem = task.problem
    if not isinstance(problem.solver(), Stationary):
        return Support(False, f"{task.label} states no fluxes of a stationary equation")
    if not problem.domain.is_box:
        shape = type(problem.domain.geometry).__name__
        return Support(False, f"{task.label} lives on a {shape}; finite volumes need a box")
    if task.instances or not task.asks_fields:
        return Support(False, f"{task.label} does not ask for the fields of one instance")
    if task.unknowns:
        names = ", ".join(u.name for u in task.unknowns)
        return Support(False, f"{task.label} does not give {names}; use diffphys to find it")
    return Support(True)
