"""Method `leastsquares`: numbers and an initial state, by regularised nonlinear least squares."""

from pydantic import Field

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings


class LeastSquaresSettings(Settings):
    """Settings of `leastsquares`."""

    scheme: str = Field("", description="the problem's discretisation; empty: the highest order")
    cells: int = Field(512, ge=32, le=1 << 14, description="cells; a first search has half of them")
    modes: int = Field(32, ge=1, description="waves of a sought initial state")


def supports(task: Task, config: LeastSquaresSettings) -> Support:
    """Say whether numbers are sought in a problem with a time step on one periodic axis."""
    if "solver" not in task.faces or not task.problem.schemes():
        return Support(False, f"{task.label} has no solver to fit")
    numbers = [u for u in task.unknowns if u.kind == "coefficient" and not u.axes]
    functions = [u.name for u in task.unknowns if u.kind == "coefficient" and u.axes]
    if functions:
        names = ", ".join(functions)
        return Support(
            False, f"{task.label} asks for {names}, a function; leastsquares finds numbers"
        )
    if not numbers:
        return Support(False, f"{task.label} does not ask for numbers that its equation names")
    if task.without_start:
        return Support(False, task.without_start)
    if task.problem.order > 1 and "initial_state" not in task.gives:
        return Support(
            False, f"{task.label} is of second order in time; leastsquares finds no rates"
        )
    space = task.problem.domain.space
    if len(space) != 1 or not space[0].periodic:
        return Support(False, f"{task.label} is not on one periodic axis")
    if config.scheme and config.scheme not in task.problem.schemes():
        names = ", ".join(task.problem.schemes())
        return Support(False, f"{task.label} has no scheme '{config.scheme}'; it has: {names}")
    return Support(True)
