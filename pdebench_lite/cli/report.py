"""`pdebench report`: the records as a page for a browser."""

from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.cli.options import DEFAULT_RESULTS, Results, load
from pdebench_lite.errors import PdebenchError

_SUFFIXES = (".html", ".htm")


def report(
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page to write.")] = Path(
        "report.html"
    ),
    results: Results = DEFAULT_RESULTS,
) -> None:
    """Write one web page with tables, curves and fields of the records.

    It needs no network: everything, the plotting library too, is within the file.
    """
    if out.is_dir():
        raise PdebenchError(f"'{out}' is a folder; write --out {out / 'report.html'}")
    if out.suffix.lower() not in _SUFFIXES:
        raise PdebenchError(f"'{out}' does not end in .html; write --out {out}.html")
    store, loaded = load(results)
    from pdebench_lite.report.web import write_report

    size = write_report(store, loaded.records, out)
    print(f"{out}: {len(loaded.records)} records, {size / 1e6:.1f} MB")
