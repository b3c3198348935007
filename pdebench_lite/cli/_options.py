"""Options that several verbs share."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdebench_lite.errors import PdebenchError

if TYPE_CHECKING:
    from pdebench_lite.records import Loaded, Store

Results = Annotated[Path, typer.Option("--results", metavar="DIR", help="Folder of the records.")]
DEFAULT_RESULTS = Path("results/runs")


def load(results: Path) -> "tuple[Store, Loaded]":
    """Read a results folder, naming on stderr what is not sound.

    Raises:
        PdebenchError: there is no such folder, or nothing in it.
    """
    from pdebench_lite.records import Store

    store = Store(results)
    if not results.is_dir():
        raise PdebenchError(
            f"no results folder '{results}'; name one with --results DIR, or run something first"
        )
    loaded = store.load()
    for line in loaded.unsound:
        print(f"pdebench: left out: {line}", file=sys.stderr)
    if not loaded.records:
        raise PdebenchError(f"no sound record in '{results}'; try: pdebench run --help")
    return store, loaded


def split_names(text: str | None) -> list[str]:
    """Split a comma-separated list of names."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]
