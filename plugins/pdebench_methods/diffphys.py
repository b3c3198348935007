"""Method `diffphys`: differentiable physics; unknowns are fitted through an unrolled solver."""

from typing import Annotated, Literal

from pydantic import Field

from pdebench_lite.method import Method, Support
from pdebench_lite.problem import Task
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks import FieldTask


class DiffphysSettings(Settings):
    """Settings of `diffphys`."""

    cells: int = Field(256, ge=8, le=65536, description="cells per space axis")
    steps: int = Field(0, ge=0, description="time steps to the last observation; 0: by stability")
    scheme: str = Field("", description="a scheme of the problem; empty: that of highest order")
    modes: int = Field(64, ge=1, description="Fourier modes per axis of an unknown function")
    optimizer: Literal["gd", "adam", "lbfgs"] = Field("lbfgs", description="gd, adam or lbfgs")
    learning_rate: float = Field(1e-2, gt=0, description="of gd and adam")
    stage_steps: int = Field(100, ge=1, description="most lbfgs iterations per stage")
    weight: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        "auto", description="weight of the smoothness prior; auto: by discrepancy"
    )
    coarse_to_fine: bool | Literal["auto"] = Field(
        "auto", description="blurred targets first; auto: where a motion is sought"
    )


def _supports(task: Task, config: DiffphysSettings) -> Support:
    if "solver" not in task.faces or not isinstance(task, FieldTask):
        return Support(False, f"{task.label} has no time step of fields to unroll")
    if not task.unknowns:
        return Support(
            False,
            f"nothing to optimise in {task.label}: the initial state and every coefficient are "
            "given; a classical solver does it",
        )
    if config.scheme and config.scheme not in task.problem.schemes():
        names = ", ".join(task.problem.schemes())
        return Support(False, f"no scheme '{config.scheme}' in {task.label}; it has: {names}")
    if not all(axis.periodic for axis in task.problem.domain.space):
        return Support(False, f"{task.label} is not periodic, which this version needs")
    return Support(True)


DIFFPHYS = Method(
    name="diffphys",
    family="differentiable physics",
    summary="unknowns fitted by gradients through the unrolled solver of the problem",
    solvers={"torch": "pdebench_torch.diffphys:solve", "jax": "pdebench_jax.diffphys:solve"},
    Config=DiffphysSettings,
    supports=_supports,
    citation="""@book{thuerey2021pbdl,
  author = {Thuerey, Nils and Holl, Philipp and Mueller, Maximilian and Schnell, Patrick
            and Trost, Felix and Um, Kiwon},
  title = {Physics-based Deep Learning}, year = {2021}, eprint = {2109.05237},
  archivePrefix = {arXiv}}""",
)
