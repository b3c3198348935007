"""Waiting: processor time that other programs had while a cell was timed and ready to run.

Why not processor time over wall time × threads: a method of one thread has half of two processors,
on an empty machine too. Why not the load average: it counts the cell's own threads, and where there
are processors enough, others do no harm. The kernel knows how long each thread stood in the queue
of a processor (run delay), which is what the cell lost. It stands there also behind other threads
of its own, which is its own affair: the part of others is as large as their part of the processor
time, and no more than the time that they had.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

_LEAST = 0.2  # processor seconds; the time of others advances by hundredths
_TASKS = Path("/proc/self/task")
_NANO = 1e-9


@dataclass(frozen=True)
class Reading:
    """Counters of one moment, in seconds.

    Attributes:
        ran: thread -> processor time that it had.
        queued: thread -> time that it was ready to run, and did not.
        others: processor time of other programs, on the processors that this process may use.
    """

    ran: dict[str, float]
    queued: dict[str, float]
    others: float


def counters(tasks: Path = _TASKS) -> Reading | None:
    """Read the counters of this process and of its processors.

    Linux, Documentation/scheduler/sched-stats.rst, /proc/<pid>/schedstat, for each thread.

    Args:
        tasks: the folder of the threads.

    Returns:
        None where there are no such counters.
    """
    ran, queued = {}, {}
    try:
        for thread in os.listdir(tasks):
            try:
                text = (tasks / thread / "schedstat").read_text()
            except FileNotFoundError:  # it has ended
                continue
            first, second, _ = text.split()
            ran[thread], queued[thread] = int(first) * _NANO, int(second) * _NANO
        every = psutil.cpu_times(percpu=True)
    except (OSError, ValueError):  # another system; or the method has used up every file handle
        return None
    if not ran or not hasattr(every[0], "iowait"):
        return None
    times = [every[i] for i in os.sched_getaffinity(0) if i < len(every)] or every
    busy = sum(t.user + t.nice + t.system + t.irq + t.softirq for t in times)
    return Reading(ran, queued, busy - sum(os.times()[:4]))  # with compilers that have ended


class WaitMeter:
    """The share of the wanted processor time that others had between `start` and `stop`.

    Threads that end in between are not counted: the share is a lower bound.

    Args:
        read: returns a reading; None where there are no such counters.
    """

    def __init__(self, read: Callable[[], Reading | None] = counters) -> None:
        self._read = read
        self._last: Reading | None = None
        self._ran = self._queued = self._others = 0.0

    def start(self) -> None:
        """Begin to count, or go on; no effect while counting."""
        if self._last is None:
            self._last = self._read()

    def stop(self) -> None:
        """Stop counting; no effect while stopped."""
        last, now = self._last, self._read() if self._last is not None else None
        self._last = None
        if last is not None and now is not None:
            self._ran += _grown(last.ran, now.ran)
            self._queued += _grown(last.queued, now.queued)
            self._others += now.others - last.others

    @property
    def share(self) -> float | None:
        """Waited over waited + ran, up to the last stop; None where unknown, or too short."""
        if self._ran < _LEAST:
            return None
        others = max(0.0, self._others)
        waited = min(self._queued * others / (others + self._ran), others)
        return round(waited / (waited + self._ran), 4)


def _grown(before: dict[str, float], now: dict[str, float]) -> float:
    return sum(value - before.get(thread, 0.0) for thread, value in now.items())
