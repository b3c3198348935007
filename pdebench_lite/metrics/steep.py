"""Errors on points that crowd where the reference is steep, and errors of the gradient there."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from pdebench_lite.metrics.derivatives import Points, derivatives, margin
from pdebench_lite.metrics.metric import Metric, relative_l2
from pdebench_lite.problem import Task
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask, flatten

_CANDIDATES = {1: 2048, 2: 128, 3: 32}  # cells an axis, by number of space axes
_DRAWN = {1: 256, 2: 1024, 3: 2048}  # points at each time
_TIMES = 17


@dataclass(frozen=True)
class _Clustered:
    """Points, with the density by which they were placed and the truth there."""

    points: Points
    density: np.ndarray
    truth: dict[str, np.ndarray]
    slopes: dict[str, np.ndarray]
    times: int


@lru_cache(maxsize=2)  # a process runs one task
def _clustered(task: FieldTask) -> _Clustered:
    """Place points at several times, half of them uniformly and half where |∇u| is large."""
    domain = task.problem.domain
    edge = {
        a.name: 0.0 if a.periodic else margin((a.name,), a.name) * a.length for a in domain.space
    }
    drawn, densities = [], []
    for time in _times(task):
        points, density = _place(task, time)
        for axis in domain.space:  # leave room for the differences
            low, high = axis.lower + edge[axis.name], axis.upper - edge[axis.name]
            points[axis.name] = np.clip(points[axis.name], low, high)
        drawn.append({**points, **{name: np.full(density.size, t) for name, t in time.items()}})
        densities.append(density)
    points = {name: np.concatenate([p[name] for p in drawn]) for name in drawn[0]}
    truth = task.reference.evaluate(points)
    return _Clustered(
        points,
        np.concatenate(densities),
        {name: np.asarray(truth[name], float) for name in task.problem.field_names},
        _slopes(task, task.reference.evaluate, points),
        len(drawn),
    )


def _times(task: FieldTask) -> list[dict[str, float]]:
    """Return the times as coordinates; one without any for a steady problem."""
    axis = task.problem.domain.time
    if axis is None:
        return [{}]
    times = np.linspace(axis.lower, axis.upper, _TIMES)
    return [{axis.name: float(t)} for t in (times[-1:] if task.at_end else times)]


def _place(task: FieldTask, time: dict[str, float]) -> tuple[Points, np.ndarray]:
    """Return space points at one time, and their density, by equal steps of its distribution.

    The density is ½ + ½·g/mean g, g being the norm of the reference's gradient with each field
    divided by its range. In one dimension that gives equal shares to length and total variation.
    """
    space = task.problem.domain.space
    n = _CANDIDATES[len(space)]
    axes = {a.name: a.lower + a.length * (np.arange(n) + 0.5) / n for a in space}
    cells = flatten(axes)
    size = n ** len(space)
    at = {name: np.full(size, t) for name, t in time.items()}
    values = task.reference.evaluate({**cells, **at})
    squares = np.zeros((n,) * len(space))
    for name in task.problem.field_names:
        field = np.asarray(values[name], float).reshape(squares.shape)
        for i, centres in enumerate(axes.values()):
            squares += (np.gradient(field, centres, axis=i) / (np.ptp(field) or 1.0)) ** 2
    g = np.sqrt(squares).ravel()
    density = 0.5 + 0.5 * g / g.mean() if g.any() else np.ones(size)
    share = density / density.sum()
    upto = np.cumsum(share)
    targets = (np.arange(_DRAWN[len(space)]) + 0.5) / _DRAWN[len(space)]
    cell = np.minimum(np.searchsorted(upto, targets), size - 1)
    within = np.clip(1.0 - (upto[cell] - targets) / share[cell], 0.0, 1.0) - 0.5
    points = {name: centres[cell] for name, centres in cells.items()}
    points[space[-1].name] = points[space[-1].name] + within * space[-1].length / n
    return points, density[cell]


def _slopes(
    task: FieldTask, function: Callable[[Points], Mapping[str, np.ndarray]], points: Points
) -> dict[str, np.ndarray]:
    names = [axis.name for axis in task.problem.domain.space]
    return derivatives(function, task.problem.field_names, points, task.problem.domain, names)


def _rel_l2_shock(e: FieldEvaluation) -> float:
    at = _clustered(e.task)
    answer = e.solution.predict(dict(at.points))
    fields = {name: np.ravel(np.asarray(answer[name], float)) for name in at.truth}
    truth = dict(at.truth)
    for name, described in e.task.problem.described.items():
        if described.gauge:  # known up to a constant, of each time
            fields[name] = _without_means(fields[name], at)
            truth[name] = _without_means(truth[name], at)
    return relative_l2(fields, truth)


def _without_means(values: np.ndarray, at: _Clustered) -> np.ndarray:
    """Subtract the mean over space at each time; all times have equally many points."""
    rows = values.reshape(at.times, -1)
    w = (1.0 / at.density).reshape(at.times, -1)
    return np.ravel(rows - np.sum(w * rows, axis=1, keepdims=True) / w.sum(axis=1, keepdims=True))


def _rel_h1(e: FieldEvaluation) -> float:
    at = _clustered(e.task)
    weight = np.sqrt(1.0 / at.density)  # an integral over space, whatever the crowding
    found = _slopes(e.task, e.solution.predict, at.points)
    fields = e.task.problem.field_names
    return relative_l2(
        {name: _gradient(found, name) * weight for name in fields},
        {name: _gradient(at.slopes, name) * weight for name in fields},
    )


def _gradient(slopes: Mapping[str, np.ndarray], field: str) -> np.ndarray:
    """Return the slopes of one field along all axes, (axes, n)."""
    return np.stack([v for name, v in slopes.items() if name.partition("_")[0] == field])


def _asks_everywhere(task: Task) -> bool:
    return isinstance(task, FieldTask) and task.everywhere and task.problem.domain.is_box


REL_H1 = Metric(
    "rel_h1",
    "relative error of the returned fields in the H¹ semi-norm over space",
    _rel_h1,
    applies=_asks_everywhere,
    label="Relative H¹ error",
)
REL_L2_SHOCK = Metric(
    "rel_l2_shock",
    "relative L2 error on points of which half crowd where the reference is steep",
    _rel_l2_shock,
    applies=_asks_everywhere,
    label="Relative L2 error near shocks",
)
