"""The Python door: what `pdebench run` does, from a notebook."""

import math
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pdebench_lite.errors import PdebenchError
from pdebench_lite.listener import Listener
from pdebench_lite.plugins import Registry, registry
from pdebench_lite.records import RECORD, Record, Store, to_frame
from pdebench_lite.runner.device import devices_for, devices_of
from pdebench_lite.runner.inputs import check_inputs
from pdebench_lite.runner.schedule import Scheduler
from pdebench_lite.states import RERUN
from pdebench_lite.study import Budget, Cell, Dtype, make_cells, parse_duration, parse_size

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_RESULTS = "results/runs"


def plan(
    known: Registry,
    problem: str,
    methods: str,
    backend: str = "all",
    seeds: Iterable[int] = (0,),
    budget: Budget | None = None,
    device: str = "auto",
    dtype: Dtype = "float64",
) -> tuple[list[Cell], dict[str, str]]:
    """Return the cells of a study and the device of each backend.

    Raises:
        PdebenchError: anything that was asked for does not exist or is not installed.
    """
    backends = [b.strip() for b in backend.split(",") if b.strip()]
    for name in backends:
        if name != "all":
            known.backend(name)
    devices = devices_for(known, device, backends)
    cells = make_cells(
        known, problem, methods, backends, seeds, budget, dtype,
        lambda name: devices[name].partition(":")[0],
    )  # fmt: skip
    return cells, devices


def execute(
    known: Registry,
    cells: list[Cell],
    devices: dict[str, str],
    results: str | os.PathLike[str] = DEFAULT_RESULTS,
    rerun: frozenset[str] = frozenset(),
    listener: Listener | None = None,
    jobs: int = 1,
) -> list[Record]:
    """Run the cells that have no record yet; returns the records of all, in order.

    Args:
        known: where methods and problems are looked up.
        cells: the cells.
        devices: backend -> device.
        results: results folder; several runners may share it.
        rerun: which cells with a record are run again: of `failed`, `stale`, `all`.
        listener: hears of the progress.
        jobs: cells at a time; the processors are divided between them.

    Raises:
        PdebenchError: a file that a cell would read cannot be used, or the results folder cannot be
            written.
    """
    store = Store(results)
    check_inputs(known, (c for c in cells if rerun or not (store.folder(c.hash) / RECORD).exists()))
    gpus = _gpus(known, devices) if jobs > 1 else ()
    scheduler = Scheduler(
        store, known, devices, rerun, listener or Listener(), jobs, gpus
    )  # fmt: skip
    return scheduler.run(cells)


def _gpus(known: Registry, devices: Mapping[str, str]) -> tuple[str, ...]:
    """Return the GPUs that cells may share out among themselves: the one named, or all seen."""
    named = {device for device in devices.values() if device not in ("cpu", "cuda")}
    if named or "cuda" not in devices.values():
        return tuple(sorted(named))
    seen = [devices_of(known.backend(n).runtime) for n, d in devices.items() if d == "cuda"]
    return tuple(device for device in max(seen, key=len) if device != "cpu")


def run(
    problem: str,
    methods: str,
    *,
    backend: str = "all",
    seeds: int | Iterable[int] = 1,
    max_time: float | str | None = None,
    max_steps: int | None = None,
    target_error: float | None = None,
    device: str = "auto",
    dtype: Dtype = "float64",
    results: str | os.PathLike[str] = DEFAULT_RESULTS,
    rerun: str = "",
    jobs: int = 1,
    max_memory: float | str | None = None,
    listener: Listener | None = None,
) -> "pd.DataFrame":
    """Run a study and return its records as a table, one row per cell.

    Args:
        problem: comma-separated selectors, such as `"burgers,burgers:forward[nu=0.02]"`.
        methods: comma-separated selectors, such as `"pinn[width=30],diffphys"`.
        backend: comma-separated names; `all` is every installed backend that a method has.
        seeds: a number of seeds (0 … n − 1) or the seeds themselves.
        max_time: charged seconds, or a text such as `"2m"`; 60 s if no limit is given.
        max_steps: optimiser steps.
        target_error: stop at this value of the headline metric.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        dtype: `float32` or `float64`.
        results: results folder.
        rerun: cells with a record that are run again: `failed`, `stale`, `all`, or several.
        jobs: cells at a time; the processors are divided between them.
        max_memory: bytes, or a text such as `"4GB"`, that the processes of a cell may hold.
        listener: hears of the progress.

    Returns:
        Columns as in `pdebench table --format json`, with one more for each metric.

    Raises:
        PdebenchError: anything that was asked for does not exist or is not installed.
    """
    known = registry()
    limit = parse_duration(max_time) if isinstance(max_time, str) else max_time
    memory = parse_size(max_memory) if isinstance(max_memory, str) else max_memory
    budget = make_budget(limit, max_steps, target_error, memory)
    chosen = range(seeds) if isinstance(seeds, int) else seeds
    cells, devices = plan(known, problem, methods, backend, chosen, budget, device, dtype)
    return to_frame(execute(known, cells, devices, results, parse_rerun(rerun), listener, jobs))


def parse_rerun(text: str) -> frozenset[str]:
    """Read which cells are run again, such as `failed,stale`.

    Raises:
        PdebenchError: a word is not one of `failed`, `stale`, `all`.
    """
    words = frozenset(word.strip() for word in text.split(",") if word.strip())
    for word in words - set(RERUN):
        raise PdebenchError(f"no --rerun '{word}'; write failed, stale or all")
    return words


def make_budget(
    max_time: float | None = None,
    max_steps: int | None = None,
    target_error: float | None = None,
    max_memory: float | None = None,
) -> Budget:
    """Check the limits of a cell: charged seconds, steps, headline error, bytes.

    Raises:
        PdebenchError: a limit is not positive and finite.
    """
    limits = {
        "max_time": max_time,
        "max_steps": max_steps,
        "target_error": target_error,
        "max_memory": max_memory,
    }
    for name, value in limits.items():
        if value is not None and not 0 < value < math.inf:
            raise PdebenchError(f"{name.replace('_', '-')}={value} must be positive and finite")
    return Budget.model_validate(limits)
