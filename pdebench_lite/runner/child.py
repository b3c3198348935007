"""The child process: runs one cell and leaves its outcome in a workspace for the parent.

Started as `python -m pdebench_lite.runner.child WORKSPACE`; the workspace holds `cell.json`.
"""

import importlib
import json
import math
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pdebench_lite import data_files
from pdebench_lite.errors import DivergedError, PdebenchError, UnsupportedError
from pdebench_lite.files import FULL
from pdebench_lite.measure import nvml
from pdebench_lite.measure.clock import PHASES, Clock
from pdebench_lite.measure.energy import EnergyMeter, gpu, rapl
from pdebench_lite.measure.memory import MemoryMeter
from pdebench_lite.measure.steal import StealMeter
from pdebench_lite.metrics import bands, error_profile
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner import host
from pdebench_lite.runner.processes import settle_in
from pdebench_lite.runner.run import Journal, Judge, Run, phase_hook
from pdebench_lite.runner.streams import data_stream
from pdebench_lite.runner.waiting import WaitMeter
from pdebench_lite.selectors import Selector
from pdebench_lite.store.arrays import save_arrays
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.checkpoints import read_checkpoint
from pdebench_lite.store.records import START, WEIGHTS
from pdebench_lite.tasks.field import FieldEvaluation

JOURNAL, OUTCOME, ARRAYS = "journal.jsonl", "outcome.json", "arrays.npz"
NO_ROOM = 74  # exit status of a child that could not write: EX_IOERR


def _import_solver(path: str) -> Callable[[View, Run], Solution]:
    module, _, function = path.partition(":")
    return getattr(importlib.import_module(module), function)


def main(workspace: Path) -> None:
    """Run the cell described in a workspace and leave its outcome there."""
    start = json.loads((workspace / START).read_text())
    settle_in(start["runner"], start["cores"])
    cell, device = Cell.model_validate(start["cell"]), start["device"]
    # Opened now, because a method may use up every file handle that there is.
    written = (workspace / OUTCOME).open("w", encoding="utf-8")
    journal, memory = Journal(workspace / JOURNAL), MemoryMeter()
    journal.write("phase", name="setup", wall=time.monotonic())
    outcome: dict[str, Any] = {"status": "ok", "reason": ""}
    runtime: Any = None
    energy = EnergyMeter([*rapl(), *gpu(device)])
    steal, waiting = StealMeter(), WaitMeter()
    hook = phase_hook(memory, journal, energy, steal, waiting)
    clock = Clock(on_change=hook, elapsed=time.monotonic() - start["spawned"])
    run: Run | None = None
    view: View | None = None
    try:
        data_files.learn(start["files"])
        known = registry()
        task = known.task(Selector(cell.problem, cell.task, cell.problem_params))
        method, config = known.configured(Selector(cell.method, "", cell.config))
        runtime = importlib.import_module(known.backend(cell.backend).runtime)
        runtime.prepare(device, cell.dtype)
        solve = _import_solver(method.solvers[cell.backend])
        clock.synchronize = runtime.synchronize
        streams = data_stream(cell)
        view = View(task, streams, lambda sees: journal.write("sees", sees=dict(sees)))
        judge = Judge(task, known.metrics_for(task), task.observations(streams("observations")))
        checkpoint = read_checkpoint(workspace)
        run = Run(cell, judge, config, device, clock, memory, journal, checkpoint, energy)
        runtime.reset_device_peak()
        with clock.phase("train"):
            solution = solve(view, run)
        if not isinstance(solution, Solution):
            raise TypeError(f"solve returned {type(solution).__name__}, which is not a Solution")
        cut_off = _cut_off(run, solution, cell)
        if cut_off:
            outcome.update(status="timeout", reason=cut_off)
            judge = judge.ranked_only()
        run.finish(solution)
        outcome.update(_score(judge, clock, solution, workspace))
    except UnsupportedError as error:
        outcome.update(status="unsupported", reason=_line(error))
    except DivergedError as error:
        outcome.update(status="diverged", reason=_line(error))
    except (Exception, SystemExit) as error:
        if isinstance(error, OSError) and error.errno in FULL:
            raise  # not the method's fault
        lost = isinstance(error, MemoryError) or (
            runtime is not None and runtime.is_out_of_memory(error)
        )
        kind = "" if isinstance(error, PdebenchError) else f"{type(error).__name__}: "
        reason = f"{kind}{_line(error)}"
        outcome.update(status="out-of-memory" if lost else "crashed", reason=reason)
        traceback.print_exc()
    clock.read()
    if runtime is not None:
        peak = runtime.device_peak_bytes()
        outcome["peak_device_mb"] = None if peak is None else round(peak / 1e6, 3)
        held = nvml.process_bytes(device)
        outcome["process_device_mb"] = None if held is None else round(held / 1e6, 3)
        outcome["device_name"] = runtime.device_name()
        outcome.update(_parallel(runtime))
    if run is not None:
        outcome.update(
            steps=run.steps,
            evaluations=run.evaluations,
            costs=dict(run.costs),
            target_reached=run.target_reached,
        )
    if view is not None:
        outcome["sees"] = view.sees
    outcome.update({f"{phase}_s": round(clock.spent[phase], 6) for phase in PHASES})
    outcome["charged_s"] = round(clock.charged, 6)
    outcome["peak_host_mb"] = memory.peak_mb("train")
    if not start["resumed"]:  # what an earlier process used is not known
        outcome["energy_j"] = energy.stop()
    steal.stop()
    waiting.stop()
    outcome["steal"], outcome["waited"] = steal.share, waiting.share
    outcome["compile_peak_host_mb"] = memory.peak_mb("compile")
    written.write(json.dumps(plain(outcome)))
    written.close()


