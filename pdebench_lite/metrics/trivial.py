"""The error of answers that know nothing of a problem: zero, and the mean of the truth."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from pdebench_lite.errors import PdebenchError
from pdebench_lite.metrics.metric import Metric
from pdebench_lite.problem.solution import Solution
from pdebench_lite.tasks.expression import ExpressionEvaluation
from pdebench_lite.tasks.family import FamilyEvaluation
from pdebench_lite.tasks.field import FieldEvaluation


def trivial_error(evaluation: Any, metric: Metric) -> float | None:
    """Return the smaller error of two trivial answers: zero, and the mean of the truth.

    Args:
        evaluation: of a solution; only its truth is read.
        metric: the error.

    Returns:
        None where the metric has no value for either, or the evaluation is not one of the core's.
    """
    errors = []
    for answer in _answers(evaluation):
        try:
            error = metric.compute(answer)
        except PdebenchError:  # such as a constant that cannot be carried forward
            continue
        if error is not None and math.isfinite(error):
            errors.append(float(error))
    return min(errors, default=None)


def _answers(e: Any) -> Iterator[Any]:
    for of in (_zero, _mean):
        if isinstance(e, FieldEvaluation):
            yield _constant(e, of)
        elif isinstance(e, FamilyEvaluation):
            sets = {name: drawn.later() for name, drawn in e.sets.items()}
            answers = {s: {k: of(v) for k, v in truth.items()} for s, truth in sets.items()}
            yield replace(e, answers=answers)
        elif isinstance(e, ExpressionEvaluation):
            yield replace(e, fields={k: of(e.truth[k]) for k in e.fields})


def _zero(truth: np.ndarray) -> np.ndarray:
    return np.zeros_like(truth)


def _mean(truth: np.ndarray) -> np.ndarray:
    return np.full_like(truth, np.mean(truth))


def _constant(e: FieldEvaluation, of: Callable[[np.ndarray], np.ndarray]) -> FieldEvaluation:
    """Return the evaluation of constant fields and unknowns; the mean of a number would be it."""
    fields = {name: of(e.truth[name]) for name in e.fields}
    unknowns = {
        name: _everywhere((of if truth.ndim else _zero)(truth))
        for name, truth in e.true_unknowns.items()
    }

    def predict(points: dict[str, Any]) -> dict[str, np.ndarray]:
        return {name: _everywhere(values)(points) for name, values in fields.items()}

    return replace(e, fields=fields, solution=Solution(predict, unknowns))


def _everywhere(values: np.ndarray) -> Callable[[dict[str, Any]], np.ndarray]:
    """Return the function that has the value of a constant array everywhere."""
    value = float(np.ravel(values)[0])
    return lambda points: np.full(np.shape(next(iter(points.values()), 0.0)), value)
