"""What a call of the answer costs, for tasks that ask how fast something can be computed."""

from pdebench_lite.metrics.metric import Metric
from pdebench_lite.tasks.expression import ExpressionEvaluation, ExpressionTask


def _seconds(e: ExpressionEvaluation) -> float | None:
    return None if e.calls is None else e.calls.median_s


def _megabytes(e: ExpressionEvaluation) -> float | None:
    return None if e.calls is None else e.calls.peak_mb


CALLS = (
    Metric(
        "call_s",
        "median time of a call, from NumPy to NumPy, after compilation",
        _seconds,
        applies=lambda task: isinstance(task, ExpressionTask),
        unit="s",
        machine=True,
        label="Time of a call",
    ),
    Metric(
        "call_mb",
        "peak of the host's memory during a call, above what was in use",
        _megabytes,
        applies=lambda task: isinstance(task, ExpressionTask),
        unit="MB",
        machine=True,
        label="Peak memory of a call",
    ),
)
