"""Metric: a number that the harness computes from an evaluation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pdebench_lite.problem import Task
from pdebench_lite.problem.observations import ROUNDING
from pdebench_lite.tasks.field import FieldTask


@dataclass(frozen=True)
class Metric:
    """A number computed from an evaluation.

    Attributes:
        name: column name.
        summary: one line.
        compute: maps an evaluation to a float, or None where it has no meaning.
        applies: whether the metric has a meaning for a task at all.
        unit: physical unit.
        machine: whether it is a time or an amount of memory, which no two runs share.
        over_seeds: what sums it up over seeds: `median`, `mean`, `rms` (the root of the mean
            square), or `share` (of the seeds for which it is 1; it is 0 for the others).
        label: plain words for the axes of figures: "Relative L2 error"; by default the name.
        smaller_is_better: None where neither is better.
    """

    name: str
    summary: str
    compute: Callable[[Any], float | None]
    applies: Callable[[Task], bool] = lambda task: isinstance(task, FieldTask)
    unit: str = "dimensionless"
    machine: bool = False
    over_seeds: Literal["median", "mean", "rms", "share"] = "median"
    label: str = ""
    smaller_is_better: bool | None = True


def relative_l2(
    answer: Mapping[str, np.ndarray],
    truth: Mapping[str, np.ndarray],
    whole: Mapping[str, np.ndarray] | None = None,
) -> float:
    """Return the root mean square, over the names in `answer`, of ‖answer − truth‖₂ / ‖truth‖₂.

    All points count alike; squares of different units are never added. Where the truth is zero the
    error is not divided.

    Args:
        answer: name -> array.
        truth: the same, and perhaps more.
        whole: the truth everywhere, where `truth` is a part of it, such as one time. The error of a
            part that is zero but for rounding errors is relative to the size of the whole.
    """
    squares = []
    for name, found in answer.items():
        error = float(np.sum((found - truth[name]) ** 2))
        size = squared_norm(truth[name], None if whole is None else whole.get(name))
        squares.append(error / size if size > 0 else error)
    return float(np.sqrt(np.mean(squares)))


def true_fields(e: Any) -> dict[str, np.ndarray]:
    """Return the truth of the fields alone, everywhere: by it the size of a part is measured."""
    return {name: e.truth[name] for name in e.fields}


def squared_norm(part: np.ndarray, whole: np.ndarray | None = None) -> float:
    """Return ‖part‖₂²; that of the whole's mean square where the part is zero but for rounding."""
    size = float(np.sum(part**2))
    if whole is None or whole.size == 0:
        return size
    mean = float(np.sum(whole**2)) / whole.size
    return size if size > ROUNDING**2 * part.size * mean else part.size * mean
