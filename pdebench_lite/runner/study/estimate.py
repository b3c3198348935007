"""Estimates of how long cells will take, from earlier records and from budgets."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import TypeAlias

from pdebench_lite.store.cell import Cell
from pdebench_lite.store.records import Record

_Key: TypeAlias = tuple[str, str, str, str, str]
_EXHAUSTED = 0.95  # a record that used this share of its time did not end by itself


@dataclass(frozen=True)
class Estimate:
    """How long a cell will take.

    Attributes:
        seconds: wall time, or None where nothing is known.
        basis: what the estimate rests on, in words.
    """

    seconds: float | None
    basis: str


class Estimator:
    """Learns from records how long cells of the same problem, method, backend and device take.

    A cell is expected to take the smallest of: its time budget; its steps at the median pace of
    earlier records; and the median of those records that ended by themselves, within their budget.
    What is not charged (set-up, evaluation) is added, at its median. Where there is no such record
    the estimate is the budget alone, and unknown for a budget of steps.
    """

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._known: dict[_Key, list[Record]] = defaultdict(list)
        for record in records:
            self.add(record)

    def add(self, record: Record) -> None:
        """Learn from one more record."""
        if record.status == "ok" and record.charged_s is not None and record.wall_s is not None:
            self._known[_key(record)].append(record)

    def estimate(self, cell: Cell) -> Estimate:
        """Return what a cell is expected to take."""
        records = self._known.get(_key(cell), [])
        budget = cell.budget
        limits = [] if budget.max_time is None else [budget.max_time]
        if not records:
            return Estimate(budget.max_time, "its budget" if limits else "nothing known")
        if budget.max_steps is not None:
            paces = [r.charged_s / r.steps for r in records if r.charged_s and r.steps]
            limits += [budget.max_steps * median(paces)] if paces else []
        ended = [r.charged_s for r in records if r.charged_s is not None and _ended_by_itself(r)]
        limits += [median(ended)] if ended else []
        if not limits:
            return Estimate(None, "nothing known")
        beside = median((r.wall_s or 0.0) - (r.charged_s or 0.0) for r in records)
        count = len(records)
        basis = f"{count} earlier record{'s' if count > 1 else ''}"
        return Estimate(min(limits) + max(0.0, beside), basis)


def _key(of: Record | Cell) -> _Key:
    kind = of.device.partition(":")[0]
    return of.problem, of.task, of.method, of.backend, kind


def _ended_by_itself(record: Record) -> bool:
    """Say whether a method ended before time or steps ran out: it had converged."""
    limit, steps = record.budget.max_time, record.budget.max_steps
    in_time = limit is None or (record.charged_s or 0.0) < _EXHAUSTED * limit
    return in_time and (steps is None or (record.steps or 0) < steps)


def duration_text(seconds: float) -> str:
    """Write a duration for people: `8 s`, `12 min`, `3.5 h`."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 5970:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
