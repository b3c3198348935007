"""Whether short times can be trusted: resolution, interruptions, and how well work repeats."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from pdebench_doctor.finding import Finding, read

_SECTION = "clock"
_COARSE = 1e-5  # seconds
_SPIN = 0.4  # seconds of watching the clock
_GAP = 5e-5  # a longer pause between two readings is an interruption
_INTERRUPTED = 0.02  # share of the time above which timings suffer
_REPEATS = 60
_SPREAD = 0.10  # interquartile range over median, above which timings suffer
_SLOW_SOURCES = ("hpet", "acpi_pm", "jiffies", "refined-jiffies")
_MEDIANS = "pdebench run … --seeds 5, and compare medians: pdebench compare"


def clock(root: Path = Path("/")) -> Iterator[Finding]:
    """Yield the findings about the clock, and about what disturbs it."""
    yield _resolution()
    yield _source(root)
    yield _interruptions()
    yield _repeatability()


def _resolution() -> Finding:
    ticks = np.diff([time.perf_counter() for _ in range(2000)])
    smallest = float(ticks[ticks > 0].min(initial=np.inf))
    info = time.get_clock_info("perf_counter")
    found = (
        f"{max(smallest, info.resolution) * 1e9:.0f} ns between readings ({info.implementation})"
    )
    if not info.monotonic or smallest > _COARSE:
        return Finding(_SECTION, "resolution", "warning", found, "use another machine for timings")
    return Finding(_SECTION, "resolution", "ok", found)


def _source(root: Path) -> Finding:
    folder = root / "sys/devices/system/clocksource/clocksource0"
    now, offered = read(folder / "current_clocksource"), read(folder / "available_clocksource")
    if now in _SLOW_SOURCES and "tsc" in offered.split():
        remedy = f"echo tsc | sudo tee {folder}/current_clocksource"
        return Finding(_SECTION, "source", "warning", f"{now}, slow to read", remedy)
    return Finding(_SECTION, "source", "ok", now or "not reported by this system")


def interruptions(readings: "np.ndarray") -> tuple[float, float]:
    """Return the share of time lost between successive readings of a clock, and the longest gap.

    Args:
        readings: (n,) seconds, rising.
    """
    gaps = np.diff(readings)
    lost = gaps[gaps > _GAP]
    span = readings[-1] - readings[0]
    return float(lost.sum() / span), float(gaps.max())


def _interruptions() -> Finding:
    end = time.perf_counter() + _SPIN
    readings = [time.perf_counter()]
    while readings[-1] < end:
        readings.append(time.perf_counter())
    share, longest = interruptions(np.array(readings))
    found = f"{share:.1%} of {_SPIN:g} s lost, {longest * 1e3:.2g} ms at once"
    if share > _INTERRUPTED:
        return Finding(_SECTION, "interruptions", "warning", found, _MEDIANS)
    return Finding(_SECTION, "interruptions", "ok", found)


def _repeatability() -> Finding:
    a = np.linspace(0.0, 1.0, 20_000)
    took = []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        for _ in range(10):
            np.tanh(a)
        took.append(time.perf_counter() - began)
    low, middle, high = np.percentile(took, [25, 50, 75])
    spread = (high - low) / middle
    found = f"{middle * 1e3:.2g} ms of arithmetic varies by {spread:.0%} (middle half of runs)"
    if spread > _SPREAD:
        return Finding(_SECTION, "repeatability", "warning", found, _MEDIANS)
    return Finding(_SECTION, "repeatability", "ok", found)
