"""What the harness costs: a report when nothing is due, starting up, reading many records."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pdebench_lite.measure.clock import Clock
from pdebench_lite.measure.energy import EnergyMeter, rapl
from pdebench_lite.measure.memory import MemoryMeter
from pdebench_lite.measure.steal import StealMeter
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.run import Journal, Judge, Run, phase_hook
from pdebench_lite.runner.study import make_cell
from pdebench_lite.runner.waiting import WaitMeter
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import Record, Store

CALLS = 100  # reports that are timed together
SHARE = 0.02  # of the time that a training is charged
SIZE, BLOCK = 230, 100  # a matrix that makes a step of about a millisecond; steps in turn


@pytest.fixture
def make_run(fakes: Path, tmp_path: Path) -> Iterator[Callable[[], tuple[Run, Clock]]]:
    """Return a function that makes a run as a cell has it, and its clock."""
    known = registry()
    task = known.task("toy")
    method, config = known.configured("fake")
    cell = make_cell(task, method, config, "numpy", 0, Budget(max_time=600.0))
    judge, journals = Judge(task, known.metrics_for(task), ()), []

    def make() -> tuple[Run, Clock]:
        memory, journal = MemoryMeter(), Journal(tmp_path / "journal")
        journals.append(journal)
        meters = EnergyMeter(rapl()), StealMeter(), WaitMeter()
        clock = Clock(on_change=phase_hook(memory, journal, *meters))
        return Run(cell, judge, config, "cpu", clock, memory, journal), clock

    yield make
    for journal in journals:
        journal._file.close()


SOLUTION = Solution(lambda p: {"u": np.sin(2 * np.pi * (p["x"] - p["t"]))})


def test_a_report_when_nothing_is_due(
    benchmark: Any, make_run: Callable[[], tuple[Run, Clock]]
) -> None:
    run, clock = make_run()
    with clock.phase("train"):
        run.report(10**9, 1.0, lambda: SOLUTION)  # the next evaluation is far away

        def report() -> None:
            for _ in range(CALLS):
                run.report(10**9 + 1, 1.0, lambda: SOLUTION)

        benchmark(report)
    benchmark.extra_info |= {"what": "a report when nothing is due", "calls": CALLS}


def test_the_harness_s_share_of_a_training(
    benchmark: Any, make_run: Callable[[], tuple[Run, Clock]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps of about a millisecond, reported as the built-in trainings do, against bare ones.

    The bare steps take turns with the others and are taken off what is charged. Evaluations are
    not charged, but what they disturb is. In processor time, which other load spoils least.
    """
    monkeypatch.setattr(time, "perf_counter", time.process_time)
    a = np.random.default_rng(0).standard_normal((SIZE, SIZE)) / SIZE
    blocks, rounds = (25, 11) if benchmark.enabled else (2, 1)
    ratios = []

    def work() -> None:
        np.tanh(a @ a)

    def race() -> None:
        run, clock = make_run()
        done, bare = 0, 0.0
        with clock.phase("train"):
            while done < blocks * BLOCK:
                chunk = min(BLOCK, run.steps_until_due)
                for _ in range(chunk):
                    work()
                done += chunk
                run.report(done, 1.0, lambda: SOLUTION)
                began = time.perf_counter()
                for _ in range(chunk):
                    work()
                bare += time.perf_counter() - began
        ratios.append((clock.charged - bare) / bare)

    benchmark.pedantic(race, rounds=rounds, warmup_rounds=1)
    benchmark.extra_info["charged over bare"] = round(float(np.median(ratios)), 4)
    if benchmark.enabled:
        assert np.median(ratios) < 1 + SHARE


@pytest.mark.parametrize("words", ["--help", "list methods"])
def test_starting_up(benchmark: Any, words: str) -> None:
    benchmark.extra_info["what"] = f"pdebench {words}"
    command = [sys.executable, "-m", "pdebench_lite", *words.split()]
    benchmark.pedantic(
        lambda: subprocess.run(command, capture_output=True, check=True),
        rounds=10 if benchmark.enabled else 1,
        warmup_rounds=1 if benchmark.enabled else 0,
    )


def test_reading_a_thousand_records(benchmark: Any, fakes: Path, tmp_path: Path) -> None:
    known, store = registry(), Store(tmp_path)
    task, (method, config) = known.task("toy"), known.configured("fake")
    count = 1000 if benchmark.enabled else 3
    for seed in range(count):
        cell = make_cell(task, method, config, "numpy", seed, Budget(max_steps=1))
        record = Record(cell=cell.hash, **cell.model_dump(), status="ok", metrics={"rel_l2": 0.1})
        store.publish(record, store.workspace(cell.hash))
    benchmark.extra_info["what"] = f"reading {count} records"
    loaded = benchmark(store.load)
    assert len(loaded.records) == count
