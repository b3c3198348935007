"""Metric: a number that the harness computes from an evaluation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pdebench_lite.problem import Task
from pdebench_lite.tasks.field import FieldTask


@dataclass(frozen=True)
class Metric:
    """A number computed from an evaluation; smaller is better unless said otherwise.

    Attributes:
        name: column name.
        summary: one line.
        compute: maps an evaluation to a float, or None where it has no meaning.
        applies: whether the metric has a meaning for a task at all.
        unit: physical unit.
        machine: whether it is a time or an amount of memory, which no two runs share.
        over_seeds: what sums it up over seeds: `median`, `mean`, `rms` (the root of the mean
            square), or `share` (of the seeds for which it is 1; it is 0 for the others).
    """

    name: str
    summary: str
    compute: Callable[[Any], float | None]
    applies: Callable[[Task], bool] = lambda task: isinstance(task, FieldTask)
    unit: str = "dimensionless"
    machine: bool = False
    over_seeds: Literal["median", "mean", "rms", "share"] = "median"


def relative_l2(answer: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray]) -> float:
    """Return the root mean square, over the names in `answer`, of ‖answer − truth‖₂ / ‖truth‖₂.

    All points count alike. Where the truth is zero the error is not divided.
    """
    squares = []
    for name, found in answer.items():
        error = float(np.sum((found - truth[name]) ** 2))
        scale = float(np.sum(truth[name] ** 2))
        squares.append(error / scale if scale > 0 else error)
    return float(np.sqrt(np.mean(squares)))
