"""A device that works on its own, as a GPU does: launching returns at once, waiting takes time."""

import os
import time

from pdebench_fakes import _solution, note_prediction

from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

_busy_until = 0.0
_waits = 0


def launch(seconds: float) -> None:
    """Give the device work; returns at once."""
    global _busy_until
    _busy_until = max(time.perf_counter(), _busy_until) + seconds


def synchronize() -> None:
    """Wait until the device has finished, and count."""
    global _waits
    _waits += 1
    time.sleep(max(0.0, _busy_until - time.perf_counter()))


def devices() -> list[str]:
    """Return the one device."""
    return ["cpu"]


def prepare(device: str, dtype: str) -> None:
    """Nothing to choose."""


def device_name() -> str:
    """Return its model."""
    return "Fake 9000"


def reset_device_peak() -> None:
    """Nothing to measure."""


def device_peak_bytes() -> int | None:
    """Return a peak."""
    return 3_000_000


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether memory ran out."""
    return isinstance(error, MemoryError)


def solve(view: View, run: Run) -> Solution:
    """Launch work of a known length in each phase, and never wait for it.

    1 unit in data, 1.5 in compile, 0.5 outside any phase, 2 in train; predictions launch 1 unit.
    """
    unit, began = run.config.seconds, time.monotonic()

    def predict(points: dict) -> dict:
        note_prediction()
        launch(unit)
        return _solution(view).predict(points)

    with run.phase("data"):
        launch(unit)
    with run.phase("compile"):
        launch(1.5 * unit)
    launch(0.5 * unit)
    waits = []
    with run.phase("train"):
        for step in range(2):
            launch(unit)
            waits.append(_waits)
            run.report(step, None, lambda: Solution(predict))
            waits.append(_waits)
    span = [began, time.monotonic()]
    cores = sorted(os.sched_getaffinity(0))
    found = {"waits": waits, "device": run.device, "span": span, "cores": cores}
    return Solution(predict, details=found)
