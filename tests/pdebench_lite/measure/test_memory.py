"""Memory: what training allocates is measured, what stood before or comes beside it is not."""

import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

from pdebench_lite.measure import memory
from pdebench_lite.measure.memory import MemoryMeter
from pdebench_lite.store.records import Record, Store, load_history

Race = Callable[..., list[Record]]
MB = 125_000  # float64 numbers in 10⁶ bytes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def test_only_training_counts(race: Race, store: Store) -> None:
    (record,) = race("fake[act=memory,megabytes=200,before=100]", max_steps=10)
    assert record.status == "ok", record.reason
    assert record.peak_host_mb == pytest.approx(200, rel=0.05)
    assert record.compile_peak_host_mb == pytest.approx(400, rel=0.05)
    assert record.peak_device_mb is None
    peaks = load_history(store.folder(record.cell))["peak_host_mb"]
    assert peaks[0] < 10
    assert peaks[1] == pytest.approx(200, rel=0.05)


@pytest.mark.parametrize(
    "backend",
    [
        "numpy",
        pytest.param("torch", marks=pytest.mark.slow),
        pytest.param("jax", marks=pytest.mark.slow),
    ],
)
def test_300_mb_of_training_by_each_backend(race: Race, backend: str) -> None:
    """What is held before (imports, data, compilation) is not training; compilation is apart."""
    (record,) = race("hungry[megabytes=300,before=100]", backend=backend, max_steps=10)
    assert record.status == "ok", record.reason
    assert record.details["sum"] == 400 * MB
    assert record.peak_host_mb == pytest.approx(300, rel=0.05)
    assert record.compile_peak_host_mb == pytest.approx(200, rel=0.05)
    (record,) = race("hungry[megabytes=0,before=100]", backend=backend, max_steps=10)
    assert record.peak_host_mb is not None
    assert record.peak_host_mb < 15, "5% of 300 MB"


def test_a_cell_that_allocates_nothing(race: Race) -> None:
    (record,) = race("fake", max_steps=10)
    assert record.peak_host_mb is not None
    assert record.peak_host_mb < 10
    assert record.compile_peak_host_mb is None


def alone(code: str) -> list[float]:
    """Return what a process prints that has allocated nothing before: freed memory comes again."""
    start = "import numpy as np; from pdebench_lite.measure.memory import MemoryMeter\n"
    start += f"MB = {MB}; meter = MemoryMeter(); meter.enter('train')\n"
    run = [sys.executable, "-c", start + textwrap.dedent(code)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


def test_a_peak_that_is_over_is_still_counted() -> None:
    found = alone("""
        np.ones(60 * MB)
        print(meter.peak_mb("train"))
        meter.enter("evaluate")
        np.ones(200 * MB)
        meter.enter("train")
        np.ones(40 * MB)
        print(meter.peak_mb("train"))
        kept = np.ones(80 * MB)
        print(meter.peak_mb("train"))
        meter.enter("compile")
        meter.enter("train")
        more = np.ones(40 * MB)
        print(meter.peak_mb("train"))
    """)
    assert found == pytest.approx([60, 60, 80, 120], rel=0.05)


def test_what_other_phases_leave_behind_is_not_training() -> None:
    found = alone("""
        meter.enter("data")
        data = np.ones(100 * MB)
        meter.enter("train")
        used = np.ones(50 * MB)
        print(meter.peak_mb("train"))
    """)
    assert found == pytest.approx([50], rel=0.05)


def test_without_the_kernel_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_STATUS", memory.Path("/nonexistent"))
    meter = MemoryMeter()
    meter.enter("train")
    assert meter.peak_mb("train") is None
    monkeypatch.undo()
    monkeypatch.setattr(memory, "_CLEAR", memory.Path("/nonexistent/x"))
    meter.enter("train")
    assert meter.peak_mb("train") is None
