"""Measuring a published solution against a certified reference, at the file's own points."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pdebench_audit.published.layout import Published
from pdebench_lite.errors import PdebenchError
from pdebench_lite.metrics import relative_l2
from pdebench_lite.problem import Reference, Task

_INITIAL = 0.1  # relative error of an initial state that is not the problem's
_AT_ONCE = 1 << 16  # points that a reference evaluates at a time: quadratures take memory


@dataclass(frozen=True)
class Finding:
    """How far a published file is from the truth.

    Attributes:
        points: number of points that were compared.
        rel_l2: relative L2 error over all of them, on equal weights.
        largest: largest absolute error; `field` and `where` say of what and at which point.
        times: moments of the file, ascending, with `rel_l2_at` and `largest_at` each; None for a
            steady problem.
        bound: bound on the relative error of our own reference.
        initial_rel_l2: relative L2 error at the initial time; None if the file does not hold it.
    """

    points: int
    rel_l2: float
    largest: float
    field: str
    where: Mapping[str, float]
    times: np.ndarray | None
    rel_l2_at: np.ndarray | None
    largest_at: np.ndarray | None
    bound: float
    initial_rel_l2: float | None = None

    @property
    def foreign(self) -> bool:
        """Whether the file probably holds the solution of another problem.

        Its initial state, which is given and not computed, differs; or, where the file does not
        hold that, the error is as large as the solution.
        """
        if self.initial_rel_l2 is not None:
            return self.initial_rel_l2 > _INITIAL
        return self.rel_l2 > 1.0


def measure(published: Published, task: Task) -> Finding:
    """Evaluate the reference of a task at the file's points and compare.

    Raises:
        PdebenchError: the task has no reference for fields.
    """
    reference = getattr(task, "reference", None)
    if not isinstance(reference, Reference):
        raise PdebenchError(f"{task.label} has no reference that could be evaluated at points")
    truth = _evaluate(reference, published.points, list(published.fields))
    errors = {name: np.abs(values - truth[name]) for name, values in published.fields.items()}
    field = max(errors, key=lambda name: float(errors[name].max()))
    worst = int(np.argmax(errors[field]))
    time = task.problem.domain.time
    moments = per_time = largest = initial = None
    if time is not None:
        t = published.points[time.name]
        moments = np.unique(t)
        masks = [t == moment for moment in moments]
        per_time = np.array([_over(published.fields, truth, mask) for mask in masks])
        if abs(moments[0] - time.lower) <= 1e-6 * time.length:
            initial = float(per_time[0])
        largest = np.array([max(float(e[m].max()) for e in errors.values()) for m in masks])
    return Finding(
        points=errors[field].size,
        rel_l2=relative_l2(published.fields, truth),
        largest=float(errors[field][worst]),
        field=field,
        where={name: float(values[worst]) for name, values in published.points.items()},
        times=moments,
        rel_l2_at=per_time,
        largest_at=largest,
        bound=reference.bound,
        initial_rel_l2=initial,
    )


def _over(
    answer: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray], mask: np.ndarray
) -> float:
    return relative_l2({k: v[mask] for k, v in answer.items()}, {k: truth[k][mask] for k in answer})


def _evaluate(
    reference: Reference, points: Mapping[str, np.ndarray], fields: list[str]
) -> dict[str, np.ndarray]:
    count = next(iter(points.values())).size
    parts = [
        reference.evaluate({name: v[i : i + _AT_ONCE] for name, v in points.items()})
        for i in range(0, count, _AT_ONCE)
    ]
    return {name: np.concatenate([np.asarray(part[name]) for part in parts]) for name in fields}
