"""Memory: what training allocates is measured, what stood before or comes beside it is not."""

import sys
from collections.abc import Callable

import numpy as np
import pytest

from pdebench_lite.records import Record, Store, load_history
from pdebench_lite.runner import memory
from pdebench_lite.runner.memory import MemoryMeter

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


def test_a_peak_that_is_over_is_still_counted() -> None:
    meter = MemoryMeter()
    meter.enter("train")
    np.ones(60 * MB)
    assert meter.peak_mb("train") == pytest.approx(60, rel=0.05)
    meter.enter("evaluate")
    np.ones(200 * MB)
    meter.enter("train")
    np.ones(40 * MB)
    assert meter.peak_mb("train") == pytest.approx(60, rel=0.05)
    kept = np.ones(80 * MB)
    assert meter.peak_mb("train") == pytest.approx(80, rel=0.05)
    meter.enter("compile")
    meter.enter("train")
    more = np.ones(40 * MB)  # smaller arrays may come from memory that was freed
    assert meter.peak_mb("train") == pytest.approx(120, rel=0.05)
    assert kept[0] == more[0]


def test_what_other_phases_leave_behind_is_not_training() -> None:
    meter = MemoryMeter()
    meter.enter("train")
    meter.enter("data")
    data = np.ones(100 * MB)
    meter.enter("train")
    used = np.ones(50 * MB)
    assert meter.peak_mb("train") == pytest.approx(50, rel=0.05)
    assert data[0] == used[0]


def test_without_the_kernel_nothing_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_STATUS", memory.Path("/nonexistent"))
    meter = MemoryMeter()
    meter.enter("train")
    assert meter.peak_mb("train") is None
    monkeypatch.undo()
    monkeypatch.setattr(memory, "_CLEAR", memory.Path("/nonexistent/x"))
    meter.enter("train")
    assert meter.peak_mb("train") is None
