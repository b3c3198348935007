"""`pdebench merge`: the results folders of several machines in one."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pdebench_lite.cli._console import make_console
from pdebench_lite.errors import unknown_name
from pdebench_lite.text import counted

if TYPE_CHECKING:
    from pdebench_lite.store.merge import Decision, Merged

EXAMPLES = """\b
Examples:
  pdebench merge laptop/runs cluster/runs --into results/runs
  pdebench merge cluster/runs --into results/runs --prefer newest
  pdebench merge results/runs --into results/reference --records-only
"""

_PREFER = ("first", "newest")
_SHOWN = 40  # duplicates up to which each has a row
_WORDS = {
    "kept": "there before, in none of the sources",
    "copied": "copied from the only folder that has them",
    "duplicate": "the same in several folders, kept once",
    "resolved": "different, one taken",
    "conflict": "different, none taken",
    "newer": "left alone: the target has records of them by a newer version of pdebench-lite",
    "busy": "left alone: a runner works on them in the target",
}


def merge(
    sources: Annotated[list[Path], typer.Argument(metavar="DIR…", help="Results folders.")],
    into: Annotated[Path, typer.Option(metavar="DIR", help="Where all records are to be.")],
    prefer: Annotated[
        str | None,
        typer.Option(
            metavar="WHICH", help="Of different records of a cell take the first or newest."
        ),
    ] = None,
    records_only: Annotated[
        bool,
        typer.Option(
            "--records-only", help="Records, histories and environments: no fields, weights, logs."
        ),
    ] = False,
    format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> int:
    """Bring the records of several results folders together.

    The sources are not changed. Records of one cell that differ are a conflict: they are reported
    with what differs and left out (exit status 1), unless --prefer says which one to take.
    """
    if prefer not in (None, *_PREFER):
        raise unknown_name("--prefer", str(prefer), _PREFER)
    if format not in ("text", "json"):
        raise unknown_name("format", format, ("text", "json"))
    from pdebench_lite.store import merge as merging

    kept = (merging.HISTORY,) if records_only else merging.ARTIFACTS
    merged = merging.merge(sources, into, prefer or "", kept)  # type: ignore[arg-type]
    for line in merged.left_out:
        print(f"pdebench: left out: {_clean(line)}", file=sys.stderr)
    if format == "json":
        plain = [_plain(decision) for decision in merged.decisions]
        answer = {"cells": plain, "left_out": merged.left_out}
        print(json.dumps(answer, indent=1))
    else:
        _print(merged, into)
    return 1 if merged.conflicts else 0


def _clean(line: str) -> str:
    from pdebench_lite.analysis.wording import clean

    return clean(line)


def _plain(decision: "Decision") -> dict[str, Any]:
    return {
        "cell": decision.cell,
        "title": decision.title,
        "outcome": decision.outcome,
        "folders": [str(folder) for folder in decision.folders],
        "taken": None if decision.taken is None else str(decision.taken),
        "differences": decision.differences,
    }


def _print(merged: "Merged", into: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    from pdebench_lite.analysis.wording import clean

    by_outcome = {kind: [d for d in merged.decisions if d.outcome == kind] for kind in _WORDS}
    shown = [d for k in ("conflict", "resolved", "busy", "newer") for d in by_outcome[k]]
    if len(by_outcome["duplicate"]) <= _SHOWN:
        shown += by_outcome["duplicate"]
    console = make_console()
    folders = list(dict.fromkeys(folder for d in shown for folder in d.folders))
    table = Table(box=None, pad_edge=False)
    for head in ("outcome", "cell", "in", "taken", "what, and what differs"):
        table.add_column(head, overflow="fold", no_wrap=head in ("outcome", "cell"))
    for d in shown:
        where = ",".join(str(folders.index(folder) + 1) for folder in d.folders)
        taken = "–" if d.taken is None else str(folders.index(d.taken) + 1)
        lines = [clean(d.title), *_difference(d)]
        cells = (d.outcome, d.cell, where, taken, "\n".join(lines))
        table.add_row(*(Text(cell) for cell in cells))
    if shown:
        for number, folder in enumerate(folders, 1):
            print(f"folder {number}: {clean(folder)}")
        console.print(table)
    print(f"{counted(len(merged.decisions), 'cell')}, merged into {clean(into)}:")
    for kind, found in by_outcome.items():
        if found:
            print(f"  {len(found)} {_WORDS[kind]}")
    if merged.conflicts:
        print("choose between different records with --prefer first or --prefer newest")


def _difference(decision: "Decision") -> list[str]:
    """Write numbers first: what a reader asks is whether results differ, and by how much."""
    from pdebench_lite.analysis.wording import as_json, clean, shorten

    names = sorted(
        decision.differences,
        key=lambda name: (
            not all(isinstance(v, int | float | None) for v in decision.differences[name])
        ),
    )
    lines = [
        f"{clean(name)}: {' | '.join(shorten(clean(_value(v, as_json)), 40) for v in values)}"
        for name in names[:3]
        for values in [decision.differences[name]]
    ]
    more = ", ".join(clean(name) for name in names[3:])
    return [*lines, f"also: {shorten(more, 60)}"] if more else lines


def _value(value: Any, otherwise: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(otherwise(value))
