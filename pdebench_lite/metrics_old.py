"""Metric, and the metrics that every field task has. All are computed by the harness."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pdebench_lite.problem import Task
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask, query


@dataclass(frozen=True)
class Metric:
    """A number computed from an evaluation; smaller is better unless said otherwise.

    Attributes:
        name: column name.
        summary: one line.
        compute: maps an evaluation to a float, or None where it has no meaning.
        applies: whether the metric has a meaning for a task at all.
        unit: physical unit.
    """

    name: str
    summary: str
    compute: Callable[[Any], float | None]
    applies: Callable[[Task], bool] = lambda task: isinstance(task, FieldTask)
    unit: str = "dimensionless"


def relative_l2(answer: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray]) -> float:
    """Return ‖answer − truth‖₂ / ‖truth‖₂ over all named arrays of `answer`, on equal weights."""
    error = sum(float(np.sum((answer[k] - truth[k]) ** 2)) for k in answer)
    scale = sum(float(np.sum(truth[k] ** 2)) for k in answer)
    return float(np.sqrt(error / scale)) if scale > 0 else float(np.sqrt(error))


def _rel_l2(e: FieldEvaluation) -> float:
    return relative_l2(e.compared(e.fields), e.compared(e.truth))


def _rel_l2_carried(e: FieldEvaluation) -> float | None:
    if e.carried is None:
        return None
    return relative_l2(e.compared(e.carried.fields), e.compared(e.truth))


def _linf(e: FieldEvaluation) -> float:
    return max(float(np.max(np.abs(e.fields[k] - e.truth[k]))) for k in e.fields)


def _mae(e: FieldEvaluation) -> float:
    return float(np.mean([np.abs(e.fields[k] - e.truth[k]) for k in e.fields]))


def _initial_rel_l2(e: FieldEvaluation) -> float | None:
    names = [u.name for u in e.task.unknowns if u.kind == "initial"]
    return relative_l2({k: e.found_on_grid[k] for k in names}, e.true_unknowns) if names else None


def _initial_violation(e: FieldEvaluation) -> float | None:
    if e.time is None:
        return None
    start = {k: v[..., 0] for k, v in e.fields.items()}
    found = {u.field: e.found_on_grid[u.name] for u in e.task.unknowns if u.kind == "initial"}
    return relative_l2(start, found or {k: e.truth[k][..., 0] for k in start})


def masses(e: FieldEvaluation, values: np.ndarray) -> np.ndarray:
    """Return the integral over space at each time, trapezoid rule; shape (times,)."""
    for axis in reversed(list(e.space.values())):
        values = np.trapezoid(values, axis, axis=-2) if values.ndim > 1 else values
    return values


def _mass_violation(e: FieldEvaluation) -> float | None:
    if e.time is None:
        return None
    drift, scale = 0.0, 0.0
    for name, values in e.fields.items():
        drift = max(drift, float(np.max(np.abs(masses(e, values) - masses(e, e.truth[name])))))
        scale = max(scale, float(np.max(masses(e, np.abs(e.truth[name])))))
    return drift / scale if scale > 0 else drift


def _misfit(e: FieldEvaluation) -> float | None:
    if not e.observations:
        return None
    error = scale = 0.0
    for o in e.observations:
        axes = {a: np.asarray(o.points[a]) for a in e.task.problem.domain.names}
        answer = np.asarray(e.solution.predict(dict(axes))[o.field])
        error += float(np.sum((answer - o.values) ** 2))
        scale += float(np.sum(o.values**2))
    return float(np.sqrt(error / scale)) if scale > 0 else None


def error_profile(e: FieldEvaluation) -> dict[str, list[float]]:
    """Return the relative L2 error at each time: `t` and `rel_l2`, lists of equal length."""
    if e.time is None:
        return {}
    errors = [
        relative_l2(
            {k: v[..., i] for k, v in e.fields.items()}, {k: v[..., i] for k, v in e.truth.items()}
        )
        for i in range(e.time.size)
    ]
    return {"t": e.time.tolist(), "rel_l2": errors}


CORE_METRICS = (
    Metric(
        "rel_l2",
        "relative L2 error of the returned fields",
        _rel_l2,
    ),
    Metric(
        "rel_l2_carried",
        "relative L2 error of the found unknowns carried forward by the certified solver",
        _rel_l2_carried,
        applies=lambda task: isinstance(task, FieldTask) and bool(task.unknowns),
    ),
    Metric(
        "initial_rel_l2",
        "relative L2 error of the found initial state",
        _initial_rel_l2,
        applies=lambda task: any(u.kind == "initial" for u in task.unknowns),
    ),
    Metric("mae", "mean absolute error over space-time", _mae, unit="of the field"),
    Metric("linf", "largest absolute error over space-time", _linf, unit="of the field"),
    Metric("misfit", "relative L2 misfit to the observations", _misfit),
    Metric(
        "initial_violation",
        "relative L2 gap between the field at t=0 and the given (or found) initial state",
        _initial_violation,
    ),
    Metric(
        "mass_violation",
        "largest gap of ∫u dx to the reference over time, relative to ∫|u| dx",
        _mass_violation,
    ),
)

__all__ = ["CORE_METRICS", "Metric", "error_profile", "masses", "query", "relative_l2"]
