"""Options that several verbs share."""

import sys
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdebench_lite.errors import PdebenchError, unknown_name

if TYPE_CHECKING:
    from pdebench_lite.store.records import Loaded, Record, Store

Results = Annotated[Path, typer.Option("--results", metavar="DIR", help="Folder of the records.")]
Problems = Annotated[
    str | None,
    typer.Option(
        metavar="P[,P2]",
        help="Problems, as in the records; all if none. P: with any parameters; P[]: with none.",
    ),
]
Methods = Annotated[
    str | None,
    typer.Option(
        metavar="M[,M2]",
        help="Methods, as in the records; all if none. M: with any settings; M[]: with none.",
    ),
]
Success = Annotated[
    str | None,
    typer.Option(metavar="E[,E2]", help="Final errors: show what share of the runs reached each."),
]
DEFAULT_RESULTS = Path("results/runs")


def load(results: Path, option: str = "--results") -> "tuple[Store, Loaded]":
    """Read a results folder, naming on stderr what is not sound.

    Args:
        results: the folder.
        option: what it was given by, for messages.

    Raises:
        PdebenchError: there is no such folder, or nothing in it.
    """
    from pdebench_lite.store.records import Store

    store = Store(results)
    if not results.is_dir():
        raise PdebenchError(
            f"no results folder '{results}'; name one with {option} DIR, or run something first"
        )
    loaded = store.load()
    for line in loaded.left_out:
        print(f"pdebench: {line}", file=sys.stderr)
    if not loaded.records:
        raise PdebenchError(
            f"no sound record in '{results}'; name a folder that has some with {option} DIR, or "
            "make some: pdebench run --help"
        )
    return store, loaded


def split_names(text: str | None) -> list[str]:
    """Split a comma-separated list of names."""
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def split_numbers(option: str, text: str | None, example: str) -> list[float]:
    """Split a comma-separated list of positive numbers.

    Raises:
        PdebenchError: one is none.
    """
    try:
        values = [float(word) for word in split_names(text)]
    except ValueError:
        values = [0.0]
    if not all(isfinite(value) and value > 0 for value in values):
        raise PdebenchError(f"{option} '{text}' are not positive numbers; write {option} {example}")
    return values


def split_labels(text: str | None) -> list[str]:
    """Split labels of problems or methods at commas outside brackets."""
    from pdebench_lite.selectors import split_outside

    return [name for name in split_outside(text or "") if name]


def of_problems(records: "list[Record]", wanted: list[str]) -> "list[Record]":
    """Return the records of some problems, named with or without their parameters; all if none.

    Raises:
        PdebenchError: no record is of one of them.
    """
    return _named(records, [r.problem_label for r in records], wanted, "problem")


def of_methods(records: "list[Record]", wanted: list[str]) -> "list[Record]":
    """Return the records of some methods, named with or without their settings; all if none.

    Raises:
        PdebenchError: no record is of one of them.
    """
    return _named(records, [r.label for r in records], wanted, "method")


def _named(
    records: "list[Record]", labels: list[str], wanted: list[str], what: str
) -> "list[Record]":
    from pdebench_lite.selectors import names_of

    for name in wanted:
        if not any(name in names_of(label) for label in set(labels)):
            raise unknown_name(f"{what} in these records", name, set(labels))
    pairs = zip(records, labels, strict=True)
    return [r for r, label in pairs if not wanted or names_of(label) & set(wanted)]