def _parallel(runtime: Any) -> dict[str, Any]:
    """Say how many processors this process may use, and how many threads its libraries have."""
    own: dict[str, int] = getattr(runtime, "pools", dict)()  # a stranger's runtime may not say
    pools = {**own, **host.pools()}
    used = {"threads": next(iter(pools.values()))} if pools else {}
    if hasattr(os, "sched_getaffinity"):
        pools["affinity"] = len(os.sched_getaffinity(0))
    return {**used, "pools": pools}


def _cut_off(run: Run, solution: Solution, cell: Cell) -> str:
    """Say that the budget ended before there was an answer; empty where there is one."""
    budget = cell.budget
    limits = [] if budget.max_time is None else [f"{budget.max_time:g} s"]
    limits += [] if budget.max_steps is None else [f"{budget.max_steps} steps"]
    ended = f"the budget of {' or '.join(limits)} ended" if limits else "it ended"
    if solution.unfinished and not run.target_reached:
        return f"{ended}: {solution.unfinished}"
    if run.steps or not run.budget_ended:
        return ""
    return f"{ended} before the first step; give more, with --max-time or --max-steps"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:500] or "no message"


def plain(value: Any) -> Any:
    """Return JSON values: NumPy numbers become Python's, what is not finite null, the rest text."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _score(judge: Judge, clock: Clock, solution: Solution, workspace: Path) -> dict[str, Any]:
    """Score the last state on the final grid and leave arrays and weights in the workspace."""
    asked = 0

    def predict(query: dict[str, Any]) -> dict[str, np.ndarray]:
        nonlocal asked
        asked += 1
        if asked > 1:  # metrics that look elsewhere: evaluation
            return solution.predict(query)
        with clock.phase("predict"):
            return solution.predict(query)

    with clock.phase("evaluate"):
        timed = replace(solution, predict=predict)
        evaluation = judge.task.evaluate(timed, "final", judge.observations)
        scores = judge.score(evaluation)
        arrays = evaluation.arrays()
        layout = {name: (list(dims), attrs) for name, (dims, _, attrs) in arrays.items()}
        save_arrays(workspace / ARRAYS, {name: values for name, (_, values, _) in arrays.items()})
        if solution.weights:
            save_arrays(workspace / WEIGHTS, solution.weights)
        result: dict[str, Any] = {
            "metrics": scores,
            "params": solution.parameters,
            "details": solution.details,
            "reference_bound": judge.task.reference_bound,
            "reference_kind": judge.task.reference_kind,
            "trivial_error": judge.trivial_error(evaluation),
            "layout": layout,
        }
        if isinstance(evaluation, FieldEvaluation):
            result["profile"] = error_profile(evaluation)
            result["bands"] = bands(evaluation)
            result["carried_bound"] = evaluation.carried.bound if evaluation.carried else None
    return result


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
        sys.stdout.flush()
    except OSError as full:
        if full.errno not in FULL:
            raise
        with suppress(OSError):  # the log cannot grow either
            traceback.print_exc()
        os._exit(NO_ROOM)
    os._exit(0)  # the outcome is written: a thread that a plugin left cannot hold us up
