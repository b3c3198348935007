"""Reports over ten thousand records: reading them, and the whole of `pdebench table`."""

import json
import subprocess
import sys
from typing import Any

import pytest

from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.records import RECORD, Store, record_of

MANY = 10_000


def fill(store: Store, count: int) -> None:
    """Write records of a study with many seeds, as a runner would, but without their fields."""
    times = [k / 100 for k in range(101)]
    for i in range(count):
        cell = Cell(
            problem="toy", task="forward", problem_params={"c": 1.0 + i % 5},
            problem_label=f"toy[c={1 + i % 5}]", method="fake", family="other",
            config={"width": i % 10}, label=f"fake[width={i % 10}]", backend="numpy",
            dtype="float64", device="cpu", budget=Budget(max_steps=3), seed=i,
        )  # fmt: skip
        record = record_of(
            cell, "ok", metrics={"rel_l2": 1 / (i + 1), "mae": 0.2, "linf": 0.1},
            ranked=["rel_l2"], profile={"t": times, "rel_l2": times}, charged_s=1.0, steps=3,
            compile_s=0.1, sees={"labels": 3}, fingerprint={"pdebench_lite": "0123456789ab"},
            environment="abc", started="2026-01-01T00:00:00+00:00",
        )  # fmt: skip
        folder = store.folder(cell.hash)
        folder.mkdir()
        (folder / RECORD).write_text(json.dumps(record.model_dump(mode="json"), indent=1))


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Store:
    """A results folder of many records; of few where nothing is measured."""
    store = Store(tmp_path_factory.mktemp("many"))
    asked = request.config.getoption
    measured = asked("benchmark_enable") or not asked("benchmark_disable")
    fill(store, MANY if measured else 50)
    return store


def test_reading(benchmark: Any, many: Store) -> None:
    benchmark.extra_info["what"] = f"reading {len(list(many.root.iterdir()))} records"
    loaded = benchmark.pedantic(many.load, rounds=3)
    assert len(loaded.records) == len(list(many.root.iterdir()))
    assert loaded.unsound == []


def test_table(benchmark: Any, many: Store) -> None:
    command = [sys.executable, "-m", "pdebench_lite", "table", "--results", str(many.root)]
    done = benchmark.pedantic(
        lambda: subprocess.run(command, capture_output=True, text=True, check=True), rounds=3
    )
    benchmark.extra_info["what"] = f"pdebench table of {len(list(many.root.iterdir()))} records"
    rows = [line for line in done.stdout.splitlines() if line.startswith("fake[width=")]
    assert len(rows) == len(list(many.root.iterdir()))
