"""What the methods that march a known initial state have in common; the scheme is the problem's."""

from typing import ClassVar, Literal

from pydantic import Field

from pdebench_lite.method import Support
from pdebench_lite.problem import Task
from pdebench_lite.selectors import Settings


class MarchingSettings(Settings):
    """Resolution: cost and error.

    Class attributes:
        scheme: name of the problem's discretisation that is marched.
        interpolation: how its states are read between the cells; trigonometric where the scheme's
            own unknowns are Fourier modes, cubic where they are values or averages of cells.
    """

    scheme: ClassVar[str]
    interpolation: ClassVar[Literal["trigonometric", "cubic"]] = "cubic"

    cells: int = Field(512, ge=8, le=1 << 16, description="cells along each axis of space")
    steps: int = Field(0, ge=0, description="time steps; 0: by stability, at least cells/4")


class Etdrk4Settings(MarchingSettings):
    """Settings of `etdrk4`."""

    scheme: ClassVar[str] = "etdrk4"
    interpolation: ClassVar[Literal["trigonometric", "cubic"]] = "trigonometric"


class MusclSettings(MarchingSettings):
    """Settings of `muscl`."""

    scheme: ClassVar[str] = "muscl"


class SemilagrangianSettings(MarchingSettings):
    """Settings of `semilagrangian`."""

    scheme: ClassVar[str] = "semilagrangian"


def supports(task: Task, config: MarchingSettings) -> Support:
    """Say whether a task gives a state to march and its problem has the method's scheme."""
    if "solver" not in task.faces or config.scheme not in task.problem.schemes():
        return Support(False, f"{task.label} has no scheme '{config.scheme}'")
    if task.instances:
        one = len(task.problem.domain.space) == 1 and task.problem.domain.space[0].periodic
        return Support(one, "" if one else f"{task.label} is not one periodic space axis and time")
    if "initial_state" not in task.gives:
        return Support(False, f"{task.label} does not give its initial state; nothing to march")
    sought = [u.name for u in task.unknowns if u.kind == "coefficient"]
    if sought:
        names = ", ".join(sought)
        return Support(False, f"{task.label} does not give {names}, which a march needs")
    return Support(True)
