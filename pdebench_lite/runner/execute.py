"""The parent's side of a cell: start the child, watch it, stop it, publish its record."""

import errno
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pdebench_lite import data_files
from pdebench_lite.errors import PdebenchError
from pdebench_lite.files import FULL
from pdebench_lite.measure.clock import CHARGED, PHASES
from pdebench_lite.problem import Task
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.registry.method import Method
from pdebench_lite.runner import attempts
from pdebench_lite.runner.artifacts import shorten, write_fields, write_history
from pdebench_lite.runner.at_work import announced
from pdebench_lite.runner.attempts import ATTEMPT, ATTEMPTS, Attempt
from pdebench_lite.runner.child import ARRAYS, JOURNAL, NO_ROOM, OUTCOME
from pdebench_lite.runner.environment import environment, load_average, threads
from pdebench_lite.runner.identity import fingerprint_of
from pdebench_lite.runner.processes import (
    STOPS,
    compiler_cache,
    memory_bytes,
    memory_kills,
    spawn,
    stop,
    wait_for,
)
from pdebench_lite.runner.shell import blamed, passed_on
from pdebench_lite.runner.watch import Watch, follow, overdue
from pdebench_lite.selectors import Selector, Settings
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.checkpoints import discard_checkpoint, read_checkpoint
from pdebench_lite.store.leases import Leases
from pdebench_lite.store.records import LEFT, LOG, START, Record, Status, Store, record_of
from pdebench_lite.version import VERSION

_POLL = 0.1  # seconds between looks at a child: they take time of the processors that it uses
_POLL_MEMORY = 0.05  # where its memory is limited
_NOTICE = 1.0  # seconds in which a signal to the whole job has reached this process too
_MB = 1e6
_BLAMED = ("crashed", "timeout", "out-of-memory")  # a variable of the shell may be why

Listener = Callable[[Watch], None]


class Stopped(Exception):  # noqa: N818 - no error: the user wished it
    """The runner was asked to stop; the cell goes on with the next run."""


class NoRoom(OSError):  # noqa: N818 - as Python names its own
    """A child could not write: the disk is full; the cell goes on with the next run."""


class TakenOver(Exception):  # noqa: N818 - no error: the other runner's result counts
    """Another runner took the cell over while this one was silent; its result counts."""


@dataclass(frozen=True)
class Slot:
    """Where a cell may run.

    Attributes:
        cores: processors that it may use; empty for all that the runner may use.
        device: `cuda:N` in place of the GPU that was resolved; empty to leave it.
    """

    cores: tuple[int, ...] = ()
    device: str = ""


