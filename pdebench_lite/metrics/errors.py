"""Errors of the returned fields, of what was found, and of what follows from it."""

from typing import Any

import numpy as np

from pdebench_lite.metrics.metric import Metric, relative_l2, true_fields
from pdebench_lite.problem import Task
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask


def _rel_l2(e: Any) -> float:
    if isinstance(e, FieldEvaluation):
        return e.relative_l2(e.compared(e.fields), e.compared(e.truth))
    return relative_l2(e.compared(e.fields), e.compared(e.truth), true_fields(e))


def _rel_l2_late(e: FieldEvaluation) -> float:
    axis = e.task.problem.domain.time
    assert axis is not None
    assert e.time is not None
    late = e.time >= axis.lower + (0.5 - 1e-9) * axis.length
    return e.relative_l2(
        {k: v[..., late] for k, v in e.fields.items()},
        {k: v[..., late] for k, v in e.truth.items()},
    )


def _rel_l2_carried(e: FieldEvaluation) -> float | None:
    if e.carried is None:
        return None
    return e.relative_l2(e.compared(e.carried.fields), e.compared(e.truth))


def _linf(e: FieldEvaluation) -> float:
    return max(float(np.max(np.abs(e.fields[k] - e.truth[k]))) for k in e.fields)


def _mae(e: FieldEvaluation) -> float:
    return float(np.mean([np.abs(e.fields[k] - e.truth[k]) for k in e.fields]))


def _initial_rel_l2(e: FieldEvaluation) -> float | None:
    names = [u.name for u in e.task.unknowns if u.kind == "initial"]
    if not names:
        return None
    return relative_l2({k: e.found_on_grid[k] for k in names}, e.true_unknowns)


def _coefficient_rel_l2(e: FieldEvaluation) -> float:
    names = [u.name for u in e.task.unknowns if u.kind == "coefficient"]
    return relative_l2({k: e.found_on_grid[k] for k in names}, e.true_unknowns)


def _asks_all_times(task: Task) -> bool:
    return isinstance(task, FieldTask) and task.problem.domain.time is not None and not task.at_end


def error_profile(e: FieldEvaluation) -> dict[str, list[float]]:
    """Return the relative L2 error at each time: `t` and `rel_l2`, lists of equal length."""
    if e.time is None:
        return {}
    errors = [
        e.relative_l2(
            {k: v[..., i : i + 1] for k, v in e.fields.items()},
            {k: v[..., i : i + 1] for k, v in e.truth.items()},
        )
        for i in range(e.time.size)
    ]
    return {"t": e.time.tolist(), "rel_l2": errors}


ERRORS = (
    Metric(
        "rel_l2",
        "relative L2 error of the returned fields",
        _rel_l2,
        label="Relative L2 error",
    ),
    Metric(
        "rel_l2_late",
        "relative L2 error of the returned fields over the second half of time",
        _rel_l2_late,
        applies=_asks_all_times,
        label="Relative L2 error, second half of time",
    ),
    Metric(
        "rel_l2_carried",
        "relative L2 error of the found unknowns carried forward by the certified solver",
        _rel_l2_carried,
        applies=lambda task: isinstance(task, FieldTask) and bool(task.unknowns),
        label="Relative L2 error, carried forward",
    ),
    Metric(
        "initial_rel_l2",
        "relative L2 error of the found initial state",
        _initial_rel_l2,
        applies=lambda task: any(u.kind == "initial" for u in task.unknowns),
        label="Relative L2 error of the initial state",
    ),
    Metric(
        "coefficient_rel_l2",
        "relative L2 error of the found coefficients",
        _coefficient_rel_l2,
        applies=lambda task: any(u.kind == "coefficient" for u in task.unknowns),
        label="Relative L2 error of the coefficients",
    ),
    Metric(
        "mae",
        "mean absolute error over space-time",
        _mae,
        unit="of the field",
        label="Mean absolute error",
    ),
    Metric(
        "linf",
        "largest absolute error over space-time",
        _linf,
        unit="of the field",
        label="Largest absolute error",
    ),
)
