"""`pdebench run`: race methods on problems."""

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdebench_lite.aside import aside
from pdebench_lite.cli.options import DEFAULT_RESULTS, Results
from pdebench_lite.errors import PdebenchError

if TYPE_CHECKING:
    from pdebench_lite.registry.discovery import Registry
    from pdebench_lite.store.cell import Cell

EXAMPLES = """\b
Examples:
  pdebench run --problem burgers --methods mlp,pinn,diffphys --max-time 30s
  pdebench run --problem "burgers:forward[nu=0.02]" --methods "pinn[width=30],etdrk4"
  pdebench run --problem "burgers[ic=random,noise=0.01]" --methods pinn --backend jax --seeds 3
  pdebench run results/studies/demo.yaml --dry-run
What there is to choose from: pdebench list problems -v, pdebench list methods -v
"""


def run(
    study: Annotated[
        Path | None,
        typer.Argument(metavar="[STUDY.yaml]", help="A study file; options replace its keys."),
    ] = None,
    problem: Annotated[
        str | None, typer.Option(metavar="P[,P2:task]", help="Problems: name[:task][key=value,…].")
    ] = None,
    methods: Annotated[
        str | None, typer.Option(metavar="M[,M2]", help="Methods: name[key=value,…].")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help="torch, jax, numpy, or all that are installed (default).")
    ] = None,
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
    max_memory: Annotated[
        str | None, typer.Option(metavar="4GB", help="Memory that a cell's processes may hold.")
    ] = None,
    seeds: Annotated[int | None, typer.Option(metavar="N", help="Run seeds 0 … N-1.")] = None,
    seed: Annotated[str | None, typer.Option(metavar="S[,S2]", help="Run these seeds.")] = None,
    device: Annotated[str | None, typer.Option(help="auto (default), cpu, cuda or cuda:N.")] = None,
    dtype: Annotated[str | None, typer.Option(help="float32 or float64 (default).")] = None,
    results: Results = DEFAULT_RESULTS,
    rerun: Annotated[
        str | None,
        typer.Option(metavar="R[,R2]", help="Run cells again that are failed, stale, or all."),
    ] = None,
    jobs: Annotated[
        int, typer.Option(metavar="N", help="Cells at a time; the processors are divided.")
    ] = 1,
    wait: Annotated[
        bool | None,
        typer.Option(
            "--wait/--no-wait",
            help="When other runners have all cells that are left: wait (default), or leave "
            "(default in a batch job, whose node would stand idle).",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show cells and time they may take; run nothing.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Events for programs, one JSON object a line.")
    ] = False,
    logger: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Curves: csv, tensorboard, mlflow or wandb (offline)."),
    ] = None,
    log_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Their folder; 'logs' next to the results.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> int:
    """Race methods on problems and keep a record of every cell.

    A cell is one problem, method, configuration, backend and seed; it runs in a process of its
    own. Only cells without a record are run.
    """
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.runner.api import execute, parse_rerun, study_keys

    again = parse_rerun(rerun or "")
    given = study_keys(
        problem=problem,
        methods=methods,
        backend=backend,
        max_time=max_time,
        max_steps=max_steps,
        target_error=target_error,
        max_memory=max_memory,
        seeds=seeds,
        seed=seed,
        device=device,
        dtype=dtype,
        jobs=jobs,
    )
    jobs = given.pop("jobs")
    if logger is not None:
        from pdebench_lite.runner import loggers

        loggers.check(logger)
    known = registry()
    with aside():
        cells, devices, remedies = _plan(known, study, given)

    from pdebench_lite.cli.progress import Quiet, make_listener
    from pdebench_lite.cli.tally import Tally
    from pdebench_lite.runner.environment import threads
    from pdebench_lite.runner.processors import in_batch_job
    from pdebench_lite.runner.shell import not_used
    from pdebench_lite.runner.study.estimate import Estimator
    from pdebench_lite.store.records import Store

    if jobs > (processors := threads()):
        share = f"{processors} processors" if processors > 1 else "one processor"
        _complain(f"{jobs} cells at a time share {share}; records and tables will say so")
    if ignored := not_used(max(1, processors // jobs)):
        named = " ".join(f"{name}={value}" for name, value in ignored.items())
        _complain(
            f"{named} is not used: a cell's libraries have as many threads as it has processors; "
            "for one: taskset -c 0 pdebench run …"
        )
    informed = dry_run or (len(cells) > 1 and not quiet)  # reading many records takes a while
    estimator = Estimator(Store(results).load().records if informed else ())
    if dry_run:
        from pdebench_lite.cli import _dry_run

        with aside():
            planned = _dry_run.look_ahead(cells, known, results, again, estimator)
        print(_dry_run.as_json(planned) if as_json else _dry_run.as_text(planned, estimator, jobs))
        return 0
    waits = not in_batch_job() if wait is None else wait
    tally = Tally(estimator, jobs)
    if as_json:
        from pdebench_lite.cli._events import Events

        listener: Quiet = Events(results, tally)
    else:
        listener = Quiet() if quiet else make_listener(results, remedies, tally)
    with listener, redirect_stdout(sys.stderr):  # what plugins print as cells are started
        if logger is None:
            records = execute(known, cells, devices, results, again, listener, jobs, waits)
        else:
            folder = log_dir or results.parent / "logs"
            with loggers.Curves(logger, folder, results, _complain) as curves:
                both = loggers.Several(listener, curves)
                records = execute(known, cells, devices, results, again, both, jobs, waits)
    return 1 if any(record.failed for record in records) else 0


def _complain(line: str) -> None:
    print(f"pdebench: {line}", file=sys.stderr)


def _plan(
    known: "Registry", file: Path | None, given: dict[str, Any]
) -> tuple[list["Cell"], dict[str, str], list[str]]:
    """Return cells, the device of each backend, and what keeps other cells from being run."""
    from pdebench_lite.runner.study.file import load_study, study_of
    from pdebench_lite.runner.study.yaml_source import Source

    if file is not None:
        study = load_study(file, given)
    else:
        for key in ("problem", "methods"):
            if key not in given:
                raise PdebenchError(
                    f"missing --{key}; give it, or a study file (see: pdebench run --help)"
                )
        study = study_of(Source("", {}), given)
    cells, devices = study.plan(known)
    remedies: list[str] = []
    if not study.file.backend or "all" in study.file.backend:  # one that was named is there
        wanted = sorted({name for cell in cells for name in known.method(cell.method).solvers})
        remedies = [known.remedy(name) for name in wanted if name in known.backends]
    return cells, devices, [remedy for remedy in remedies if remedy]
