"""How far a field departs from what it should keep to: observations, initial state, mass."""

import numpy as np

from pdebench_lite.metrics.metric import Metric, relative_l2, squared_norm, true_fields
from pdebench_lite.tasks.field import FieldEvaluation


def _misfit(e: FieldEvaluation) -> float | None:
    if not e.observations:
        return None
    error = 0.0
    for o in e.observations:
        axes = {a: np.asarray(o.points[a]) for a in e.task.problem.domain.names}
        answer = np.asarray(e.solution.predict(dict(axes))[o.field])
        error += float(np.sum((answer - o.values) ** 2))
    seen = {str(i): np.asarray(o.values) for i, o in enumerate(e.observations)}
    scale = squared_norm(seen, true_fields(e))
    return float(np.sqrt(error / scale)) if scale > 0 else None


def _initial_violation(e: FieldEvaluation) -> float | None:
    if e.time is None:
        return None
    start = {k: v[..., 0] for k, v in e.fields.items()}
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
    drift, scale = 0.0, 0.0
    for name, values in e.fields.items():
        drift = max(drift, float(np.max(np.abs(masses(e, values) - masses(e, e.truth[name])))))
        scale = max(scale, float(np.max(masses(e, np.abs(e.truth[name])))))
    return drift / scale if scale > 0 else drift


VIOLATIONS = (
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
