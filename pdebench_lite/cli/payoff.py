"""`pdebench payoff`: after how many solves a method that was trained on a family pays off."""

from typing import Annotated

import typer

from pdebench_lite.cli.options import (
    DEFAULT_RESULTS,
    Problems,
    Results,
    load,
    of_problems,
    split_labels,
)
from pdebench_lite.errors import PdebenchError

FORMATS = ("text", "md")


def payoff(
    problem: Problems = None,
    format: Annotated[str, typer.Option("--format", help=", ".join(FORMATS) + ".")] = "text",
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Say after how many solves training on a family pays off.

    Data, training and the time of each answer are counted. Reads records; nothing is run.
    """
    if format not in FORMATS:
        raise PdebenchError(f"no format '{format}'; write one of: {', '.join(FORMATS)}")
    store, loaded = load(results)
    from pdebench_lite.analysis import Source
    from pdebench_lite.analysis.payoff import payoffs
    from pdebench_lite.report.payoff import render_payoffs

    chosen = of_problems(loaded.records, split_labels(problem))
    found = payoffs(chosen, Source(store).machine)
    if not found:
        raise PdebenchError(
            f"no record in '{results}' was trained on a family; try: pdebench run --problem "
            "burgers:family --methods cnn,muscl"
        )
    print(render_payoffs(found, format), end="")
