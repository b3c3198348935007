"""How well the returned fields obey the equation, whatever they are the solution of."""

from math import ceil
from typing import Any

import numpy as np

from pdebench_lite.metrics.derivatives import Points, derivatives, margin
from pdebench_lite.metrics.metric import Metric
from pdebench_lite.problem import Domain, Task
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask, flatten

_POINTS = 4096  # about; those of a uniform tensor grid over space-time that lie in the domain
_ASPECT = 4  # space points for each point in time


def _midpoints(domain: Domain, suffixes: tuple[str, ...]) -> Points:
    d, steady = len(domain.space), domain.time is None
    along_time = 1 if steady else ceil((_POINTS / _ASPECT**d) ** (1 / (d + 1)))
    along_space = ceil((_POINTS / along_time) ** (1 / d))
    axes = {}
    for axis in domain.axes:
        n = along_space if axis in domain.space else along_time
        edge = 0.0 if axis.periodic else margin(suffixes, axis.name)
        inside = np.clip((np.arange(n) + 0.5) / n, edge, 1 - edge)
        axes[axis.name] = axis.lower + axis.length * inside
    points = flatten(axes)
    if domain.is_box:
        return points
    space = {a.name: points[a.name] for a in domain.space}
    reach = max(margin(suffixes, a.name) * a.length for a in domain.space)
    geometry = domain.geometry
    kept = geometry.contains(space) & (np.min(geometry.gaps(space), axis=0) > reach)
    return {name: values[kept] for name, values in points.items()}


def _residual_rms(e: FieldEvaluation) -> float:
    problem = e.task.problem
    wanted: dict[str, list[str]] = {}
    for name in problem.needs:
        base, _, suffix = name.partition("_")
        wanted.setdefault(base, []).append(suffix)
    points = _midpoints(problem.domain, tuple(s for ss in wanted.values() for s in ss))
    sought = {u.name for u in e.task.unknowns if u.kind == "coefficient"}
    known = problem.coefficient_values()
    values = {}
    of_fields = sorted({s for name in problem.field_names for s in wanted.get(name, ())})
    values.update(
        derivatives(e.solution.predict, problem.field_names, points, problem.domain, of_fields)
    )
    for name, suffixes in wanted.items():
        if name not in problem.field_names:
            coefficient = e.found[name] if name in sought else known[name]
            values.update(_coefficient(name, coefficient, problem, points, suffixes))
    squares = [np.mean(r**2) for r in problem.residual(values).values()]
    return float(np.sqrt(np.mean(squares)))


def _coefficient(
    name: str, coefficient: Any, problem: Any, points: Points, suffixes: list[str]
) -> dict[str, np.ndarray]:
    """Return a coefficient and its derivatives at points; a number has none."""
    axes = problem.coefficients[name]
    n = next(iter(points.values())).size
    if callable(coefficient) and axes:
        at = {axis: points[axis] for axis in axes}
        return derivatives(lambda p: {name: coefficient(p)}, (name,), at, problem.domain, suffixes)
    number = coefficient({}) if callable(coefficient) else coefficient
    full = np.full(n, float(np.asarray(number).item()))
    return {f"{name}_{s}" if s else name: 0.0 * full if s else full for s in suffixes}


def _has_equation(task: Task) -> bool:
    return isinstance(task, FieldTask) and task.everywhere and "equation" in task.faces


RESIDUAL_RMS = Metric(
    "residual_rms",
    "rms of the equation's residual for the returned fields, differentiated by the harness",
    _residual_rms,
    applies=_has_equation,
    unit="of the residual",
    label="Residual of the equation (rms)",
)
