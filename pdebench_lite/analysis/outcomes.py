"""Outcome: what one cell reached, as a step function of charged time."""

from dataclasses import dataclass
from math import inf

import numpy as np

from pdebench_lite.analysis.wording import bound_of
from pdebench_lite.store.records import HISTORY, Record, Store, tell_unreadable

_OVERRUN = 0.02  # of a budget: how much later the end of a run may come and be read at it
_MEMORY = "peak_host_mb"


@dataclass(frozen=True)
class Outcome:
    """One cell that ran, with its history.

    Attributes:
        record: the record.
        metric: name of the error that is compared.
        seconds: charged seconds of each evaluation, ascending, shape (n,).
        errors: the error then, never below the reference's bound, shape (n,).
        memory: peak host memory so far in 10⁶ bytes, shape (n,); NaN where it is not known.
    """

    record: Record
    metric: str
    seconds: np.ndarray
    errors: np.ndarray
    memory: np.ndarray

    @property
    def failed(self) -> bool:
        """Whether the cell left no answer: it counts as a miss everywhere."""
        return self.record.failed

    @property
    def final(self) -> float:
        """The final error on the scoring grid, not below the bound; ∞ if the cell failed."""
        value = None if self.failed else self.record.metrics.get(self.metric)
        return inf if value is None else max(value, bound_of(self.record, self.metric) or 0.0)

    @property
    def time(self) -> float:
        """Charged seconds in all; ∞ if the cell failed."""
        charged = self.record.charged_s
        return inf if self.failed or charged is None else charged

    @property
    def counted_time(self) -> float:
        """The charged seconds, or the budget that cut the run off: overruns are not told apart."""
        budget = self.record.budget.max_time
        return self.time if budget is None or self.failed else min(self.time, budget)

    @property
    def trivial(self) -> float | None:
        """The error of an answer that knows nothing; None where the record does not say."""
        return self.record.trivial_error if self.record.ranked[:1] == [self.metric] else None

    @property
    def memory_used(self) -> float:
        """Peak memory in 10⁶ bytes, of the device where there is one; ∞ if the cell failed."""
        used = self.record.peak_device_mb
        used = self.record.peak_host_mb if used is None else used
        return inf if self.failed or used is None else used

    def at(self, seconds: float) -> float | None:
        """Return the error at a time: the last value at or before it.

        The end of a run that its budget cut short is read at the budget, if its last step ended
        at most 2% after it: or it would be judged by an evaluation a tenth of its steps earlier.

        Returns:
            ∞ before the first evaluation and for a failed cell. None where the budget ended
            before that time, so that nobody knows; a method that ended by itself keeps its answer.
        """
        if self.failed:
            return inf
        end = max(self.record.charged_s or 0.0, self.record.budget.max_time or 0.0)
        if seconds > end and self._cut_short():
            return None
        budget = self.record.budget.max_time
        if seconds == budget:
            seconds *= 1.0 + _OVERRUN
        i = int(np.searchsorted(self.seconds, seconds, side="right")) - 1
        return inf if i < 0 else float(self.errors[i])

    def time_to(self, error: float) -> float | None:
        """Return the charged seconds at which an error was first reached.

        Returns:
            ∞ for a miss. None where a cell was told to stop at a larger error, and did.
        """
        i = self._reached(error)
        return i if i is None or i == inf else float(self.seconds[int(i)])

    def memory_to(self, error: float) -> float | None:
        """Return the peak memory, 10⁶ bytes, until an error was first reached; as `time_to`.

        Histories know the host's memory only: for a cell on a GPU it is the allocator's peak over
        the whole run.
        """
        i = self._reached(error)
        if i is None or i == inf:
            return i
        if self.record.peak_device_mb is not None:
            return self.record.peak_device_mb
        used = float(self.memory[int(i)])
        return used if np.isfinite(used) else None

    def _reached(self, error: float) -> float | None:
        if self.failed:
            return inf
        hits = np.flatnonzero(self.errors <= error)
        if hits.size:
            return float(hits[0])
        target = self.record.budget.target_error
        return None if self.record.target_reached and target and error < target else inf

    def _cut_short(self) -> bool:
        """Say whether it was the budget that ended the run, and not the method."""
        budget, record = self.record.budget, self.record
        return bool(
            (budget.max_time is not None and (record.charged_s or 0.0) >= budget.max_time)
            or (budget.max_steps is not None and (record.steps or 0) >= budget.max_steps)
            or record.target_reached
        )


def read_outcome(store: Store, record: Record, metric: str) -> Outcome:
    """Read the history of a cell; without one, its final score is all that is known."""
    seconds, errors, memory = _history(store, record, metric)
    if not seconds.size and record.charged_s is not None:
        final = record.metrics.get(metric)
        if final is not None and np.isfinite(final):
            used = np.nan if record.peak_host_mb is None else record.peak_host_mb
            seconds, errors, memory = (np.array([v]) for v in (record.charged_s, final, used))
    bound = bound_of(record, metric) or 0.0
    return Outcome(record, metric, seconds, np.maximum(errors, bound), memory)


def _history(
    store: Store, record: Record, metric: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import pyarrow.parquet as pq

    nothing = np.empty(0)
    path = store.folder(record.cell) / HISTORY
    try:  # by pyarrow itself: eight times faster than through pandas, for thousands of records
        with pq.ParquetFile(path) as file:
            wanted = [n for n in ("charged_s", metric, _MEMORY) if n in file.schema_arrow.names]
            table = file.read(wanted).to_pandas()
    except FileNotFoundError:
        return nothing, nothing, nothing
    except (OSError, ValueError) as error:
        tell_unreadable(path, error)
        return nothing, nothing, nothing
    if metric not in table or "charged_s" not in table:
        return nothing, nothing, nothing
    columns = {name: table[name].to_numpy(float, na_value=np.nan) for name in wanted}
    memory = columns.get(_MEMORY, np.full(len(table), np.nan))
    use = np.isfinite(columns["charged_s"]) & np.isfinite(columns[metric])
    order = np.argsort(columns["charged_s"][use], kind="stable")
    return tuple(a[use][order] for a in (columns["charged_s"], columns[metric], memory))
