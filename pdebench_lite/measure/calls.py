"""What one call of a function costs: its time and its memory, measured alike for every method."""

import ctypes
import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

from pdebench_lite.measure.memory import MemoryMeter

_SECONDS, _LEAST, _MOST = 0.5, 7, 1000


@dataclass(frozen=True)
class Calls:
    """Repeated calls of one function.

    Attributes:
        median_s: median wall time of a call in seconds.
        peak_mb: most memory of the host that a call held, above what was in use before it, in
            10⁶ bytes; None where the kernel does not say.
        number: calls that were timed.
    """

    median_s: float
    peak_mb: float | None
    number: int


def measure_calls(call: Callable[[], Any]) -> Calls:
    """Time a call that returns when its result is in the host's memory, NumPy arrays say.

    Half a second of calls, at least 7 and at most 1000, one after the other; garbage is collected
    as it is in a training loop. Memory is that of one more call, beforehand.

    Args:
        call: what is measured; it has been called before, so that nothing is compiled now.
    """
    peak = _peak(call)
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < _LEAST or (len(times) < _MOST and time.perf_counter() - began < _SECONDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return Calls(median(times), peak, len(times))


def _peak(call: Callable[[], Any]) -> float | None:
    gc.collect()
    _give_back()
    meter = MemoryMeter()
    meter.enter("train")
    call()
    return meter.peak_mb("train")


def _give_back() -> None:
    """Return freed memory to the kernel: a call that takes it up again would not be seen."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it
    if trim is not None:
        trim(0)
