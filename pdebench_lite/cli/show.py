"""`pdebench show`: one record in full."""

from typing import Annotated

import typer

from pdebench_lite.cli.options import DEFAULT_RESULTS, Results


def show(
    record: Annotated[str, typer.Argument(help="Hash of a cell, its beginning, or a folder.")],
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Print everything that is known of one record."""
    from pdebench_lite.report.show import describe
    from pdebench_lite.store.records import Store

    store = Store(results)
    folder = store.find(record)
    print(describe(store.read(folder), folder))
