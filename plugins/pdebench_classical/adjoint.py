"""Method `adjoint`: an initial state fitted through a solver by its discrete adjoint, in NumPy."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings


class AdjointSettings(Settings):
    """Settings of `adjoint`."""

    scheme: str = Field("", description="the problem's discretisation; empty: the highest order")
    cells: int = Field(
        1024, ge=32, le=1 << 14, description="cells of the finest grid; halved grids come first"
    )
    modes: int = Field(64, ge=1, description="waves of the sought initial state")
    weight: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        "auto", description="of the prior on smoothness; auto: by the discrepancy principle"
    )


def supports(task: Task, config: Any) -> Support:
    """Say whether an initial state is sought on one periodic axis, its grid not fixed."""
    if "solver" not in task.faces or not task.problem.schemes():
        return Support(False, f"{task.label} has no solver to take the adjoint of")
    if not any(u.kind == "initial" for u in task.unknowns):
        return Support(False, f"{task.label} does not ask for its initial state")
    others = [u.name for u in task.unknowns if u.kind != "initial"]
    if others:
        names = ", ".join(others)
        return Support(False, f"{task.label} also asks for {names}; adjoint finds initial states")
    if task.without_start:
        return Support(False, task.without_start)
    if task.problem.order > 1:
        return Support(False, f"{task.label} is of second order in time; adjoint finds no rates")
    space = task.problem.domain.space
    if len(space) != 1 or not space[0].periodic:
        return Support(False, f"{task.label} is not on one periodic axis")
    if config.scheme and config.scheme not in task.problem.schemes():
        names = ", ".join(task.problem.schemes())
        return Support(False, f"{task.label} has no scheme '{config.scheme}'; it has: {names}")
    if any(scheme.cells is not None for scheme in task.problem.schemes().values()):
        return Support(False, f"{task.label} fixes the solver's grid, and adjoint refines it")
    return Support(True)
