"""Processes of a cell: how a child is started, measured, stopped, and what it may have left."""

import ctypes
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from pdebench_lite.runner.shell import for_child
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.leases import born, machine

# What asks a runner to stop: a terminal, a batch system before the end of a job, a user's limit.
STOPS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
)
_RUNNERS_OWN = (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)  # it ends us itself
_GRACE = 3.0  # seconds between SIGTERM and SIGKILL
_RUNNER, _CELL = "PDEBENCH_RUNNER", "PDEBENCH_WORKSPACE"


def spawn(
    workspace: Path, cell: Cell, log: int, threads: int, caches: dict[str, str]
) -> "subprocess.Popen[bytes]":
    """Start the child of a cell in a session of its own.

    Args:
        workspace: holds the description of the cell.
        cell: the cell.
        log: file descriptor that takes what the child prints.
        threads: of every library: the processors that the cell is given.
        caches: environment that names the compilers' caches.
    """
    return subprocess.Popen(  # -P: a `torch.py` where the user stands is not meant
        [sys.executable, "-P", "-m", "pdebench_lite.runner.child", str(workspace)],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={
            **for_child(cell, threads),
            **caches,
            _RUNNER: f"{machine()}:{os.getpid()}:{born(os.getpid())}",
            _CELL: str(workspace.resolve()),
        },
    )


@contextmanager
def compiler_cache() -> Iterator[dict[str, str]]:
    """Make a fresh compiler cache for each cell, or compile times are lies."""
    with tempfile.TemporaryDirectory(prefix="pdebench-compiler-", ignore_cleanup_errors=True) as it:
        yield {"TORCHINDUCTOR_CACHE_DIR": it}


def settle_in(runner: int, cores: list[int]) -> None:
    """Tie this process, a cell's child, to its runner and to its processors.

    Linux kills it when the runner dies, however that dies, and takes it first when memory runs out.
    What a batch system sends to a whole job, to announce its end, is for the runner.
    """
    for number in _RUNNERS_OWN:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        if os.getppid() != runner:  # it died while we started
            os._exit(1)
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)


def memory_bytes(child: "subprocess.Popen[bytes]") -> int:
    """Return the resident memory of a child and what it started; shared pages count once."""
    private = shared = 0
    with suppress(psutil.Error):
        parent = psutil.Process(child.pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.Error):
                used = process.memory_info()
                common = getattr(used, "shared", 0)
                private, shared = private + used.rss - common, max(shared, common)
    return private + shared


def wait_for(child: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait until a child ends, at most some seconds; asleep all the time where the kernel tells."""
    try:
        handle = os.pidfd_open(child.pid)
    except (AttributeError, OSError):  # no Linux, or a sandbox that forbids it
        with suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
        return
    try:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.poll(1000 * seconds)
    finally:
        os.close(handle)


def stop(child: "subprocess.Popen[bytes]", workspace: Path) -> None:
    """End a child and everything it started: politely, then not."""
    if child.poll() is None:
        _signal_group(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()
    place = str(workspace.resolve())
    _kill_all(lambda environment: environment.get(_CELL) == place)


def kill_orphans() -> None:
    """End what children left behind whose runner was killed: they may have left its session.

    Those of other containers are seen from outside under ids that mean nothing here: they stay.
    """

    def orphaned(environment: dict[str, str]) -> bool:
        where, _, process = environment.get(_RUNNER, "").partition(":")
        pid, _, started = process.partition(":")
        return where == machine() and pid.isdigit() and born(int(pid)) != started

    _kill_all(orphaned)


def _kill_all(chosen: Callable[[dict[str, str]], bool]) -> None:
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.pid != os.getpid() and chosen(process.environ()):
                process.kill()


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def memory_kills() -> int:
    """Return how often the kernel has killed a process of ours because memory ran out."""
    count = 0
    for path, key in (
        (Path("/proc/vmstat"), "oom_kill "),
        (Path("/sys/fs/cgroup/memory.events"), "oom_kill "),
    ):
        with suppress(OSError):
            lines = [x for x in path.read_text().splitlines() if x.startswith(key)]
            count += sum(int(line.split()[1]) for line in lines)
    return count
