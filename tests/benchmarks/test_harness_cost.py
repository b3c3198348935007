"""What the harness costs: a report when nothing is due, starting up, reading many records.

    pytest tests/benchmarks/test_harness_cost.py --benchmark-enable --benchmark-only

Nothing fails on absolute time in a normal run.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pdebench_lite.method import Solution
from pdebench_lite.plugins import registry
from pdebench_lite.records import Record, Store
from pdebench_lite.runner.clock import Clock
from pdebench_lite.runner.energy import EnergyMeter
from pdebench_lite.runner.memory import MemoryMeter
from pdebench_lite.runner.run import Journal, Judge, Run, phase_hook
from pdebench_lite.study import Budget, make_cell

REPORT_LIMIT = 20e-6  # seconds


def test_a_report_when_nothing_is_due(benchmark: Any, fakes: Path, tmp_path: Path) -> None:
    known = registry()
    task = known.task("toy")
    method, config = known.configured("fake")
    cell = make_cell(task, method, config, "numpy", 0, Budget(max_time=600.0))
    judge = Judge(task, known.metrics_for(task), ())
    memory, journal = MemoryMeter(), Journal(tmp_path / "journal")
    clock = Clock(on_change=phase_hook(memory, journal, EnergyMeter(())))
    run = Run(cell, judge, config, "cpu", clock, memory, journal)
    solution = Solution(lambda p: {"u": np.sin(2 * np.pi * (p["x"] - p["t"]))})
    with clock.phase("train"):
        run.report(10**9, 1.0, lambda: solution)  # the next evaluation is far away

        def report() -> None:
            for _ in range(100):
                run.report(10**9 + 1, 1.0, lambda: solution)

        benchmark(report)
    journal._file.close()
    if benchmark.enabled:
        assert benchmark.stats.stats.median / 100 < REPORT_LIMIT


@pytest.mark.parametrize("words", ["--help", "list methods"])
def test_starting_up(benchmark: Any, words: str) -> None:
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
    loaded = benchmark(store.load)
    assert len(loaded.records) == count
