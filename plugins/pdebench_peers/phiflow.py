"""Method `phiflow`: differentiable physics with the library PhiFlow, and its own solver."""

from pydantic import Field

from pdebench_lite.method import Support
from pdebench_lite.problem import Task
from pdebench_peers.settings import PeerSettings, missing

DISTRIBUTION = "phiflow"
CELLS = {"documentation": 128, "matched": 256}
GD_STEPS, LEARNING_RATE = 50, 5.0
DT_PER_SPACING = 2.0
"""https://physicsbaseddeeplearning.org/diffphys-code-burgers.html: 128 cells on [−1, 1], dt = 1/32,
explicit diffusion then semi-Lagrangian advection, 50 steps of gradient descent from u = 0."""


class PhiflowSettings(PeerSettings):
    """Settings of `phiflow`."""

    cells: int = Field(0, ge=0, le=65536, description="cells; 0: those of the preset")


def supports(task: Task, config: PhiflowSettings) -> Support:
    """Say whether PhiFlow is installed and a task seeks the initial state of Burgers' equation."""
    absent = missing(DISTRIBUTION)
    if absent:
        return Support(False, f"phiflow {absent}")
    if task.problem.name != "burgers" or not task.asks_fields:
        return Support(False, f"this adapter states Burgers' step in PhiFlow, not {task.label}")
    if [unknown.kind for unknown in task.unknowns] != ["initial"]:
        return Support(False, f"{task.label} seeks no initial state; that is what is fitted here")
    return Support(True)
