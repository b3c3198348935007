"""The parent's side of a cell: start the child, watch it, stop it, publish its record."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from pdebench_lite.errors import PdebenchError
from pdebench_lite.method import Method
from pdebench_lite.plugins import Registry
from pdebench_lite.problem import Task
from pdebench_lite.records import FIELDS, HISTORY, LOG, Record, Status, Store, record_of
from pdebench_lite.runner.child import ARRAYS, CELL, JOURNAL, OUTCOME
from pdebench_lite.runner.clock import CHARGED, PHASES
from pdebench_lite.runner.environment import environment, fingerprint, threads
from pdebench_lite.selectors import Selector, Settings
from pdebench_lite.study import Cell

SETUP_LIMIT = 300.0
SILENCE_LIMIT = 300.0
LOG_LIMIT = 4_000_000  # bytes
_POLL = 0.05
_GRACE = 3.0

Listener = Callable[["Watch"], None]


@dataclass
class Watch:
    """What the parent knows of a running child, from the events that it streams."""

    started: float = field(default_factory=time.time)
    phase: str = "setup"
    since: float = field(default_factory=time.time)
    heard: float = field(default_factory=time.time)
    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    progress: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    sees: dict[str, int | bool] = field(default_factory=dict)

    def take(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        self.heard = time.time()
        kind = event.pop("kind", "")
        if kind == "phase":
            self.spent[self.phase] += event["wall"] - self.since
            self.phase, self.since = event["name"], event["wall"]
        elif kind == "progress":
            self.progress = event
        elif kind == "history":
            self.history.append(event)
        elif kind == "sees":
            self.sees = event["sees"]

    def end(self) -> None:
        """Stop the clock of the phase that is running: the child has ended or will be stopped."""
        now = time.time()
        self.spent[self.phase] += now - self.since
        self.phase, self.since = "", now

    def seconds(self, *phases: str) -> float:
        """Return the wall seconds spent in phases until now."""
        running = time.time() - self.since if self.phase in phases else 0.0
        return sum(self.spent[phase] for phase in phases) + running


def overdue(watch: Watch, cell: Cell) -> str:
    """Say why a child must be stopped now; empty while it may go on."""
    if watch.phase == "setup" and not any(watch.spent[p] for p in CHARGED):
        setup = watch.seconds("setup")
        return f"set-up took over {SETUP_LIMIT:g} s" if setup > SETUP_LIMIT else ""
    limit = cell.budget.max_time
    if limit is not None and watch.seconds(*CHARGED) > limit + max(5.0, 0.2 * limit):
        return f"did not stop within {limit:g} s + max(5 s, 20%)"
    silent = time.time() - watch.heard > SILENCE_LIMIT
    if silent and (limit is None or watch.phase not in CHARGED):
        return f"no report for {SILENCE_LIMIT:g} s (phase {watch.phase})"
    return ""


class Executor:
    """Runs cells one after another, each in a child process of its own session.

    Args:
        store: where records go.
        registry: where methods and problems are looked up.
        devices: backend -> device, such as `cuda:0`.
        listener: called some times a second with the state of the running child.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        devices: dict[str, str],
        listener: Listener = lambda watch: None,
    ) -> None:
        self.store, self.registry = store, registry
        self.devices, self.listener = devices, listener

    def run(self, cell: Cell) -> Record:
        """Run a cell and publish its record.

        Raises:
            PdebenchError: the results folder cannot be written.
            KeyboardInterrupt: stopped by the user; the child is gone and nothing is published.
        """
        try:
            return self._run(cell)
        except OSError as error:
            raise PdebenchError(f"cannot keep the record of {cell.title}: {error}") from error

    def _run(self, cell: Cell) -> Record:
        task = self.registry.task(Selector(cell.problem, cell.task, cell.problem_params))
        method, config = self.registry.configured(Selector(cell.method, "", cell.config))
        workspace = self.store.workspace(cell.hash)
        described, digest = environment()
        self.store.keep_environment(described, digest)
        modules = [
            type(task.problem).__module__,
            type(task).__module__,
            method.Config.__module__,
            method.supports.__module__,
            *method.solvers.values(),
        ]
        facts: dict[str, Any] = {
            "ranked": list(task.ranked),
            "environment": digest,
            "fingerprint": fingerprint(modules),
            "threads": threads(),
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            status, reason = _refusal(cell, task, method, config)
            if status is None:
                record = self._run_child(cell, workspace, facts)
            else:
                (workspace / LOG).write_text(reason + "\n")
                record = record_of(cell, status, reason, **facts)
            self.store.publish(record, workspace)
        finally:
            shutil.rmtree(workspace, ignore_errors=True)
        return record

    def _run_child(self, cell: Cell, workspace: Path, facts: dict[str, Any]) -> Record:
        device = self.devices[cell.backend]
        start = {
            "cell": cell.model_dump(mode="json"),
            "device": device,
            "spawned": time.time(),
            "runner": os.getpid(),
        }
        (workspace / CELL).write_text(json.dumps(start))
        with (workspace / LOG).open("ab") as log, _compiler_cache() as caches:
            child = subprocess.Popen(  # -P: a `torch.py` where the user stands is not meant
                [sys.executable, "-P", "-m", "pdebench_lite.runner.child", str(workspace)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **_settings(cell), **caches},
            )
            watch, began = Watch(), time.perf_counter()
            try:
                reason = self._watch(child, cell, watch, workspace)
            finally:
                _stop_group(child)
        _shorten(workspace / LOG)
        outcome = _read_outcome(workspace)
        if outcome is None or reason:
            outcome = _outcome_of_the_dead(child.returncode, reason, watch)
        layout = outcome.pop("layout", {})
        facts["wall_s"] = round(time.perf_counter() - began, 3)
        try:
            _write_history(workspace, watch.history)
            _write_fields(workspace, layout, cell)
            return record_of(cell, **outcome, **facts)
        except (ValueError, TypeError, KeyError) as error:  # what a plugin made cannot be stored
            text = " ".join(str(error).split())
            return record_of(cell, "crashed", f"cannot store the result: {text}"[:500], **facts)
        finally:
            for name in (CELL, JOURNAL, OUTCOME, ARRAYS):
                (workspace / name).unlink(missing_ok=True)

    def _watch(
        self, child: "subprocess.Popen[bytes]", cell: Cell, watch: Watch, workspace: Path
    ) -> str:
        """Follow a child until it ends; returns why it had to be stopped, or nothing."""
        events = _follow(workspace / JOURNAL)
        while True:
            ended = child.poll() is not None
            for event in next(events):
                watch.take(event)
            self.listener(watch)
            reason = "" if ended else overdue(watch, cell)
            if ended or reason:
                watch.end()
                return reason
            _shorten(workspace / LOG)
            try:
                child.wait(_POLL)
            except subprocess.TimeoutExpired:
                continue


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


def _shorten(log: Path) -> None:
    """Keep beginning and end of a log that has grown beyond measure; its writers append."""
    size = log.stat().st_size
    if size > LOG_LIMIT:
        with log.open("r+b") as file:
            file.seek(size - LOG_LIMIT // 4)
            end = file.read(LOG_LIMIT // 4)
            file.truncate(LOG_LIMIT // 2)
        with log.open("ab") as file:
            file.write(b"\n[... output left out: the log has over %d bytes ...]\n" % LOG_LIMIT)
            file.write(end)


def _follow(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield, each time, the events that were added to a file since in complete lines."""
    offset, rest = 0, b""
    while True:
        events = []
        if path.exists():
            with path.open("rb") as file:
                file.seek(offset)
                chunk = file.read()
            offset += len(chunk)
            *lines, rest = (rest + chunk).split(b"\n")
            events = [event for event in map(_event, lines) if event]
        yield events


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:  # a plugin that forks may write into its parent's line
        return None
    return event if isinstance(event, dict) else None


def _settings(cell: Cell) -> dict[str, str]:
    """Environment of a child: precision and memory policy of the backends, no stray plots."""
    return {
        "JAX_ENABLE_X64": "1" if cell.dtype == "float64" else "0",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "MPLBACKEND": "agg",
        # Threads that spin while they wait make small steps several times slower on a busy machine.
        "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
    }


@contextmanager
def _compiler_cache() -> Iterator[dict[str, str]]:
    """Make a fresh compiler cache for each cell, or compile times are lies."""
    with tempfile.TemporaryDirectory(prefix="pdebench-compiler-") as folder:
        yield {"TORCHINDUCTOR_CACHE_DIR": folder, "JAX_ENABLE_COMPILATION_CACHE": "0"}


def _stop_group(child: "subprocess.Popen[bytes]") -> None:
    """End a child and everything it started: politely, then not."""
    if child.poll() is None:
        _signal_group(child.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            child.wait(_GRACE)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return


def _read_outcome(workspace: Path) -> dict[str, Any] | None:
    try:
        return json.loads((workspace / OUTCOME).read_text())
    except (OSError, ValueError):
        return None


def _outcome_of_the_dead(code: int, reason: str, watch: Watch) -> dict[str, Any]:
    """Make an outcome for a child that left none, from what it had streamed."""
    status: Status = "timeout" if reason else "crashed"
    if not reason:
        name = _signal_name(-code) if code < 0 else ""
        reason = f"the process was killed by {name}" if name else f"the process exited with {code}"
        if name == "SIGKILL":
            reason += " (the kernel does that when memory runs out)"
    last = watch.history[-1] if watch.history else {}
    latest = {**last, **watch.progress}
    return {
        "status": status,
        "reason": reason,
        "sees": watch.sees,
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


def _write_history(workspace: Path, history: list[dict[str, Any]]) -> None:
    """Write the history as Parquet; columns that were never set stay null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = ["step", "evaluations", "charged_s", "loss", "peak_host_mb"]
    names = [*first, *sorted({k for row in history for k in row} - set(first))]
    kinds = {"step": pa.int64(), "evaluations": pa.int64()}
    columns = {
        name: pa.array([row.get(name) for row in history], type=kinds.get(name, pa.float64()))
        for name in names
    }
    pq.write_table(pa.table(columns), workspace / HISTORY)


def _write_fields(workspace: Path, layout: dict[str, Any], cell: Cell) -> None:
    """Write the arrays that the child left as NetCDF with named dimensions and units."""
    if not layout:
        return
    import xarray as xr

    with np.load(workspace / ARRAYS) as arrays:
        variables = {name: (dims, arrays[name], attrs) for name, (dims, attrs) in layout.items()}
    coords = {name: v for name, v in variables.items() if v[0] == [name]}
    data = {name: v for name, v in variables.items() if name not in coords}
    about = {
        "cell": cell.hash,
        "problem": cell.problem_label,
        "method": cell.label,
        "backend": cell.backend,
        "seed": cell.seed,
    }
    dataset = xr.Dataset(data, coords, about)
    compressed = {name: {"zlib": True, "complevel": 4} for name in data}
    dataset.to_netcdf(workspace / FIELDS, engine="h5netcdf", encoding=compressed)
