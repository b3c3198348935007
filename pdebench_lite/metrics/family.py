"""Errors of the answers for the instances of a family."""

from collections.abc import Callable

import numpy as np

from pdebench_lite.metrics.metric import Metric, relative_l2
from pdebench_lite.problem.observations import ROUNDING
from pdebench_lite.tasks.family import FamilyEvaluation, FamilyTask


def _nrmse(e: FamilyEvaluation) -> float:
    """Return the mean over instances of ‖error‖/‖truth‖; Takamoto et al. 2022, appendix B."""
    error = sum(_squares(e.fields[k] - e.truth[k]) for k in e.fields)
    scale = sum(_squares(e.truth[k]) for k in e.fields)
    whole = float(np.mean(scale))  # the size of an instance that is zero but for rounding errors
    return float(
        np.mean(np.sqrt(error / np.where(scale > ROUNDING**2 * whole, scale, whole or 1.0)))
    )


def _squares(values: np.ndarray) -> np.ndarray:
    return np.sum(values.reshape(values.shape[0], -1) ** 2, axis=1)


def shifted_error(shift: str) -> Callable[[FamilyEvaluation], float | None]:
    """Return what computes the relative L2 error on one shifted test set, None in the history."""

    def compute(e: FamilyEvaluation) -> float | None:
        if shift not in e.sets:
            return None
        return relative_l2(e.answers[shift], e.sets[shift].later())

    return compute


def _worst(e: FamilyEvaluation) -> float | None:
    errors = [shifted_error(shift)(e) for shift in e.task.shifts]
    return max((error for error in errors if error is not None), default=None)


FAMILY = (
    Metric(
        "rel_l2_ood",
        "largest relative L2 error on the test sets that are shifted away from the training set",
        _worst,
        applies=lambda task: isinstance(task, FamilyTask) and bool(task.shifts),
        label="Relative L2 error, shifted test sets",
    ),
    Metric(
        "nrmse",
        "relative L2 error of an instance, mean over the test set",
        _nrmse,
        applies=lambda task: isinstance(task, FamilyTask),
        label="Mean relative L2 error of an instance",
    ),
    Metric(
        "instance_s",
        "time of an answer to the test set at once, over its instances; median of three after one, "
        "or the first where that took over ten seconds",
        lambda e: e.seconds,
        applies=lambda task: isinstance(task, FamilyTask),
        unit="s",
        machine=True,
        label="Time of an answer",
    ),
)
