"""The Python door: what `pdebench run` does, from a notebook."""

import math
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pdebench_lite.errors import PdebenchError
from pdebench_lite.plugins import Registry, registry
from pdebench_lite.records import Record, Store, to_frame
from pdebench_lite.runner.device import resolve_devices
from pdebench_lite.runner.execute import Executor, Watch
from pdebench_lite.study import Budget, Cell, Dtype, make_cells, parse_duration

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_RESULTS = "results/runs"


class Listener:
    """What hears of a study's progress; the command line and `run` each have one."""

    def begin(self, cells: list[Cell]) -> None:
        """Hear which cells the study has."""

    def reuse(self, cell: Cell, record: Record) -> None:
        """Hear that a cell is done already."""

    def start(self, cell: Cell) -> None:
        """Hear that a cell begins."""

    def progress(self, cell: Cell, watch: Watch) -> None:
        """Hear, some times a second, how a cell goes."""

    def finish(self, cell: Cell, record: Record) -> None:
        """Hear that a cell has a record."""


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
    installed = known.installed_backends()
    devices = resolve_devices(known, device, [b for b in backends if b in installed] or installed)
    for name in installed:
        devices.setdefault(name, "cpu")
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
    rerun: bool = False,
    listener: Listener | None = None,
) -> list[Record]:
    """Run the cells that have no `ok` record yet; returns the records of all, in order."""
    ear = listener or Listener()
    store = Store(results)
    store.prepare()
    store.sweep()
    ear.begin(cells)
    records = []
    for cell in cells:
        done = None if rerun else store.get(cell.hash)
        if done is not None and done.status in ("ok", "unsupported"):
            ear.reuse(cell, done)
            records.append(done)
            continue
        ear.start(cell)
        heard: Callable[[Watch], None] = lambda watch, cell=cell: ear.progress(cell, watch)  # type: ignore[misc]  # noqa: E731
        record = Executor(store, known, devices, heard).run(cell)
        ear.finish(cell, record)
        records.append(record)
    return records


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
    rerun: bool = False,
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
        rerun: run cells again that have an `ok` record.
        listener: hears of the progress.

    Returns:
        Columns as in `pdebench table --format json`, with one more for each metric.

    Raises:
        PdebenchError: anything that was asked for does not exist or is not installed.
    """
    known = registry()
    limit = parse_duration(max_time) if isinstance(max_time, str) else max_time
    budget = make_budget(limit, max_steps, target_error)
    chosen = range(seeds) if isinstance(seeds, int) else seeds
    cells, devices = plan(known, problem, methods, backend, chosen, budget, device, dtype)
    return to_frame(execute(known, cells, devices, results, rerun, listener))


def make_budget(
    max_time: float | None, max_steps: int | None, target_error: float | None
) -> Budget:
    """Check the limits of a cell.

    Raises:
        PdebenchError: a limit is not positive and finite.
    """
    for name, value in (
        ("max-time", max_time), ("max-steps", max_steps), ("target-error", target_error)
    ):  # fmt: skip
        if value is not None and not 0 < value < math.inf:
            raise PdebenchError(f"{name}={value} must be positive and finite")
    return Budget(max_time=max_time, max_steps=max_steps, target_error=target_error)
