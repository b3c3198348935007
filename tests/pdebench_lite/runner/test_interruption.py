"""Ctrl-C, and death of the runner: nothing is lost, nothing is left running."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pdebench_lite.runner.attempts import ATTEMPT, ATTEMPTS
from pdebench_lite.store.records import Record, Store

Race = Callable[..., list[Record]]
WAIT = 30.0


def start(results: Path, methods: str, *more: str) -> "subprocess.Popen[str]":
    """Start the real command on the toy problem."""
    return subprocess.Popen(
        [sys.executable, "-m", "pdebench_lite", "run", "--problem", "toy", "--methods", methods,
         "--backend", "numpy", "--max-steps", "5", "--results", str(results), *more],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something to happen."""
    limit = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < limit, f"waited for {what}"
        time.sleep(0.02)


def hanging(scratch: Path) -> psutil.Process:
    """Wait for the hanging fake; return its process."""
    note = scratch / "hanging"
    until(lambda: note.exists() and note.read_text(), "the hanging method")
    return psutil.Process(int(note.read_text()))


def ended(process: psutil.Process) -> bool:
    """Whether a process no longer runs."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_ctrl_c(fakes: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    runner = start(results, "fake,fake[act=hang],twin")
    child = hanging(fakes)
    runner.send_signal(signal.SIGINT)
    out, err = runner.communicate(timeout=WAIT)
    assert runner.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert err.splitlines()[-1] == (
        "pdebench: stopped; finished cells are kept, run again to continue"
    )
    until(lambda: ended(child), "the end of the child")
    loaded = Store(results).load()
    assert [(r.method, r.status) for r in loaded.records] == [("fake", "ok")]
    assert loaded.unsound == []
    assert len(list(results.glob(".running-*"))) == len(list(results.glob(".*-*"))) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_death_of_the_runner(fakes: Path, tmp_path: Path, number: signal.Signals) -> None:
    results = tmp_path / "results"
    runner = start(results, "fake,fake[act=hang]")
    child = hanging(fakes)
    runner.send_signal(number)
    runner.communicate(timeout=WAIT)
    assert runner.returncode == (143 if number == signal.SIGTERM else -number)
    until(lambda: ended(child), "the end of the orphan")
    assert len(list(results.glob(".running-*"))) == 1
    loaded = Store(results).load()
    assert [r.status for r in loaded.records] == ["ok"]
    assert loaded.unsound == []
    first = loaded.records[0]
    again = start(results, "fake,twin", "--quiet")
    assert again.communicate(timeout=WAIT) == ("", "")
    assert again.returncode == 0
    left = [path.name for path in results.glob(".*-*")]
    assert len(left) == 1, "the lease is swept away, the unfinished cell stays"
    assert left[0].startswith(".running-")
    records = Store(results).load().records
    assert [r.method for r in records] == ["fake", "twin"]
    assert records[0] == first, "a finished cell is not run again"


def test_a_runner_that_dies_while_its_child_starts(fakes: Path, tmp_path: Path) -> None:
    """The child asks to die with its parent, and then looks whether it has one."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "cell.json").write_text(json.dumps({"runner": os.getpid() + 1, "cores": []}))
    child = subprocess.run(
        [sys.executable, "-m", "pdebench_lite.runner.child", str(workspace)],
        capture_output=True, text=True, timeout=WAIT, check=False,
    )  # fmt: skip
    assert (child.returncode, child.stderr) == (1, "")
    assert not (workspace / "journal.jsonl").exists()


# ---- batch systems ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGUSR2,
        signal.SIGXCPU,
        *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGHUP, signal.SIGUSR1, 15, 2)),
    ],
)
def test_a_signal_to_the_whole_job_is_an_interruption(
    fakes: Path, tmp_path: Path, number: int
) -> None:
    """Slurm sends it to every process of a step; the child has it first, as chance may have it."""
    results = tmp_path / "results"
    runner = start(results, "fake[act=hang]")
    child = hanging(fakes)
    child.send_signal(number)
    time.sleep(0.3)
    runner.send_signal(number)
    _, err = runner.communicate(timeout=WAIT)
    assert runner.returncode == 128 + number
    assert "Traceback" not in err
    by = "" if number == signal.SIGINT else f" by {signal.Signals(number).name}"
    assert err.splitlines()[-1] == (
        f"pdebench: stopped{by}; finished cells are kept, run again to continue"
    )
    until(lambda: ended(child), "the end of the child")
    assert Store(results).load().records == [], "nothing is published"
    assert len(list(results.glob(".running-*"))) == 1


def test_a_signal_that_a_shell_has_ignored_stays_so(fakes: Path, tmp_path: Path) -> None:
    """As `nohup` has it with SIGHUP."""
    results = tmp_path / "results"
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        runner = start(results, "fake[act=hang]")
    finally:
        signal.signal(signal.SIGHUP, before)
    hanging(fakes)
    runner.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert runner.poll() is None
    runner.send_signal(signal.SIGTERM)
    runner.communicate(timeout=WAIT)
    assert runner.returncode == 143


def test_a_signal_to_a_child_alone(race: Race, fakes: Path, store: Store) -> None:
    """One that announces the end of a job is not for it; its own limit of time is its failure."""

    def work() -> None:
        child = hanging(fakes)
        for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGINT):
            child.send_signal(number)
        time.sleep(0.2)
        assert not ended(child)
        child.send_signal(signal.SIGXCPU)

    thread = threading.Thread(target=work)
    thread.start()
    (record,) = race("fake[act=hang]", max_steps=5)
    thread.join()
    assert (record.status, record.reason) == ("crashed", "the process was killed by SIGXCPU")


def test_a_cell_that_kills_its_runners_is_given_up(fakes: Path, tmp_path: Path) -> None:
    """As when the memory of a job runs out, and all of its processes are killed."""
    results = tmp_path / "results"
    runner = start(results, "fake[act=hang],twin", "--quiet")
    hanging(fakes)
    runner.kill()
    runner.communicate(timeout=WAIT)
    (note,) = results.glob(f".running-*/{ATTEMPT}")
    attempt = json.loads(note.read_text())
    assert attempt["lost"] == 1
    began = note.stat().st_mtime
    note.write_text(json.dumps({**attempt, "lost": ATTEMPTS}))  # as after two more of them
    os.utime(note, (began, began))
    last = start(results, "fake[act=hang],twin", "--quiet")
    assert last.communicate(timeout=WAIT) == ("", "")
    assert last.returncode == 1
    lost, twin = sorted(Store(results).load().records, key=lambda record: record.method)
    assert (lost.status, twin.status) == ("crashed", "ok")
    assert lost.reason.startswith("its runner was killed while it ran, 3 times in a row")
    assert lost.wall_s is not None
    assert lost.wall_s > 0
    assert not list(results.glob(".*-*"))