class Executor:
    """Runs one cell after another, each in a child process of its own session.

    Args:
        store: where records go.
        registry: where methods and problems are looked up.
        devices: backend -> device, such as `cuda:0`.
        leases: those of this runner; None where nobody else can be at work.
        listener: called some times a second with the state of the running child.
        slot: processors and GPU of this executor's cells.
        stopping: set when the runner shall stop.
        concurrency: returns how many cells run on this machine now.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        devices: dict[str, str],
        leases: Leases | None = None,
        listener: Listener = lambda watch: None,
        slot: Slot = Slot(),
        stopping: threading.Event | None = None,
        concurrency: Callable[[], int] = lambda: 1,
    ) -> None:
        self.store, self.registry, self.devices = store, registry, devices
        self.leases, self.listener, self.slot = leases, listener, slot
        self.stopping = stopping or threading.Event()
        self.concurrency = concurrency
        self._most = 1

    def run(self, cell: Cell) -> Record:
        """Run a cell and publish its record.

        Raises:
            PdebenchError: the results folder cannot be written.
            Stopped: the runner was asked to stop; the child is gone and nothing is published.
            TakenOver: another runner has the cell now; nothing is published.
        """
        try:
            return self._run(cell)
        except OSError as error:
            if self.leases is not None and not self.leases.holds(cell.hash):
                raise TakenOver from error
            reason = error.strerror or error
            remedy = "; make room, then run again" if error.errno in FULL else ""
            raise PdebenchError(
                f"cannot keep the record of {cell.title}: {reason}{remedy}"
            ) from error

    def _run(self, cell: Cell) -> Record:
        task = self.registry.task(Selector(cell.problem, cell.task, cell.problem_params))
        method, config = self.registry.configured(Selector(cell.method, "", cell.config))
        described, digest = environment()
        self.store.keep_environment(described, digest)
        facts: dict[str, Any] = {
            "ranked": list(task.ranked),
            "environment": digest,
            "fingerprint": fingerprint_of(self.registry, cell),
            "processors": (given := len(self.slot.cores) or threads()),
            "threads": given,  # unless the child measures another number
            "variables": passed_on(cell.backend),
            "load_start": load_average(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        files = data_files.places([cell.problem_params, cell.config])
        workspace = self.store.workspace(cell.hash)
        try:
            status, reason = _refusal(cell, task, method, config)
            if status is None:
                record = self._attempts(cell, workspace, facts, files)
                data_files.check_unchanged(files)
                _leave_out_folders(workspace / LOG, cell)
            else:
                (workspace / LOG).write_text(reason + "\n", encoding="utf-8")
                record = record_of(cell, status, reason, **facts)
            if self.store.publish(record, workspace, self.leases) is None:
                raise TakenOver
        except BaseException as error:
            if isinstance(error, Stopped | KeyboardInterrupt) or (
                isinstance(error, NoRoom) and read_checkpoint(workspace) is not None
            ):
                with suppress(OSError):
                    (workspace / LEFT).touch()  # the next run goes on from there
            else:
                shutil.rmtree(workspace, ignore_errors=True)
            raise
        return record

    # ---- attempts: a child that is killed goes on from its last checkpoint ---------------------

    def _attempts(
        self, cell: Cell, workspace: Path, facts: dict[str, Any], files: Mapping[str, Any]
    ) -> Record:
        fingerprint = facts["fingerprint"]
        left = [folder for folder in self.store.unfinished(cell.hash) if folder != workspace]
        attempt = attempts.inherit(left, workspace, fingerprint)
        if attempt.lost >= ATTEMPTS:
            facts |= {"resumed": attempt.resumed, "restarted": attempt.restarted}
            facts["wall_s"] = round(attempt.wall_s, 3)
            outcome = _lost(attempt)
            (workspace / LOG).write_text(f"{outcome['reason']}\n", encoding="utf-8")
            return self._record(cell, workspace, outcome, facts)
        while True:
            attempts.begin(workspace, attempt)
            outcome, killed = self._attempt(cell, workspace, facts, attempt, files)
            if not killed or attempt.lost + 1 >= ATTEMPTS:
                return self._record(cell, workspace, outcome, facts)
            spent = facts["wall_s"] - attempt.wall_s
            attempt = attempts.go_on(workspace, workspace, fingerprint, spent)

    def _attempt(
        self,
        cell: Cell,
        workspace: Path,
        facts: dict[str, Any],
        attempt: Attempt,
        files: Mapping[str, Any],
    ) -> tuple[dict[str, Any], bool]:
        """Run the child once; returns its outcome, and whether something outside killed it.

        Raises:
            Stopped: the runner was asked to stop, or what killed the child was sent to both.
        """
        device = self.devices[cell.backend]
        if device == "cuda":
            device = self.slot.device or "cuda:0"
        start = {
            "cell": cell.model_dump(mode="json"),
            "device": device,
            "spawned": time.monotonic(),
            "runner": os.getpid(),
            "cores": list(self.slot.cores),
            "resumed": attempt.resumed,
            "version": VERSION,
            "files": files,
        }
        (workspace / START).write_text(json.dumps(start))
        (workspace / OUTCOME).unlink(missing_ok=True)
        kills, began = memory_kills(), time.perf_counter()
        watch = Watch()
        with (workspace / LOG).open("ab") as log, compiler_cache() as caches, announced():
            child = spawn(workspace, cell, log.fileno(), facts["processors"], caches)
            try:
                status, reason = self._watch(child, cell, watch, workspace)
            finally:
                stop(child, workspace)
        shorten(workspace / LOG)
        facts["wall_s"] = round(attempt.wall_s + time.perf_counter() - began, 3)
        facts["concurrency"] = max(facts.get("concurrency", 1), self._most)
        facts["load_end"] = load_average()
        facts |= {"resumed": attempt.resumed, "restarted": attempt.restarted}
        if child.returncode == NO_ROOM:
            raise NoRoom(errno.ENOSPC, "no room on the disk, in the quota or under 'ulimit -f'")
        outcome = _read_outcome(workspace)
        if outcome is None or status:
            stops = not status and -child.returncode in STOPS
            if stops and self.stopping.wait(_NOTICE):  # the signal was sent to the whole job
                raise Stopped
            ran_out = memory_kills() > kills
            killed = not status and not ran_out and child.returncode in (-signal.SIGKILL, -15)
            outcome = _outcome_of_the_dead(child.returncode, status, reason, ran_out, watch)
        else:
            killed = False
        if outcome["status"] in _BLAMED:
            outcome["reason"] = blamed(outcome["reason"], facts["variables"], workspace / LOG)
        outcome["history"] = watch.history
        return outcome, killed

    def _record(
        self, cell: Cell, workspace: Path, outcome: dict[str, Any], facts: dict[str, Any]
    ) -> Record:
        layout, history = outcome.pop("layout", {}), outcome.pop("history")
        try:
            write_history(workspace, history)
            write_fields(workspace, workspace / ARRAYS, layout, cell)
            return record_of(cell, **{**facts, **outcome})
        except (ValueError, TypeError, KeyError) as error:  # what a plugin made cannot be stored
            text = " ".join(str(error).split())
            return record_of(cell, "crashed", f"cannot store the result: {text}"[:500], **facts)
        finally:
            for name in (START, JOURNAL, OUTCOME, ARRAYS, ATTEMPT):
                (workspace / name).unlink(missing_ok=True)
            discard_checkpoint(workspace)

    def _watch(
        self, child: "subprocess.Popen[bytes]", cell: Cell, watch: Watch, workspace: Path
    ) -> tuple[Status | None, str]:
        """Follow a child until it ends; returns why it had to be stopped, or nothing.

        Raises:
            Stopped: the runner was asked to stop.
        """
        events = follow(workspace / JOURNAL)
        while True:
            ended = child.poll() is not None
            for event in next(events):
                watch.take(event)
            self._most = max(self._most, self.concurrency())
            self.listener(watch)
            reason = "" if ended else overdue(watch, cell)
            status: Status | None = "timeout" if reason else None
            limit = cell.budget.max_memory
            if not ended and limit is not None and (used := memory_bytes(child)) > limit:
                status = "out-of-memory"
                reason = f"used {used / _MB:.0f} MB, above --max-memory {limit / _MB:.0f} MB"
            if ended or reason:
                watch.end()
                return status, reason
            if self.stopping.is_set():
                raise Stopped
            shorten(workspace / LOG)
            wait_for(child, _POLL if limit is None else _POLL_MEMORY)


def _refusal(cell: Cell, task: Task, method: Method, config: Settings) -> tuple[Status | None, str]:
    """Say why a cell is not started, if it is not."""
    if cell.backend not in method.solvers:
        return "unsupported", f"no {cell.backend} solver; it has: {', '.join(method.solvers)}"
    try:
        support = method.supports(task, config)
        return (None, "") if support.ok else ("unsupported", support.reason)
    except Exception as error:  # a stranger's plugin never takes us down
        text = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return "crashed", f"supports of {method.name} failed: {text}"[:500]


def _lost(attempt: Attempt) -> dict[str, Any]:
    """Make an outcome for a cell that took its runners down with it."""
    reason = (
        f"its runner was killed while it ran, {attempt.lost} times in a row (a job that runs out "
        "of memory is killed whole); run it again with --rerun failed"
    )
    return {"status": "crashed", "reason": reason, "history": []}


def _leave_out_folders(log: Path, cell: Cell) -> None:
    """Let a log, whose end others may be shown, name data files without their folders."""
    if not log.exists():  # nothing was started
        return
    text = log.read_text(encoding="utf-8", errors="surrogateescape")
    shown = data_files.without_folders(text, [cell.problem_params, cell.config])
    if shown != text:
        log.write_text(shown, encoding="utf-8", errors="surrogateescape")


def _read_outcome(workspace: Path) -> dict[str, Any] | None:
    try:
        return json.loads((workspace / OUTCOME).read_text())
    except (OSError, ValueError):
        return None


def _outcome_of_the_dead(
    code: int, status: Status | None, reason: str, ran_out: bool, watch: Watch
) -> dict[str, Any]:
    """Make an outcome for a child that left none, from what it had streamed."""
    if ran_out and not status:
        status, reason = "out-of-memory", "the kernel killed the process: memory ran out"
    if not status:
        status = "crashed"
        name = _signal_name(-code) if code < 0 else ""
        reason = f"the process was killed by {name}" if name else f"the process exited with {code}"
        if name == "SIGKILL":
            reason += f", {ATTEMPTS} times"
    last = watch.history[-1] if watch.history else {}
    latest = {**last, **watch.progress}
    return {
        "status": status,
        "reason": reason,
        "sees": watch.sees,
        "steal": watch.steal,
        "waited": watch.waited,
        "steps": latest.get("step"),
        "evaluations": last.get("evaluations"),
        "peak_host_mb": last.get("peak_host_mb"),
        **{f"{phase}_s": round(watch.seconds(phase), 3) for phase in PHASES},
        "charged_s": round(watch.seconds(*CHARGED), 3),
    }


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
