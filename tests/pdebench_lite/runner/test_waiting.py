"""Waiting: counters that the test lays out, phases that do not count, and what a record keeps."""

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
from pdebench_lite.measure.steal import StealMeter
from pdebench_lite.runner.execute import _outcome_of_the_dead
from pdebench_lite.runner.run import Journal, phase_hook
from pdebench_lite.runner.waiting import Reading, WaitMeter, counters
from pdebench_lite.runner.watch import Watch, follow
from pdebench_lite.store.records import Record

Times = namedtuple("Times", "user nice system idle iowait irq softirq steal")


def metered(*readings: Reading | None) -> WaitMeter:
    """A meter whose counters stand where the test says, one reading after the other."""
    left = iter(readings)
    return WaitMeter(lambda: next(left))


def share(ran: float, queued: float, others: float) -> float | None:
    """Share of a meter during which one thread ran and queued, and others used processors."""
    meter = metered(Reading({"1": 5.0}, {"1": 3.0}, 70.0),
                    Reading({"1": 5.0 + ran}, {"1": 3.0 + queued}, 70.0 + others))  # fmt: skip
    meter.start()
    meter.stop()
    return meter.share


def test_the_share_is_what_others_had_of_the_time_that_was_wanted() -> None:
    assert share(6.0, 3.0, 6.0) == 0.2, "half of the queue before it was of others"
    assert share(1.0, 3.0, 3.0) == 0.6923, "one of four threads on a processor"
    assert share(6.0, 0.0, 100.0) == 0.0, "others on processors that were not wanted do no harm"
    assert share(6.0, 2.0, 0.0) == 0.0, "it waited for threads of its own"
    assert share(2.0, 30.0, 1.0) == 0.3333, "many threads of its own: no more than others had"
    assert share(6.0, 4.0, -0.1) == 0.0, "counters of ticks are behind at times"
    assert share(0.1, 0.05, 1.0) is None, "too short to tell"


def test_only_the_time_between_start_and_stop_counts() -> None:
    times = ((0.0, 0.0), (3.0, 2.0), (9.0, 9.0), (10.0, 11.0))
    meter = metered(*(Reading({"1": ran}, {"1": queued}, ran) for ran, queued in times))
    meter.start()
    meter.start()
    assert meter.share is None
    meter.stop()
    meter.stop()
    assert meter.share == 0.25
    meter.start()
    meter.stop()
    assert meter.share == 0.3333


def test_threads_begin_and_end() -> None:
    meter = metered(Reading({"1": 5.0, "2": 50.0}, {"1": 1.0, "2": 20.0}, 0.0),
                    Reading({"1": 6.0, "3": 2.0}, {"1": 2.5, "3": 0.5}, 3.0))  # fmt: skip
    meter.start()
    meter.stop()
    assert meter.share == 0.25, "one that has ended takes nothing away, a new one counts whole"


def test_no_counters_is_no_number() -> None:
    reading = Reading({"1": 5.0}, {"1": 1.0}, 0.0)
    for readings in ((None,), (reading, None)):
        meter = metered(*readings)
        meter.start()
        meter.stop()
        assert meter.share is None


def lay(folder: Path, **tasks: str) -> Path:
    """Write the files of threads."""
    for name, text in tasks.items():
        (folder / name[1:]).mkdir(parents=True)
        if text:
            (folder / name[1:] / "schedstat").write_text(text)
    return folder


def test_counters_are_read_of_every_thread_and_of_usable_processors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = lay(tmp_path, t7="3000000000 250000000 9\n", t8="1000000000 0 1\n", t9="")
    every = [Times(10.0, 1.0, 2.0, 50.0, 5.0, 0.5, 0.5, 3.0), Times(*8 * [100.0])]
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: every)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    monkeypatch.setattr(os, "times", lambda: (1.0, 1.0, 1.5, 0.5, 99.0))
    read = counters(tasks)
    assert read is not None
    assert read.ran == pytest.approx({"7": 3.0, "8": 1.0})
    assert read.queued == pytest.approx({"7": 0.25, "8": 0.0})
    assert read.others == 10.0, "idle, waiting for disks and stolen is nobody's"


def test_platforms_without_the_counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert counters(tmp_path / "missing") is None
    assert counters(lay(tmp_path / "empty", t7="")) is None
    assert counters(lay(tmp_path / "odd", t7="not numbers")) is None
    good = lay(tmp_path / "good", t7="1 2 3")
    monkeypatch.setattr(psutil, "cpu_times", lambda percpu: [SimpleNamespace(user=1.0, idle=2.0)])
    assert counters(good) is None

    def refuse(percpu: bool) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(psutil, "cpu_times", refuse)
    assert counters(good) is None


def test_this_kernel_tells() -> None:
    before = counters()
    if before is None:
        pytest.skip("no such counters here")
    end = time.process_time() + 0.2
    while time.process_time() < end:
        pass
    after = counters()
    assert after is not None
    ran = sum(after.ran.values()) - sum(before.ran.values())
    assert ran == pytest.approx(0.2, abs=0.1), "the processor time of this process"
    assert sum(after.queued.values()) >= sum(before.queued.values())


def test_evaluations_do_not_count_and_the_parent_hears_of_it(tmp_path: Path) -> None:
    now = {"ran": 0.0, "queued": 0.0}
    meter = WaitMeter(lambda: Reading({"1": now["ran"]}, {"1": now["queued"]}, now["ran"]))
    journal = Journal(tmp_path / "journal")
    hook = phase_hook(MemoryMeter(), journal, EnergyMeter(()), StealMeter(lambda: None), meter)
    clock = Clock(on_change=hook)

    def pass_time(queued: float) -> None:
        now["ran"] += 3.0
        now["queued"] += queued

    with clock.phase("compile"):
        pass_time(2.0)
    with clock.phase("train"):
        with clock.phase("evaluate"):
            pass_time(9.0)
        pass_time(4.0)
    assert meter.share == 0.3333
    watch = Watch()
    for event in next(follow(tmp_path / "journal")):
        watch.take(event)
    assert watch.waited == 0.3333
    journal._file.close()
    outcome = _outcome_of_the_dead(-9, "timeout", "did not stop", False, watch)
    assert outcome["waited"] == 0.3333


def test_a_record_keeps_it(race: Callable[..., list[Record]]) -> None:
    long, short = race("fake[act=spin,seconds=0.4],fake[act=spin,seconds=0.001]")
    assert short.waited is None, "too short to tell"
    if counters() is None:
        assert long.waited is None
    else:
        assert long.waited is not None
        assert 0 <= long.waited < 1
