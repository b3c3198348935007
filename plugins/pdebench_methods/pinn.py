"""Method `pinn`: a network made to satisfy the equation at collocation points."""

from typing import Literal

from pydantic import Field

from pdebench_lite.method import Method, Support
from pdebench_lite.problem import Task
from pdebench_lite.tasks import FieldTask
from pdebench_methods.settings import NetworkSettings, TrainingSettings


class PinnSettings(NetworkSettings, TrainingSettings):
    """Settings of `pinn`."""

    points: int = Field(2000, ge=1, description="collocation points inside the domain")
    side_points: int = Field(200, ge=1, description="points per soft constraint")
    alpha0: float = Field(100.0, ge=0, description="weight α₀ of data and soft constraints")
    alpha1: float = Field(1.0, ge=0, description="weight α₁ of the residual")
    constraints: Literal["hard", "soft"] = Field(
        "hard", description="hard: the task's ansatz and periodic embedding; soft: penalties"
    )
    derivatives: Literal["jets", "autodiff"] = Field(
        "jets", description="one Taylor-mode pass, or nested automatic differentiation"
    )


def _supports(task: Task, config: PinnSettings) -> Support:
    if "equation" not in task.faces or not isinstance(task, FieldTask):
        return Support(False, f"{task.label} states no residual of fields on points")
    return Support(True)


PINN = Method(
    name="pinn",
    family="physics-informed",
    summary="network trained on the residual of the equation at collocation points",
    solvers={"torch": "pdebench_torch.pinn:solve", "jax": "pdebench_jax.pinn:solve"},
    Config=PinnSettings,
    supports=_supports,
    citation="""@article{raissi2019physics,
  author = {Raissi, Maziar and Perdikaris, Paris and Karniadakis, George E.},
  title = {Physics-informed neural networks: a deep learning framework for solving forward and
           inverse problems involving nonlinear partial differential equations},
  journal = {Journal of Computational Physics}, volume = {378}, pages = {686--707}, year = {2019},
  doi = {10.1016/j.jcp.2018.10.045}}""",
)
