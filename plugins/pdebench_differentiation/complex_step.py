"""Method `complex-step`: its settings and what it supports."""

from pydantic import Field

from pdebench_differentiation.supporting import supports as gives_an_expression
from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings


class ComplexStepSettings(Settings):
    """Settings of `complex-step`."""

    h: float = Field(1e-20, gt=0, description="imaginary step; the error is O(h²), no rounding")


def supports(task: Task, config: ComplexStepSettings) -> Support:
    """Say whether first derivatives are asked for, and no higher ones."""
    answer = gives_an_expression(task, config)
    if not answer.ok:
        return answer
    order = max(map(len, task.expression().asked))
    if order > 1:
        return Support(False, f"a complex step gives first derivatives, not those of order {order}")
    return Support(True)
