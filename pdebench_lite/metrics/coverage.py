"""Whether a method knows how far off it may be: its stated deviations against its true errors.

Over a function the coverage is a mean over points ("across-the-function"), which is what a band of
±1.96 posterior deviations has to hold on average, though it need not at every single point: Wahba
1983, doi:10.1111/j.2517-6161.1983.tb01239.x; Nychka 1988, doi:10.1080/01621459.1988.10478711.
Errors at neighbouring points are alike, so the coverage of one run says little: it is meant to be
read as a mean over many. Where a problem is ill-posed, a band holds what the method's prior lets
through, and misses what the data do not determine and the prior rules out.
"""

from collections.abc import Mapping
from statistics import NormalDist

import numpy as np

from pdebench_lite.metrics.metric import Metric, squared_norm
from pdebench_lite.problem import Task, Unknown
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask

NORMAL_95 = NormalDist().inv_cdf(0.975)
"""Deviations on either side of the mean that hold 95% of a normal distribution."""

_MOST_POINTS = 101  # of a band in a record
_DIGITS = 4


def bands(e: FieldEvaluation) -> dict[str, dict[str, list[float]]]:
    """Return what a figure of a band shows of the unknowns that are functions of one variable.

    Returns:
        Unknown name -> its axis, `found`, `true` and `deviation`, lists of at most 101 numbers of
        four digits; unknowns without a stated deviation that is finite are left out.
    """
    kept = {}
    for unknown in e.task.unknowns:
        if len(unknown.axes) != 1 or (deviation := e.stated_on_grid.get(unknown.name)) is None:
            continue
        (axis,) = unknown.axes
        x = e.axes[axis]
        if not np.isfinite(deviation).all():
            continue
        few = np.linspace(0, x.size - 1, min(x.size, _MOST_POINTS)).round().astype(int)
        curves = {
            axis: x,
            "found": e.found_on_grid[unknown.name],
            "true": e.true_unknowns[unknown.name],
            "deviation": deviation,
        }
        kept[unknown.name] = {
            name: [float(f"{v:.{_DIGITS - 1}e}") for v in values[few]]
            for name, values in curves.items()
        }
    return kept


def _initial(task: Task) -> list[Unknown]:
    return [u for u in task.unknowns if u.kind == "initial"]


def _stated(e: FieldEvaluation) -> Mapping[str, np.ndarray] | None:
    """Return the deviations of all initial states that are sought; None if one is not stated."""
    names = [u.name for u in _initial(e.task)]
    if not names or any(name not in e.stated_on_grid for name in names):
        return None
    return {name: e.stated_on_grid[name] for name in names}


def _coverage(e: FieldEvaluation) -> float | None:
    if (stated := _stated(e)) is None:
        return None
    held = [
        np.ravel(np.abs(e.found_on_grid[k] - e.true_unknowns[k]) <= NORMAL_95 * deviation)
        for k, deviation in stated.items()
    ]
    return float(np.mean(np.concatenate(held)))


def _expected(e: FieldEvaluation) -> float | None:
    if (stated := _stated(e)) is None:
        return None
    fields, squares = {u.name: e.truth[u.field] for u in e.task.unknowns if u.field}, []
    for name, deviation in stated.items():
        scale = squared_norm(e.true_unknowns[name], fields.get(name))
        squares.append(float(np.sum(deviation**2)) / scale if scale > 0 else np.inf)
    spread = float(np.sqrt(np.mean(squares)))
    return spread if np.isfinite(spread) else None


def _seeks_a_state(task: Task) -> bool:
    return isinstance(task, FieldTask) and bool(_initial(task))


COVERAGE = (
    Metric(
        "initial_coverage",
        "share of points where the true initial state lies within ±1.96 of the standard deviations "
        "that the method states; 0.95 at best, over many runs; empty where none is stated",
        _coverage,
        applies=_seeks_a_state,
        over_seeds="mean",
        label="Coverage of the initial state",
        smaller_is_better=None,
    ),
    Metric(
        "initial_rel_l2_stated",
        "what the method says initial_rel_l2 should be: the root mean square of its stated "
        "standard deviation over that of the true initial state",
        _expected,
        applies=_seeks_a_state,
        label="Stated relative L2 error of the initial state",
        smaller_is_better=None,
    ),
)
