"""Faults that are injected: memory, handles, processes that escape, disks that are full."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.store.records import HISTORY, RECORD, Record, Store, load_history

Race = Callable[..., list[Record]]
WAIT = 30.0


def until(condition: Callable[[], object], what: str) -> None:
    """Wait for something to happen."""
    limit = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < limit, f"waited for {what}"
        time.sleep(0.02)


def ended(pid: int) -> bool:
    """Whether a process no longer runs."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_max_memory(race: Race, store: Store) -> None:
    starved, fed = race(
        "fake[act=hungry,megabytes=3000],fake[act=hungry,megabytes=100]",
        max_steps=3, max_memory=800e6,
    )  # fmt: skip
    assert starved.status == "out-of-memory"
    assert "above --max-memory 800 MB" in starved.reason
    used = float(starved.reason.split()[1])
    assert 800 <= used < 1200, "it was stopped soon"  # a whole number: 800.3 reads 800
    assert load_history(store.folder(starved.cell))["loss"].tolist() == [0.5]
    assert fed.status == "ok"


def test_no_more_file_handles(race: Race) -> None:
    record, after = race("fake[act=greedy_for_files],fake", max_steps=3)
    assert record.status == "crashed"
    assert "Too many open files" in record.reason
    assert after.status == "ok"


def test_processes_that_leave_the_session_end_with_their_cell(race: Race, fakes: Path) -> None:
    (record,) = race("fake[act=daemon]", max_steps=3)
    assert record.status == "ok"
    pid = int((fakes / "daemon").read_text())
    until(lambda: ended(pid), "the end of the escaped process")


def test_orphans_of_a_killed_runner_end_with_the_next_run(
    race: Race, store: Store, fakes: Path
) -> None:
    runner = subprocess.Popen(
        [sys.executable, "-m", "pdebench_lite", "run", "--problem", "toy", "--methods",
         "fake[act=daemon,seconds=600]", "--backend", "numpy", "--max-steps", "3",
         "--results", str(store.root), "--quiet"]
    )  # fmt: skip
    note = fakes / "daemon"
    until(lambda: note.exists() and note.read_text(), "the escaped process")
    pid = int(note.read_text())
    runner.send_signal(signal.SIGKILL)
    runner.wait(WAIT)
    assert not ended(pid), "it does not die with the runner by itself"
    race("twin", max_steps=3)
    until(lambda: ended(pid), "the end of the orphan")


def test_a_child_killed_again_and_again(race: Race) -> None:
    (record,) = race("fake[act=kill]", max_steps=3)
    assert record.status == "crashed"
    assert record.reason == "the process was killed by SIGKILL, 3 times"
    assert record.restarted == 2


def test_a_full_disk_loses_nothing(
    race: Race, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (first,) = race("fake", max_steps=3)
    write = Path.write_text

    def full(self: Path, *args: object, **more: object) -> int:
        if self.name == RECORD:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(PdebenchError, match=r"cannot keep the record of .*twin.*No space"):
        race("twin", max_steps=3)
    monkeypatch.undo()
    assert store.load().records == [first]
    assert not list(store.root.glob(".*-*"))


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_file_system_that_is_really_full(race: Race, store: Store, tmp_path: Path) -> None:
    store.root.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(store.root)], check=False,
        capture_output=True,
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("this container may not mount")
    try:
        with pytest.raises(PdebenchError, match=r"cannot keep the record|cannot write results"):
            race("fake", seeds=tuple(range(30)), max_steps=30)
        loaded = store.load()
        assert loaded.records, "what was finished before is kept"
        assert loaded.unsound == []
        for record in loaded.records:
            assert record.status == "ok"
            assert (store.folder(record.cell) / HISTORY).stat().st_size > 0
    finally:
        subprocess.run(["umount", str(store.root)], check=True)
