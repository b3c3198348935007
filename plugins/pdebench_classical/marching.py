"""Settings of `march`, which marches a known initial state by a scheme of the problem."""

from typing import Literal

from pydantic import Field

from pdebench_lite.problem import Scheme, Task
from pdebench_lite.problem.view import View
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings
from pdebench_methods.operators import beyond_a_line

CELLS = {1: 512, 2: 128, 3: 32}
"""Cells an axis where none are given, by number of space axes."""


class MarchSettings(Settings):
    """Resolution: cost and error."""

    scheme: str = Field("", description="a scheme of the problem; empty: that of highest order")
    cells: int = Field(0, ge=0, le=1 << 16, description="cells an axis; 0: 512, 128, 32 in 1-3 D")
    steps: int = Field(0, ge=0, description="time steps; 0: by stability, at least cells/4")


class Etdrk4Settings(MarchSettings):
    """Settings of `etdrk4`."""

    scheme: Literal["etdrk4"] = Field("etdrk4", description="always etdrk4")


class MusclSettings(MarchSettings):
    """Settings of `muscl`."""

    scheme: Literal["muscl"] = Field("muscl", description="always muscl")


class SemilagrangianSettings(MarchSettings):
    """Settings of `semilagrangian`."""

    scheme: Literal["semilagrangian"] = Field("semilagrangian", description="always semilagrangian")


def chosen(view: View, config: MarchSettings) -> tuple[str, Scheme, int]:
    """Return the name of the scheme that is marched, the scheme, and the cells an axis."""
    orders = view.schemes()
    name = config.scheme or max(orders, key=lambda scheme: orders[scheme])
    scheme = view.solver(name)
    return name, scheme, config.cells or scheme.cells or CELLS[len(view.domain.space)]


def supports(task: Task, config: MarchSettings) -> Support:
    """Say whether a task gives a state to march and its problem has the scheme."""
    schemes = task.problem.schemes()
    if task.problem.domain.time is None:
        return Support(False, f"{task.label} has no time to march in; fv solves what is stationary")
    if "solver" not in task.faces or not schemes:
        return Support(False, f"{task.label} has no scheme to march with")
    if config.scheme and config.scheme not in schemes:
        names = ", ".join(schemes)
        return Support(False, f"{task.label} has no scheme '{config.scheme}'; it has: {names}")
    if task.instances:
        reason = beyond_a_line(task)
        return Support(not reason, reason)
    if "initial_state" not in task.gives:
        return Support(False, f"{task.label} does not give its initial state; nothing to march")
    sought = [u.name for u in task.unknowns if u.kind == "coefficient"]
    if sought:
        names = ", ".join(sought)
        return Support(False, f"{task.label} does not give {names}, which a march needs")
    return Support(True)
