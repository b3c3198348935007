"""A cell that was killed goes on from its last checkpoint, and ends where an unbroken one ends."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from pdebench_lite.store.arrays import load_arrays
from pdebench_lite.store.checkpoints import (
    CHECKPOINT,
    Checkpoint,
    discard_checkpoint,
    read_checkpoint,
    write_checkpoint,
)
from pdebench_lite.store.records import WEIGHTS, Record, Store, load_history

Race = Callable[..., list[Record]]
WAIT = 60.0


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save after every step."""
    monkeypatch.setenv("PDEBENCH_SAVE_EVERY", "0")


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something to happen."""
    limit = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < limit, f"waited for {what}"
        time.sleep(0.01)


def checkpoint_at(root: Path, steps: int) -> Callable[[], bool]:
    """Whether a checkpoint of at least that many steps lies in a workspace."""

    def there() -> bool:
        found = [read_checkpoint(p.parent) for p in root.glob(f".running-*/{CHECKPOINT}")]
        return any(c is not None and c.harness["steps"] >= steps for c in found)

    return there


def kill_child(scratch: Path, root: Path, steps: int) -> threading.Thread:
    """Kill the child of the resumable fake once it has saved after that many steps."""

    def work() -> None:
        until(checkpoint_at(root, steps), "a checkpoint")
        pid = int((scratch / "begun").read_text().splitlines()[-1].split()[0])
        os.kill(pid, signal.SIGKILL)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def same(a: Record, b: Record) -> bool:
    """Whether two records hold the same numbers, apart from times and memory."""
    names = ("metrics", "steps", "evaluations", "costs", "params", "status", "sees")
    return all(getattr(a, name) == getattr(b, name) for name in names)


def test_a_killed_child_goes_on(race: Race, store: Store, fakes: Path) -> None:
    method = "fake[act=resumable,seconds=0.1]"
    (whole,) = race(method, max_steps=12)
    history = load_history(store.folder(whole.cell))
    weights = load_arrays(store.folder(whole.cell) / WEIGHTS)
    killer = kill_child(fakes, store.root, 5)
    (broken,) = race(method, max_steps=12, rerun="all")
    killer.join()
    begun = [int(line.split()[1]) for line in (fakes / "begun").read_text().splitlines()]
    assert begun[:2] == [0, 0]
    assert begun[2] >= 5, "it went on where it was"
    assert (whole.resumed, broken.resumed, broken.restarted) == (0, 1, 0)
    assert same(whole, broken)
    assert broken.costs == {"gradients": 12}
    again = load_history(store.folder(broken.cell))
    for column in ("step", "evaluations", "loss", "rel_l2"):
        pd.testing.assert_series_equal(history[column], again[column], check_exact=True)
    assert again["charged_s"].is_monotonic_increasing
    np.testing.assert_array_equal(
        load_arrays(store.folder(broken.cell) / WEIGHTS)["x"], weights["x"]
    )
    assert broken.charged_s == pytest.approx(13 * 0.1, rel=0.5)
    assert broken.compile_s == pytest.approx(0.1, abs=0.08), "compiled again, not charged again"
    assert broken.resume_s is not None
    assert broken.resume_s >= 0.1
    assert not list(store.root.glob(".*-*"))


def test_a_killed_runner_goes_on(race: Race, store: Store, fakes: Path) -> None:
    method = "fake[act=resumable,seconds=0.03]"
    arguments = [
        sys.executable, "-m", "pdebench_lite", "run", "--problem", "toy", "--methods", method,
        "--backend", "numpy", "--max-steps", "30", "--results", str(store.root), "--quiet",
    ]  # fmt: skip
    for number, steps in ((signal.SIGKILL, 5), (signal.SIGTERM, 12), (signal.SIGINT, 20)):
        runner = subprocess.Popen(arguments)
        until(checkpoint_at(store.root, steps), "a checkpoint")
        runner.send_signal(number)
        runner.wait(WAIT)
        pids = [int(line.split()[0]) for line in (fakes / "begun").read_text().splitlines()]
        until(lambda pids=pids: not any(map(psutil.pid_exists, pids)), "the end of the child")
        assert store.load().records == []
        assert len(list(store.root.glob(".running-*"))) == 1
    (broken,) = race(method, max_steps=30)
    assert (broken.resumed, broken.restarted) == (3, 0)
    (whole,) = race(method, max_steps=30, rerun="all")
    assert same(whole, broken)
    assert not list(store.root.glob(".*-*"))


def test_a_method_without_checkpoints_starts_afresh_and_the_record_says_so(
    race: Race,
) -> None:
    (record,) = race("fake[act=killed_once]", max_steps=5)
    assert record.status == "ok"
    assert (record.resumed, record.restarted) == (0, 1)
    assert record.steps == 5


def test_a_checkpoint_of_other_sources_is_not_gone_on_from(
    race: Race, store: Store, fakes: Path
) -> None:
    method = "fake[act=resumable,seconds=0.03]"
    runner = subprocess.Popen(
        [sys.executable, "-m", "pdebench_lite", "run", "--problem", "toy", "--methods", method,
         "--backend", "numpy", "--max-steps", "30", "--results", str(store.root), "--quiet"]
    )  # fmt: skip
    until(checkpoint_at(store.root, 5), "a checkpoint")
    runner.kill()
    runner.wait(WAIT)
    (attempt,) = store.root.glob(".running-*/attempt.json")
    known = json.loads(attempt.read_text())
    known["fingerprint"]["pdebench_fakes.py"] = "another"
    attempt.write_text(json.dumps(known))
    (record,) = race(method, max_steps=30)
    assert (record.resumed, record.restarted) == (0, 1)
    assert record.steps == 30


# ---- checkpoints on disk ---------------------------------------------------------------------


def test_checkpoints_are_whole_or_absent(tmp_path: Path) -> None:
    assert read_checkpoint(tmp_path) is None
    first = Checkpoint({"a/b": np.arange(3.0)}, {"stage": 1}, {"steps": 7})
    write_checkpoint(tmp_path, first)
    write_checkpoint(tmp_path, Checkpoint({"c": np.ones((2, 2), np.float32)}, {}, {"steps": 9}))
    found = read_checkpoint(tmp_path)
    assert found is not None
    assert list(found.arrays) == ["c"]
    assert found.arrays["c"].dtype == np.float32
    assert found.harness == {"steps": 9}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["checkpoint-9.npz", CHECKPOINT]
    arrays = tmp_path / "checkpoint-9.npz"
    whole = arrays.read_bytes()
    for damaged in (whole[:-1], b"", whole[:40] + bytes([whole[40] ^ 1]) + whole[41:]):
        arrays.write_bytes(damaged)
        assert read_checkpoint(tmp_path) is None
    arrays.write_bytes(whole)
    text = (tmp_path / CHECKPOINT).read_text()
    for length in range(len(text)):
        (tmp_path / CHECKPOINT).write_text(text[:length])
        assert read_checkpoint(tmp_path) is None
    discard_checkpoint(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_checkpoint_holds_no_pickle(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_checkpoint(tmp_path, Checkpoint({"a": np.array([{}])}, {}, {"steps": 1}))
    assert read_checkpoint(tmp_path) is None
