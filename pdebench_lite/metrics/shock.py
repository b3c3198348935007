"""Where the shock stands at the end: the steepest descent of the field against the reference's."""

import numpy as np

from pdebench_lite.metrics.metric import Metric
from pdebench_lite.problem import Axis, Task
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask

_INTERVALS = 4096
_THIN = 1 / 50  # of the domain: a shock falls by the whole range of the field within it
_WINDOW = 1 / 10  # of the domain, to either side of the reference's shock


def _shock_position_error(e: FieldEvaluation) -> float | None:
    domain = e.task.problem.domain
    assert domain.time is not None
    (axis,) = domain.space
    x = np.linspace(axis.lower, axis.upper, _INTERVALS + 1)
    points = {axis.name: x, domain.time.name: np.full(x.size, domain.time.upper)}
    truth, answer = e.task.reference.evaluate(points), e.solution.predict(dict(points))
    errors = []
    for name in e.task.problem.field_names:
        true = np.asarray(truth[name], float)
        fall = -np.diff(true)
        at = int(np.argmax(fall))
        if not np.ptp(true) < fall[at] * _THIN * _INTERVALS:
            continue
        found = -np.diff(np.ravel(np.asarray(answer[name], float)))
        away = np.abs(np.arange(_INTERVALS) - at)
        if axis.periodic:
            away = np.minimum(away, _INTERVALS - away)
        inside = np.where(away <= _WINDOW * _INTERVALS, found, -np.inf)
        gap = _peak(found, int(np.argmax(inside)), axis) - _peak(fall, at, axis)
        if axis.periodic:
            gap = (gap + 0.5 * axis.length) % axis.length - 0.5 * axis.length
        errors.append(abs(gap))
    return float(max(errors)) if errors else None


def _peak(values: np.ndarray, i: int, axis: Axis) -> float:
    """Return where the parabola through the largest of the intervals' values has its top."""
    below, here, above = (values[(i + k) % values.size] for k in (-1, 0, 1))
    bend = below - 2 * here + above
    shift = 0.5 * (below - above) / bend if bend < 0 else 0.0
    return axis.lower + axis.length * (i + 0.5 + float(np.clip(shift, -0.5, 0.5))) / values.size


def _can_have_one(task: Task) -> bool:
    domain = task.problem.domain
    line = len(domain.space) == 1 and domain.time is not None and domain.is_box
    return isinstance(task, FieldTask) and task.everywhere and line


SHOCK_POSITION_ERROR = Metric(
    "shock_position_error",
    "distance of the steepest descents of field and reference at the end; none without a shock",
    _shock_position_error,
    applies=_can_have_one,
    unit="of length",
    label="Error of the shock's position",
)
