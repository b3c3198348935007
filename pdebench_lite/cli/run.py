"""`pdebench run`: race methods on problems."""

from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.cli._options import DEFAULT_RESULTS, Results, split_names
from pdebench_lite.errors import PdebenchError

EXAMPLES = """\b
Examples:
  pdebench run --problem burgers --methods mlp,pinn,diffphys --max-time 30s
  pdebench run --problem "burgers:forward[nu=0.02]" --methods "pinn[width=30],etdrk4"
  pdebench run --problem "burgers[ic=random,noise=0.01]" --methods pinn --backend jax --seeds 3
What there is to choose from: pdebench list problems -v, pdebench list methods -v
"""


def run(
    problem: Annotated[
        str, typer.Option(metavar="P[,P2:task]", help="Problems: name[:task][key=value,…].")
    ],
    methods: Annotated[str, typer.Option(metavar="M[,M2]", help="Methods: name[key=value,…].")],
    backend: Annotated[
        str, typer.Option(help="torch, jax, numpy, or all that are installed.")
    ] = "all",
    max_time: Annotated[
        str | None,
        typer.Option(metavar="30s|2m|1h", help="Charged time per cell; 60s if nothing is given."),
    ] = None,
    max_steps: Annotated[
        int | None, typer.Option(metavar="N", help="Optimiser steps per cell.")
    ] = None,
    target_error: Annotated[
        float | None, typer.Option(metavar="E", help="Stop a cell at this headline error.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Run seeds 0 … N-1.")] = None,
    seed: Annotated[str | None, typer.Option(metavar="S[,S2]", help="Run these seeds.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float64",
    results: Results = DEFAULT_RESULTS,
    rerun: Annotated[
        str | None, typer.Option(metavar="all", help="'all' runs finished cells again.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> int:
    """Race methods on problems and keep a record of every cell.

    A cell is one problem, method, configuration, backend and seed; it runs in a process of its
    own. Cells that have an `ok` record are not run again.
    """
    from pdebench_lite.api import execute, make_budget, plan
    from pdebench_lite.cli._progress import Quiet, make_listener
    from pdebench_lite.plugins import registry
    from pdebench_lite.study import parse_duration

    if dtype not in ("float32", "float64"):
        raise PdebenchError(f"no dtype '{dtype}'; write float32 or float64")
    if rerun not in (None, "all"):
        raise PdebenchError(f"no --rerun '{rerun}'; write --rerun all")
    limit = parse_duration(max_time) if max_time is not None else None
    budget = make_budget(limit, max_steps, target_error)
    known = registry()
    cells, devices = plan(
        known, problem, methods, backend, _seeds(seeds, seed), budget, device, dtype  # type: ignore[arg-type]
    )  # fmt: skip
    wanted = sorted({name for cell in cells for name in known.method(cell.method).solvers})
    everything = backend == "all"  # a backend that was named is there, or was an error above
    remedies = [known.remedy(n) for n in wanted if everything and n in known.backends]
    listener = Quiet() if quiet else make_listener(Path(results), list(filter(None, remedies)))
    with listener:
        records = execute(known, cells, devices, results, rerun == "all", listener)
    return 1 if any(record.failed for record in records) else 0


def _seeds(count: int | None, listed: str | None) -> list[int]:
    if count is not None and listed is not None:
        raise PdebenchError("give --seeds N or --seed S, not both")
    if count is not None and count < 1:
        raise PdebenchError(f"seeds={count} must be at least 1")
    if listed is None:
        return list(range(count or 1))
    try:
        chosen = [int(name) for name in split_names(listed)]
    except ValueError:
        raise PdebenchError(f"'{listed}' are no seeds; write --seed 3 or --seed 0,1,2") from None
    if not chosen or min(chosen) < 0:
        raise PdebenchError(f"'{listed}' are no seeds; they are whole numbers from 0")
    return chosen
