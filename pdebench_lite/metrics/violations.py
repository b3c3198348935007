"""How far a field departs from what it should keep to: observations, initial state, mass."""

import numpy as np

from pdebench_lite.metrics.metric import Metric, relative_l2, true_fields
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask


def _misfit(e: FieldEvaluation) -> float | None:
    if not e.observations:
        return None
    answers: dict[str, list[np.ndarray]] = {}
    seen: dict[str, list[np.ndarray]] = {}
    for o in e.observations:
        axes = {a: np.asarray(o.points[a]) for a in e.task.problem.domain.names}
        answers.setdefault(o.field, []).append(np.asarray(e.solution.predict(dict(axes))[o.field]))
        seen.setdefault(o.field, []).append(o.values)
    if not any(np.any(values) for parts in seen.values() for values in parts):
        return None
    return relative_l2(
        {name: np.concatenate(parts) for name, parts in answers.items()},
        {name: np.concatenate(parts) for name, parts in seen.items()},
        true_fields(e),
    )


def _initial_violation(e: FieldEvaluation) -> float | None:
    if e.time is None:
        return None
    start = {k: e.fields[k][..., 0] for k in e.task.problem.evolved}
    found = {u.field: e.found_on_grid[u.name] for u in e.task.unknowns if u.kind == "initial"}
    return relative_l2(start, found or {k: e.truth[k][..., 0] for k in start}, true_fields(e))


def masses(e: FieldEvaluation, values: np.ndarray) -> np.ndarray:
    """Return the integral over space at each time, trapezoid rule; shape (times,)."""
    for axis in reversed(list(e.space.values())):
        values = np.trapezoid(values, axis, axis=-2) if values.ndim > 1 else values
    return values


def _mass_violation(e: FieldEvaluation) -> float | None:
    if e.time is None:
        return None
    worst = 0.0
    for name in e.task.problem.evolved:
        values, truth = e.fields[name], e.truth[name]
        drift = float(np.max(np.abs(masses(e, values) - masses(e, truth))))
        scale = float(np.max(masses(e, np.abs(truth))))
        worst = max(worst, drift / scale if scale > 0 else drift)
    return worst


VIOLATIONS = (
    Metric(
        "misfit",
        "relative L2 misfit to the observations",
        _misfit,
        label="Misfit to the observations",
    ),
    Metric(
        "initial_violation",
        "relative L2 gap between the field at t=0 and the given (or found) initial state",
        _initial_violation,
        label="Gap to the initial state",
    ),
    Metric(
        "mass_violation",
        "largest gap of ∫u dx to the reference over time, relative to ∫|u| dx",
        _mass_violation,
        applies=lambda task: isinstance(task, FieldTask) and task.problem.domain.is_box,
        label="Gap in the mass",
    ),
)
