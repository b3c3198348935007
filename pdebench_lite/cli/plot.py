"""`pdebench plot`: the records as figures."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.cli._options import DEFAULT_RESULTS, Results, load
from pdebench_lite.errors import PdebenchError


def _complain(line: str) -> None:
    print(f"pdebench: {line}", file=sys.stderr)


def plot(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the figures.")] = Path(
        "results/figures"
    ),
    style: Annotated[
        str, typer.Option(metavar="NAME", help="Page: plain, neurips, icml, jcp, column or slide.")
    ] = "plain",
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Draw the records as figures, in PDF, SVG and PNG.

    Per problem: maps, slices, convergence, costs, work against precision; performance profiles over
    all problems.
    """
    store, loaded = load(results)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PdebenchError(
            f"cannot write figures to '{out}': {error.strerror}; choose another with --out DIR"
        ) from None
    from pdebench_lite.report.figures import plot_all

    for path in plot_all(store, loaded.records, out, say=_complain, page=style):
        print(path)
