"""`pdebench table`: the records as a table."""

import os
import sys
from typing import Annotated

import typer

from pdebench_lite.cli._options import DEFAULT_RESULTS, Results, load, split_names
from pdebench_lite.errors import PdebenchError

FORMATS = ("text", "csv", "md", "latex", "json")


def table(
    format: Annotated[str, typer.Option("--format", help=", ".join(FORMATS) + ".")] = "text",
    metrics: Annotated[
        str | None, typer.Option(metavar="A,B", help="Metrics to show instead of the ranked ones.")
    ] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every metric, cell hash, device.")
    ] = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Print the records: errors, times, memory, what each method saw."""
    from pdebench_lite.report.table import render

    if format not in FORMATS:
        raise PdebenchError(f"no format '{format}'; write one of: {', '.join(FORMATS)}")
    _, loaded = load(results)
    color = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    names = split_names(metrics)
    print(render(loaded.records, format, verbose=verbose, metrics=names, color=color), end="")
