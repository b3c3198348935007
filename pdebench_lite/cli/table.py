"""`pdebench table`: the records as a table."""

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
    of_methods,
    of_problems,
    split_labels,
    split_names,
    split_numbers,
)
from pdebench_lite.errors import PdebenchError

EXAMPLES = """\b
Examples:
  pdebench table
  pdebench table --aggregate --problem burgers:forward
  pdebench table --aggregate --over instance   # medians over initial states too
  pdebench table --aggregate --over instance --success 5e-4
  pdebench table --by-task                     # parameters of problems as columns
  pdebench table --metrics rel_l2,rel_h1 --format latex
"""
FORMATS = ("text", "csv", "md", "latex", "json")


def table(
    problem: Problems = None,
    methods: Methods = None,
    aggregate: Annotated[
        bool,
        typer.Option("--aggregate", help="Medians over seeds, ranked where seeds are enough."),
    ] = False,
    over: Annotated[
        str | None,
        typer.Option(
            metavar="A,B",
            help="With --aggregate: parameters of problems to take medians over too.",
        ),
    ] = None,
    success: Success = None,
    task_tables: Annotated[
        bool,
        typer.Option("--by-task", help="One table per task; what differs becomes a column."),
    ] = False,
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
    if format not in FORMATS:
        raise PdebenchError(f"no format '{format}'; write one of: {', '.join(FORMATS)}")
    store, loaded = load(results)
    color = colourful()
    names = split_names(metrics)
    if over and not aggregate:
        raise PdebenchError(f"--over {over} takes medians: add --aggregate")
    if success and not aggregate:
        raise PdebenchError(f"--success {success} is a share of runs: add --aggregate")
    chosen = split_labels(methods)
    if aggregate:
        from pdebench_lite.analysis import Source, by_task, compare
        from pdebench_lite.report.comparison.aggregate import render_aggregate

        sources, taken = [Source(store)], split_names(over)
        reached = split_numbers("--success", success, "1e-2,1e-3")
        comparison = compare(
            sources, split_labels(problem), over=taken, success=reached, methods=chosen
        )
        if task_tables:
            comparison = by_task(comparison, sources)
        print(render_aggregate(comparison, format, names, color=color), end="")
        return
    from pdebench_lite.report.table import render

    records = of_methods(of_problems(loaded.records, split_labels(problem)), chosen)
    read = store.environment
    print(
        render(
            records, format, verbose, names, color=color, environments=read, by_task=task_tables
        ),
        end="",
    )
