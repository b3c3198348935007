"""Method `linear-regression`: its settings and what it supports."""

from typing import Annotated, Literal

from pydantic import Field

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings


class LinearRegressionSettings(Settings):
    """Settings of `linear-regression`."""

    labels: int = Field(2000, ge=1, le=10_000_000, description="labelled samples of the solution")
    basis: Literal["spline", "polynomial", "fourier"] = Field(
        "spline", description="cubic B-splines, Chebyshev polynomials, or Fourier extension"
    )
    size: Annotated[int, Field(ge=4, le=1024)] | Literal["auto"] = Field(
        "auto", description="functions of the basis; auto: by generalised cross-validation"
    )


def supports(task: Task, config: LinearRegressionSettings) -> Support:
    """Say whether a task has labels of functions of one variable."""
    if "data" not in task.faces or not task.asks_fields:
        return Support(False, f"{task.label} has no labelled fields on points")
    if len(task.problem.domain.axes) != 1:
        return Support(False, f"{task.label} is not about functions of one variable alone")
    if task.unknowns:
        names = ", ".join(u.name for u in task.unknowns)
        return Support(False, f"{task.label} also asks for {names}; only fields are fitted here")
    return Support(True)
