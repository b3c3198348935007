"""`pdebench status`: what is done, stale, failed, missing, running."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdebench_lite.aside import aside
from pdebench_lite.cli._console import make_console
from pdebench_lite.cli.options import DEFAULT_RESULTS, Results
from pdebench_lite.errors import PdebenchError, unknown_name
from pdebench_lite.text import counted

if TYPE_CHECKING:
    from pdebench_lite.runner.states import State
    from pdebench_lite.store.records import Store

    Row = tuple[str, str, State]  # hash, title, state

_ORDER = ("running", "interrupted", "missing", "newer", "corrupt", "failed", "stale", "fresh")
_SHOWN = 100  # rows up to which fresh cells are listed too
_REMEDIES = {
    "missing": "pdebench run with the same study runs what is missing",
    "interrupted": "pdebench run with the same study resumes what was interrupted",
    "newer": "pip install -U pdebench-lite reads records of a newer version",
    "corrupt": "pdebench run with the same study replaces what is corrupt",
    "failed": "pdebench run … --rerun failed runs failed cells again",
    "stale": "pdebench run … --rerun stale runs stale cells again",
}


def status(
    study: Annotated[
        Path | None, typer.Argument(metavar="[STUDY.yaml]", help="A study: shows what is missing.")
    ] = None,
    results: Results = DEFAULT_RESULTS,
    format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """Show the state of every cell of a results folder, or of a study.

    fresh: done; stale: made by other sources or libraries; failed; missing; running, and by whom;
    interrupted: resumes with the next run; newer: made by a newer version of this program;
    corrupt: the record cannot be read.
    """
    from pdebench_lite.store.records import Store

    if format not in ("text", "json"):
        raise unknown_name("format", format, ("text", "json"))
    store = Store(results)
    if not results.is_dir():
        raise PdebenchError(
            f"no results folder '{results}'; name one with --results DIR, or run something first"
        )
    with aside():
        rows = _of_study(study, store) if study is not None else _of_folder(store)
    rows.sort(key=lambda row: _ORDER.index(row[2].kind))
    if format == "json":
        print(json.dumps([_plain(*row) for row in rows], indent=1))
    else:
        _print(rows)


def _of_study(study: Path, store: "Store") -> "list[Row]":
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.runner.states import state_of
    from pdebench_lite.runner.study.file import load_study
    from pdebench_lite.store.leases import Leases

    known, leases = registry(), Leases(store.root)
    cells, _ = load_study(study, {}).plan(known)
    return [(cell.hash, cell.title, state_of(cell, store, known, leases)) for cell in cells]


def _of_folder(store: "Store") -> "list[Row]":
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.runner.states import State, state_of, state_of_record
    from pdebench_lite.store.leases import Leases

    known, leases, loaded = registry(), Leases(store.root), store.load()
    rows = []
    for record in loaded.records:
        holder = leases.holder(record.cell)
        state = state_of_record(record, record.identity, known)
        if holder is not None:
            state = State("running", holder.title, record)
        rows.append((record.cell, record.identity.title, state))
    done = {row[0] for row in rows}
    for cell in store.begun():
        if cell.hash not in done:
            rows.append((cell.hash, cell.title, state_of(cell, store, known, leases)))
            done.add(cell.hash)
    for line in loaded.unsound:
        path, _, problem = line.partition(": ")
        name = Path(path).parent.name
        newer = bool(store.newer([name]))
        rows.append((name, "", State("newer" if newer else "corrupt", problem)))
    return rows


def _plain(name: str, title: str, state: "State") -> dict[str, str]:
    return {"cell": name, "title": title, "state": state.kind, "note": state.note}


def _print(rows: "list[Row]") -> None:
    from rich.table import Table
    from rich.text import Text

    from pdebench_lite.analysis.wording import clean

    console = make_console()
    counts = {kind: sum(row[2].kind == kind for row in rows) for kind in _ORDER}
    table = Table(box=None, pad_edge=False)
    for head in ("state", "cell", "what", "note"):
        table.add_column(head, overflow="fold", no_wrap=head in ("state", "cell"))
    for name, title, state in rows:
        if state.kind != "fresh" or len(rows) <= _SHOWN:
            table.add_row(state.kind, name, Text(clean(title)), Text(clean(state.note)))
    if table.row_count:
        console.print(table)
    said = ", ".join(f"{n} {kind}" for kind, n in counts.items() if n)
    console.print(f"{counted(len(rows), 'cell')}: {said or 'none'}")
    for kind, remedy in _REMEDIES.items():
        if counts[kind]:
            console.print(remedy)
