"""Method `mlp`: supervised regression on labelled samples of the solution."""

from pydantic import Field

from pdebench_lite.method import Method, Support
from pdebench_lite.problem import Task
from pdebench_methods.settings import NetworkSettings, TrainingSettings


class MlpSettings(NetworkSettings, TrainingSettings):
    """Settings of `mlp`."""

    labels: int = Field(2000, ge=1, le=10_000_000, description="labelled samples of the solution")


def _supports(task: Task, config: MlpSettings) -> Support:
    if "data" not in task.faces or not task.asks_fields:
        return Support(False, f"{task.label} has no labelled fields on points")
    return Support(True)


MLP = Method(
    name="mlp",
    family="supervised",
    summary="fully connected network, regression on labelled samples of the solution",
    solvers={"torch": "pdebench_torch.mlp:solve", "jax": "pdebench_jax.mlp:solve"},
    Config=MlpSettings,
    supports=_supports,
    citation="""@article{hornik1989multilayer,
  author = {Hornik, Kurt and Stinchcombe, Maxwell and White, Halbert},
  title = {Multilayer feedforward networks are universal approximators},
  journal = {Neural Networks}, volume = {2}, number = {5}, pages = {359--366}, year = {1989},
  doi = {10.1016/0893-6080(89)90020-8}}""",
)
