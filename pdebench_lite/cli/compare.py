"""`pdebench compare`: who is better, at equal error, at equal time, over seeds and problems."""

from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.cli._console import colourful
from pdebench_lite.cli.options import (
    DEFAULT_RESULTS,
    Methods,
    Problems,
    Results,
    Success,
    load,
    split_labels,
    split_names,
    split_numbers,
)
from pdebench_lite.cli.table import FORMATS
from pdebench_lite.errors import PdebenchError

EXAMPLES = """\b
Examples:
  pdebench compare
  pdebench compare --problem burgers:forward --times 1,10 --errors 1e-2,1e-3
  pdebench compare --methods "pinn,diffphys[]" --tables final,overall
  pdebench compare --over instance --tables final --success 1e-2
  pdebench compare --with results/reference --format md
"""


def compare(
    problem: Problems = None,
    methods: Methods = None,
    metric: Annotated[
        str, typer.Option(metavar="NAME", help="Error to compare instead of the headline metric.")
    ] = "",
    times: Annotated[
        str | None, typer.Option(metavar="S[,S2]", help="Charged seconds to compare at.")
    ] = None,
    errors: Annotated[
        str | None, typer.Option(metavar="E[,E2]", help="Errors to be reached.")
    ] = None,
    over: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Parameters of problems whose values count as seeds do."),
    ] = None,
    success: Success = None,
    others: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="DIR", help="Another folder of records to compare with."),
    ] = None,
    tables: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="Of: final, time, error, memory, steps, pairs, conditions, overall; "
            "all but steps and conditions. csv and json hold them all.",
        ),
    ] = None,
    format: Annotated[str, typer.Option("--format", help=", ".join(FORMATS) + ".")] = "text",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every pair, every condition of every row.")
    ] = False,
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Compare methods over seeds, at equal error and at equal time.

    Medians with intervals, misses kept, ranks within equal data only, unequal conditions marked in
    the row. Reads records; nothing is trained. The classical solver belongs into every comparison:
    where it is missing, a line says which command adds it.
    """
    if format not in FORMATS:
        raise PdebenchError(f"no format '{format}'; write one of: {', '.join(FORMATS)}")
    seconds = sorted(split_numbers("--times", times, "1,3,10"))
    levels = sorted(split_numbers("--errors", errors, "1e-2,1e-3"), reverse=True)
    reached = split_numbers("--success", success, "1e-2,1e-3")
    names = split_labels(problem)
    store, _ = load(results)
    folders = [load(folder, "--with")[0] for folder in others or []]
    from pdebench_lite.analysis import Source, compare
    from pdebench_lite.report.comparison import render_comparison

    sources = [Source(store), *(Source(other, other.root.name) for other in folders)]
    comparison = compare(
        sources,
        names,
        metric,
        seconds,
        levels,
        split_names(over),
        reached,
        split_labels(methods),
    )
    color = colourful()
    print(render_comparison(comparison, format, verbose, None, color, split_names(tables)), end="")
