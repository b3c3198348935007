"""`pdebench plot`: the records as figures."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.cli.options import DEFAULT_RESULTS, Results, load, split_names
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
    format: Annotated[
        str, typer.Option("--format", metavar="F[,F2]", help="Of pdf, svg and png.")
    ] = "pdf,svg,png",
    figures: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Which figures; all of: pdebench list figures."),
    ] = None,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Draw the records as figures.

    Per problem: maps, slices, convergence, costs, work against precision, error against every
    number that a study varies; where something is sought: what was found with the band that the
    method states, singular values, the weights that were tried. Performance profiles over all
    problems.
    """
    from pdebench_lite.selectors import split_outside

    formats = split_names(format)
    store, loaded = load(results)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PdebenchError(
            f"cannot write figures to '{out}': {error.strerror}; choose another with --out DIR"
        ) from None
    from pdebench_lite.report.figures import plot_all

    wanted = split_outside(figures) if figures else []
    for path in plot_all(store, loaded.records, out, formats, _complain, style, wanted):
        print(path)
