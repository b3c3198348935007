"""Energy: a tree of powercap zones that the test writes, counters that start again, refusals."""

import time
from pathlib import Path

import pytest

from pdebench_lite.measure import energy, nvml
from pdebench_lite.measure.clock import Clock
from pdebench_lite.measure.energy import Counter, EnergyMeter, gpu, rapl
from pdebench_lite.measure.memory import MemoryMeter
from pdebench_lite.measure.steal import StealMeter
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.run import Journal, Judge, Run, phase_hook
from pdebench_lite.runner.study import make_cell
from pdebench_lite.runner.waiting import WaitMeter
from pdebench_lite.store.cell import Budget

SPAN = 262_143_328_850  # microjoules, as processors report it


def zone(root: Path, folder: str, name: str, joules: float = 0.0) -> Path:
    """Lay out one powercap zone; returns its counter."""
    path = root / folder
    path.mkdir(parents=True, exist_ok=True)
    (path / "name").write_text(f"{name}\n")
    (path / "max_energy_range_uj").write_text(f"{SPAN}\n")
    counter = path / "energy_uj"
    count(counter, joules)
    return counter


def count(counter: Path, joules: float) -> None:
    """Set a counter."""
    counter.write_text(f"{round(joules * 1e6) % SPAN}\n")


def test_packages_and_their_memory_are_added_up(tmp_path: Path) -> None:
    first = zone(tmp_path, "intel-rapl:0", "package-0", 1000)
    second = zone(tmp_path, "intel-rapl:1", "package-1", 50)
    memory = zone(tmp_path, "intel-rapl:0:1", "dram", 7)
    inside = [
        zone(tmp_path, "intel-rapl:0:0", "core"),
        zone(tmp_path, "intel-rapl:2", "psys"),
        zone(tmp_path, "intel-rapl-mmio:0", "package-0"),
    ]
    meter = EnergyMeter(rapl(tmp_path))
    meter.start()
    for counter, joules in ((first, 1010), (second, 53.5), (memory, 7.25)):
        count(counter, joules)
    for counter in inside:
        count(counter, 999)
    assert meter.stop() == pytest.approx(13.75)


def test_only_what_is_used_between_start_and_stop_counts(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", "package-0", 1)
    meter = EnergyMeter(rapl(tmp_path))
    meter.start()
    meter.start()
    count(counter, 3)
    assert meter.stop() == 2
    count(counter, 100)
    assert meter.stop() == 2
    meter.start()
    count(counter, 104)
    meter.sample()
    count(counter, 105)
    assert meter.joules == 6
    assert meter.stop() == 7


def test_a_counter_that_starts_again(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", "package-0", SPAN / 1e6 - 4)
    meter = EnergyMeter(rapl(tmp_path))
    meter.start()
    for used in (6, 200_000, 400_000):  # every sample but the second passes the end once
        count(counter, SPAN / 1e6 - 4 + used)
        meter.sample()
    assert meter.stop() == pytest.approx(400_000, abs=1e-3)


def test_a_counter_that_is_set_back_by_the_driver_takes_nothing_away() -> None:
    values = iter([100.0, 5.0, 8.0])
    meter = EnergyMeter([Counter(lambda: next(values))])
    meter.start()
    meter.sample()
    assert meter.stop() == 3.0


@pytest.mark.parametrize("what", ["energy_uj", "max_energy_range_uj", "name"])
def test_a_part_that_cannot_be_read_makes_the_sum_unknown(tmp_path: Path, what: str) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0")
    zone(tmp_path, "intel-rapl:1", "package-1")
    (tmp_path / "intel-rapl:1" / what).unlink()
    meter = EnergyMeter(rapl(tmp_path))
    meter.start()
    assert meter.stop() is None


def test_permission_denied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone(tmp_path, "intel-rapl:0", "package-0")
    read = Path.read_text

    def refuse(self: Path, *args: object, **kwargs: object) -> str:
        if self.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read(self)

    monkeypatch.setattr(Path, "read_text", refuse)
    assert rapl(tmp_path) == []


def test_a_counter_that_vanishes_makes_the_sum_unknown(tmp_path: Path) -> None:
    counter = zone(tmp_path, "intel-rapl:0", "package-0")
    meter = EnergyMeter(rapl(tmp_path))
    meter.start()
    count(counter, 5)
    meter.sample()
    counter.unlink()
    assert meter.stop() is None
    meter.start()
    assert meter.stop() is None


def test_nothing_to_read_is_no_number(tmp_path: Path) -> None:
    for counters in (rapl(tmp_path), rapl(tmp_path / "missing"), gpu("cpu")):
        meter = EnergyMeter(counters)
        meter.start()
        assert meter.stop() is None


def test_a_gpu_counts_by_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    values = iter([500.0, 510.0, 540.5])
    monkeypatch.setattr(nvml, "joules", lambda device: next(values, None))
    meter = EnergyMeter(gpu("cuda:0"))
    meter.start()
    assert meter.stop() == 30.5
    meter.start()
    assert meter.stop() is None, "it no longer answers"


@pytest.mark.gpu
def test_a_real_gpu_uses_energy() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available() or nvml.joules("cuda:0") is None:
        pytest.skip("no GPU that NVML can read")
    meter = EnergyMeter(energy.gpu("cuda:0"))
    meter.start()
    a = torch.rand(4096, 4096, device="cuda")
    for _ in range(200):
        a = (a @ a).tanh()
    torch.cuda.synchronize()
    joules = meter.stop()
    assert joules is not None
    assert joules > 1


def test_reports_take_readings_so_that_no_start_again_is_missed(
    fakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three hours without a change of phase, in which the counter passes its end four times."""
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    counter = zone(tmp_path, "intel-rapl:0", "package-0")
    meter, memory = EnergyMeter(rapl(tmp_path)), MemoryMeter()
    known = registry()
    task, (method, config) = known.task("toy"), known.configured("fake")
    cell = make_cell(task, method, config, "numpy", 0, Budget(max_steps=10**9))
    journal = Journal(tmp_path / "journal")
    clock = Clock(on_change=phase_hook(memory, journal, meter, StealMeter(), WaitMeter()))
    judge = Judge(task, known.metrics_for(task), ())
    run = Run(cell, judge, config, "cpu", clock, memory, journal, energy=meter)
    solution = Solution(lambda points: {"u": points["x"]})
    with clock.phase("train"):
        run.report(10**6, None, lambda: solution)
        for _ in range(3 * 360):
            now += 10.0
            count(counter, 100.0 * now)
            run.report(10**6 + 1, None, lambda: solution)
    assert meter.joules == pytest.approx(100.0 * 3 * 3600)
    assert 4 * SPAN / 1e6 < 100.0 * 3 * 3600
    journal._file.close()
