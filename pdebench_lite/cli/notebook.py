"""`pdebench_lite.run`: what `pdebench run` does, from a notebook or a script."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pdebench_lite.cli.progress import make_listener
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import DEFAULT_RESULTS, execute, parse_rerun, plain, study_keys
from pdebench_lite.runner.listener import Listener
from pdebench_lite.runner.study.file import study_of
from pdebench_lite.runner.study.yaml_source import Source
from pdebench_lite.store.cell import Dtype
from pdebench_lite.store.records import to_frame

if TYPE_CHECKING:
    import pandas as pd

Texts: TypeAlias = str | Iterable[Any]


def run(
    problem: Texts,
    methods: Texts,
    *,
    backend: Texts = "all",
    seeds: Any = 1,
    max_time: float | str | None = None,
    max_steps: int | None = None,
    target_error: float | None = None,
    device: str = "auto",
    dtype: Dtype = "float64",
    results: str | os.PathLike[str] = DEFAULT_RESULTS,
    rerun: str | Iterable[str] = "",
    jobs: int = 1,
    max_memory: float | str | None = None,
    listener: Listener | None = None,
    quiet: bool = False,
) -> "pd.DataFrame":
    """Run a study and return its records as a table, one row per cell.

    Numbers may be NumPy's; several things may be a list, a tuple, a generator, an array or a
    pandas Series.

    Args:
        problem: selectors, such as `"burgers,burgers:forward[nu=0.02]"`, or several of them.
        methods: selectors, such as `"pinn[width=30],diffphys"` or `["pinn", "diffphys"]`.
        backend: names; `all` is every installed backend that a method has.
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
        listener: hears of the progress; by default it is shown, in a notebook as one output that
            is updated, on a terminal as bars, elsewhere as lines on stderr.
        quiet: show no progress.

    Returns:
        Columns as in `pdebench table --format json`, with one for each metric and one for each
        entry of what is nested there: `config.width`, `budget.max_time`, `sees.labels`.

    Raises:
        PdebenchError: anything that was asked for does not exist or is not installed.
    """
    known = registry()
    again = parse_rerun(rerun if isinstance(rerun, str) else ",".join(map(str, plain(rerun))))
    seeds = plain(seeds)
    given = study_keys(
        problem=problem,
        methods=methods,
        backend=backend,
        max_time=max_time,
        max_steps=max_steps,
        target_error=target_error,
        max_memory=max_memory,
        **{"seed" if isinstance(seeds, list) else "seeds": seeds},
        device=device,
        dtype=dtype,
        jobs=jobs,
    )
    jobs = given.pop("jobs")
    cells, devices = study_of(Source("", {}), given).plan(known)
    if listener is not None or quiet:
        records = execute(known, cells, devices, results, again, listener, jobs)
    else:
        with make_listener(Path(results)) as shown:
            records = execute(known, cells, devices, results, again, shown, jobs)
    return to_frame(records)
