"""A study of 200 small cells survives kills at random moments, and ends with the same numbers."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import execute, plan
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.leases import born
from pdebench_lite.store.records import Record, Store

METHODS = "fake[act=resumable,seconds=0.002],fake[act=improving],twin,fake[error=0.1]"
SEEDS, STEPS, KILLS = 50, 12, 50
WAIT = 60.0


def numbers(records: list[Record]) -> dict[str, object]:
    """What must not depend on kills, per cell."""
    return {
        r.cell: (r.status, r.reason, r.metrics, r.steps, r.evaluations, r.costs) for r in records
    }


def children_of(root: Path) -> list[int]:
    """Processes of cells that work in a results folder."""
    found = []
    for process in psutil.process_iter():
        try:
            place = process.environ().get("PDEBENCH_WORKSPACE", "")
            if place.startswith(str(root)) and born(process.pid):
                found.append(process.pid)
        except (psutil.Error, OSError):
            continue
    return found


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_two_hundred_cells_survive_fifty_kills(
    fakes: Path, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PDEBENCH_SAVE_EVERY", "0")
    arguments = [
        sys.executable, "-m", "pdebench_lite", "run", "--problem", "toy", "--methods", METHODS,
        "--backend", "numpy", "--max-steps", str(STEPS), "--seeds", str(SEEDS), "--jobs", "2",
        "--results", str(store.root), "--quiet",
    ]  # fmt: skip
    dice = random.Random(0)
    runner, seen = subprocess.Popen(arguments), dict[str, object]()
    for kill in range(KILLS):
        time.sleep(dice.uniform(0.5, 5.0))
        if runner.poll() is not None:
            break  # the study is complete already
        targets = children_of(store.root) if kill % 2 else []
        if targets:
            try:
                os.kill(dice.choice(targets), signal.SIGKILL)
            except ProcessLookupError:
                continue
            continue
        runner.send_signal(dice.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))
        runner.wait(WAIT)
        limit = time.monotonic() + WAIT
        while (left := children_of(store.root)) and time.monotonic() < limit:
            time.sleep(0.05)
        assert left == [], "no orphan"
        loaded = store.load()
        assert loaded.unsound == [], "no corrupt record"
        now = numbers(loaded.records)
        assert seen.items() <= now.items(), "no finished cell is lost or changed"
        seen = now
        runner = subprocess.Popen(arguments)
    assert runner.wait(1200) == 0
    assert not list(store.root.glob(".*-*"))
    broken = store.load()
    assert len(broken.records) == 4 * SEEDS
    assert any(record.resumed for record in broken.records), "the test has hit something"
    known = registry()
    cells, devices = plan(known, "toy", METHODS, "numpy", range(SEEDS), Budget(max_steps=STEPS))
    whole = execute(known, cells, devices, tmp_path / "whole", jobs=2)
    assert numbers(broken.records) == numbers(whole)
