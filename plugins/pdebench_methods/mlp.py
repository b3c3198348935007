"""Method `mlp`: supervised regression on labelled samples of the solution."""

from pydantic import Field

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_methods.operators import fits
from pdebench_methods.settings import TrainedNetworkSettings, supported


class MlpSettings(TrainedNetworkSettings):
    """Settings of `mlp`."""

    labels: int = Field(
        2000, ge=1, le=10_000_000, description="labelled samples of the solution, or instances"
    )


def supports(task: Task, config: MlpSettings) -> Support:
    """Say whether a task has labels of fields on points, or a family of labelled instances."""
    if task.instances:
        found = fits(task)
        return supported(config) if found.ok else found
    if "data" not in task.faces or not task.asks_fields:
        return Support(False, f"{task.label} has no labelled fields on points")
    return supported(config)
