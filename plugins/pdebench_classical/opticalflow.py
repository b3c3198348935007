"""Method `opticalflow`: the motion between images, by Gauss–Newton from coarse to fine."""

from collections.abc import Callable, Sequence
from itertools import permutations
from typing import Annotated, Any, Literal

from pydantic import Field

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings


class OpticalflowSettings(Settings):
    """Settings of `opticalflow`."""

    modes: int = Field(
        24,
        ge=3,
        le=256,
        description="waves of the motion; in a plane a third of them along an axis",
    )
    steps: int = Field(32, ge=4, description="Runge–Kutta steps along a characteristic")
    weight: Annotated[float, Field(gt=0)] | Literal["auto"] = Field(
        "auto", description="of the motion's smoothness; auto: by its evidence"
    )


def motion_along(
    residual: Callable[[dict[str, Any]], dict[str, Any]],
    needs: Sequence[str],
    field: str,
    axes: Sequence[str],
    coefficients: Sequence[str],
) -> dict[str, str] | None:
    """Return axis -> coefficient if an equation says that values travel: d_t + Σ v·d_x = 0.

    That is what optical flow assumes (constant brightness). It is found out by trying numbers.
    """
    named = {f"{field}_t", *(f"{field}_{axis}" for axis in axes), *coefficients}
    if set(needs) != named or len(axes) != len(coefficients):
        return None
    probe = {name: 0.37 + 0.61 * i * i for i, name in enumerate(sorted(named))}
    values = list(residual(dict(probe)).values())
    for order in permutations(coefficients):
        carried = sum(
            probe[v] * probe[f"{field}_{axis}"] for axis, v in zip(axes, order, strict=True)
        )
        expected = probe[f"{field}_t"] + carried
        if len(values) == 1 and abs(values[0] - expected) < 1e-12 * abs(expected):
            return dict(zip(axes, order, strict=True))
    return None


def supports(task: Task, config: Any) -> Support:
    """Say whether a steady motion is sought that carries one image to another."""
    problem, space = task.problem, [a.name for a in task.problem.domain.space]
    motion = [u for u in task.unknowns if u.kind == "coefficient" and list(u.axes) == space]
    if not motion:
        return Support(False, f"{task.label} does not ask for a steady motion")
    if len(motion) < len(task.unknowns):
        others = ", ".join(u.name for u in task.unknowns if u not in motion)
        return Support(False, f"{task.label} also asks for {others}; opticalflow finds a motion")
    if "equation" not in task.faces:
        return Support(False, f"{task.label} does not state its equation")
    if "initial_state" not in task.gives:
        return Support(False, f"{task.label} does not give its initial state, the first image")
    if not all(a.periodic for a in problem.domain.space) or len(problem.field_names) != 1:
        return Support(False, f"{task.label} is not about one field on periodic axes")
    sought = [u.name for u in task.unknowns]
    if motion_along(problem.residual, problem.needs, problem.field_names[0], space, sought) is None:
        return Support(False, f"{task.label} is not d_t + u·∇d = 0, which optical flow assumes")
    return Support(True)
