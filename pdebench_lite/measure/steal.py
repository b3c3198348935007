"""Steal: processor time that the host of a virtual machine kept from it while a cell was timed."""

import os
from collections.abc import Callable
from typing import TypeAlias

import psutil

_LEAST = 1.0  # processor seconds; counters advance by hundredths, so less would tell nothing

Reading: TypeAlias = tuple[float, float]
"""Seconds stolen, and seconds in all, idle ones included, since the machine was started."""


def processors() -> Reading | None:
    """Read the counters of the processors that this process may use.

    Linux, Documentation/filesystems/proc.rst, /proc/stat: `guest` is contained in `user`.

    Returns:
        None where no counter of stolen time can be read.
    """
    try:
        every = psutil.cpu_times(percpu=True)
    except OSError:  # the method may have used up every file handle
        return None
    if not every or not hasattr(every[0], "steal"):
        return None
    usable = os.sched_getaffinity(0)
    times = [every[i] for i in usable if i < len(every)] or every
    whole = sum(sum(t) - t.guest - t.guest_nice for t in times)
    return sum(t.steal for t in times), whole


class StealMeter:
    """The share of processor time stolen between `start` and `stop`, which may alternate.

    Args:
        read: returns a reading; None where there are no such counters.
    """

    def __init__(self, read: Callable[[], Reading | None] = processors) -> None:
        self._read = read
        self._last: Reading | None = None
        self._stolen = self._whole = 0.0

    def start(self) -> None:
        """Begin to count, or go on; no effect while counting."""
        if self._last is None:
            self._last = self._read()

    def stop(self) -> None:
        """Stop counting; no effect while stopped."""
        now = self._read() if self._last is not None else None
        if self._last is not None and now is not None:
            self._stolen += now[0] - self._last[0]
            self._whole += now[1] - self._last[1]
        self._last = None

    @property
    def share(self) -> float | None:
        """Share of the time up to the last stop; None where it is unknown, or too short to tell."""
        if self._whole < _LEAST:
            return None
        return round(min(max(self._stolen / self._whole, 0.0), 1.0), 4)
