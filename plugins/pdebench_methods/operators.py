"""What the methods that learn a solution operator have in common: settings, and which tasks fit."""

from typing import ClassVar

from pydantic import Field

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_methods.settings import ComponentSettings


class OperatorSettings(ComponentSettings):
    """Labels and optimisation: Adam on minibatches, its rate falling along half a cosine.

    The cosine ends with the budget (steps or charged seconds), without one after `steps`.
    """

    always: ClassVar[tuple[str, ...]] = ("adam",)

    instances: int = Field(0, ge=0, description="labelled instances; 0: all that the task offers")
    batch: int = Field(16, ge=1, description="instances of a minibatch")
    learning_rate: float = Field(4e-3, gt=0, description="of adam, at the start")
    steps: int = Field(2000, ge=1, description="adam steps where no budget is given")


def fits(task: Task) -> Support:
    """Say whether a task is about a family of labelled instances on one periodic space axis."""
    if not task.instances or "data" not in task.faces:
        return Support(False, f"{task.label} offers no family of labelled instances")
    reason = beyond_a_line(task)
    return Support(not reason, reason)


def beyond_a_line(task: Task) -> str:
    """Return why the instances of a family are not states on one periodic axis; else ""."""
    domain, functions = task.problem.domain, getattr(task, "functions", ())
    if domain.time is None:
        return f"{task.label} is stationary: no initial state to begin with"
    if len(domain.space) != 1:
        return f"{task.label} has {len(domain.space)} space axes, and this method takes one"
    if not domain.space[0].periodic:
        return f"{task.label} has walls, and this method takes a periodic axis"
    if functions:
        names = ", ".join(functions)
        return f"{names} of {task.label} is a function of space, and this method takes numbers"
    return ""
