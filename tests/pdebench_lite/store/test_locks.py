"""The lock of a folder: one at a time, on file systems with locks and on those without."""

import errno
import fcntl
import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pdebench_lite.store import locks
from pdebench_lite.store.locks import locked

NO_LOCKS = """
import errno, fcntl
def lockf(*_):
    raise OSError(errno.ENOLCK, "No locks available")
fcntl.lockf = lockf
"""
COUNT = """
import sys, time
from pathlib import Path
from pdebench_lite.store.locks import locked
root = Path(sys.argv[1])
time.sleep(max(0, float(sys.argv[2]) - time.time()))
for _ in range(40):
    with locked(root):
        seen = int((root / "count").read_text())
        time.sleep(0.0005)
        (root / "count").write_text(str(seen + 1))
"""
TAKE = """
import sys, time
from pathlib import Path
from pdebench_lite.store.leases import Leases
leases = Leases(Path(sys.argv[1]))
time.sleep(max(0, float(sys.argv[2]) - time.time()))
print(sum(leases.take(str(i)) for i in range(40))); sys.stdout.flush(); sys.stdin.read()
"""


def crowd(script: str, root: Path) -> list[str]:
    """Run a script in four processes at once; returns what each printed."""
    start = str(time.time() + 2)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(root), start],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    first = [racer.stdout.readline() for racer in racers if racer.stdout]
    for racer in racers:
        racer.communicate("")
        assert racer.returncode == 0
    return first


@pytest.mark.parametrize("before", ["", NO_LOCKS], ids=["locks", "no locks"])
def test_one_at_a_time(tmp_path: Path, before: str) -> None:
    (tmp_path / "count").write_text("0")
    crowd(before + COUNT, tmp_path)
    assert (tmp_path / "count").read_text() == "160"
    assert {path.name for path in tmp_path.iterdir()} == {"count", ".lock"}


@pytest.mark.parametrize("before", ["", NO_LOCKS], ids=["locks", "no locks"])
def test_what_the_dead_had_goes_to_one_of_many(tmp_path: Path, before: str) -> None:
    """Each lease of a dead runner is taken over by one of those that see it at the same time."""
    crowd(before + TAKE.replace("sys.stdin.read()", "sys.exit()"), tmp_path)
    assert len(list(tmp_path.glob(".lease-*"))) == 40
    assert sum(int(line) for line in crowd(before + TAKE, tmp_path)) == 40


def test_threads_of_a_process_take_turns(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with locked(tmp_path):
                inside += 1
                most = max(most, inside)
                time.sleep(0.0005)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_the_lock_is_on_a_regular_file_that_is_open_for_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NFS has no other: a folder, which can only be read, gives EBADF there."""
    asked = []

    def lockf(handle: int, command: int) -> None:
        modes = fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE
        asked.append((os.readlink(f"/proc/self/fd/{handle}"), modes, command))

    monkeypatch.setattr(locks.fcntl, "lockf", lockf)
    with locked(tmp_path):
        pass
    assert asked == [(str(tmp_path / ".lock"), os.O_RDWR, fcntl.LOCK_EX)]
    assert (tmp_path / ".lock").stat().st_mode & 0o666 == tmp_path.stat().st_mode & 0o666 | 0o600


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without locks."""

    def lockf(handle: int, command: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(locks.fcntl, "lockf", lockf)


@pytest.mark.usefixtures("no_locks")
def test_a_file_system_without_locks_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "pdebench_lite"):
        for _ in range(3):
            with locked(tmp_path):
                assert (tmp_path / ".lock-held").exists()
    (line,) = caplog.messages
    assert line.startswith(f"pdebench: the file system of '{tmp_path}' has no locks")


@pytest.mark.usefixtures("no_locks")
def test_the_file_of_a_holder_that_died_is_removed(tmp_path: Path) -> None:
    for name in (".lock-held", ".lock-breaking"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1.0, 1.0))
    with locked(tmp_path):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {".lock"}


def test_other_errors_are_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lockf(handle: int, command: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(locks.fcntl, "lockf", lockf)
    with pytest.raises(OSError, match="Input/output error"), locked(tmp_path):
        pass
