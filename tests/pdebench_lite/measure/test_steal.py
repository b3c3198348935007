"""Steal: counters that the test sets, phases that do not count, and what a record keeps of it."""

import os
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from pdebench_lite.measure.clock import Clock
from pdebench_lite.measure.energy import EnergyMeter
from pdebench_lite.measure.memory import MemoryMeter
from pdebench_lite.measure.steal import Reading, StealMeter, processors
from pdebench_lite.runner.execute import _outcome_of_the_dead
from pdebench_lite.runner.run import Journal, phase_hook
from pdebench_lite.runner.waiting import WaitMeter
from pdebench_lite.runner.watch import Watch, follow
from pdebench_lite.store.records import Record

Times = namedtuple("Times", "user idle steal guest guest_nice")


def metered(*readings: Reading | None) -> StealMeter:
    """A meter whose counters stand where the test says, one reading after the other."""
    left = iter(readings)
    return StealMeter(lambda: next(left))


def test_the_share_is_that_of_the_time_between_start_and_stop() -> None:
    meter = metered((5.0, 100.0), (6.0, 104.0), (90.0, 200.0), (90.0, 204.0))
    meter.start()
    meter.start()
    assert meter.share is None, "nothing is known before a stop"
    meter.stop()
    meter.stop()
    assert meter.share == 0.25
    meter.start()
    meter.stop()
    assert meter.share == 0.125, "what was taken between stop and start does not count"


def test_no_counters_or_too_short_a_time_is_no_number() -> None:
    for readings in ((None, None), ((0.0, 0.0), None), ((3.0, 10.0), (3.5, 10.9))):
        meter = metered(*readings)
        meter.start()
        meter.stop()
        assert meter.share is None


def test_counters_that_step_back_give_a_share_all_the_same() -> None:
    meter = metered((5.0, 100.0), (4.99, 104.0))  # some kernels' idle and stolen times do
    meter.start()
    meter.stop()
    assert meter.share == 0.0


def test_only_the_processors_that_can_be_used_count(monkeypatch: pytest.MonkeyPatch) -> None:
    every = [Times(10.0, 5.0, 1.0, 2.0, 0.5), Times(7.0, 3.0, 4.0, 0.0, 0.0), Times(9, 9, 9, 0, 0)]
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: every)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1})
    assert processors() == (5.0, 16.0 + 14.0), "a guest's time is in `user` already"
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {70})  # some are off, names have gaps
    assert processors() == (14.0, 16.0 + 14.0 + 27.0)


def test_a_platform_without_the_counter(monkeypatch: pytest.MonkeyPatch) -> None:
    for every in ([], [SimpleNamespace(user=1.0, system=2.0, idle=3.0)]):
        monkeypatch.setattr(psutil, "cpu_times", lambda percpu, every=every: every)
        assert processors() is None


def test_counters_that_cannot_be_read_end_no_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(percpu: bool) -> None:
        raise OSError(24, "Too many open files")

    meter = StealMeter()
    meter.start()
    monkeypatch.setattr(psutil, "cpu_times", refuse)
    meter.stop()
    assert meter.share is None


def test_this_machine_counts_all_of_its_time() -> None:
    before, began = processors(), time.perf_counter()
    if before is None:
        pytest.skip("no counter of stolen time here")
    time.sleep(0.3)
    after, seconds = processors(), time.perf_counter() - began
    assert after is not None
    usable = len(os.sched_getaffinity(0))
    assert after[1] - before[1] == pytest.approx(seconds * usable, rel=0.25)
    assert 0 <= after[0] - before[0] <= after[1] - before[1]


def test_evaluations_do_not_count_and_the_parent_hears_of_it(tmp_path: Path) -> None:
    now = [0.0, 0.0]
    meter = StealMeter(lambda: (now[0], now[1]))
    journal = Journal(tmp_path / "journal")
    clock = Clock(on_change=phase_hook(MemoryMeter(), journal, EnergyMeter(()), meter, WaitMeter()))

    def pass_time(stolen: float) -> None:
        now[0] += stolen
        now[1] += 10.0

    with clock.phase("train"):
        pass_time(2.0)
        with clock.phase("evaluate"):
            pass_time(9.0)
        pass_time(4.0)
    assert meter.share == 0.3
    watch = Watch()
    for event in next(follow(tmp_path / "journal")):
        watch.take(event)
    assert watch.steal == 0.3
    journal._file.close()


def test_a_cell_that_was_stopped_keeps_what_was_heard() -> None:
    watch = Watch()
    watch.take({"kind": "phase", "name": "train", "wall": time.monotonic(), "steal": 0.5})
    outcome = _outcome_of_the_dead(-9, "timeout", "did not stop", False, watch)
    assert outcome["steal"] == 0.5


def test_a_record_keeps_it(race: Callable[..., list[Record]]) -> None:
    long, short = race("fake[act=sleep,seconds=0.4],fake[act=sleep,seconds=0.001]")
    assert short.steal is None, "too short to tell"
    if processors() is None:
        assert long.steal is None
    else:
        assert long.steal is not None
        assert 0 <= long.steal <= 1
