"""What is installed, as text: outlines of problems, methods, metrics, or everything about them.

Outlines are laid out without rich, which takes as long to import as all else that they need.
"""

import shutil
import textwrap
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pdebench_lite.errors import visible
from pdebench_lite.registry.component import COMPONENTS
from pdebench_lite.registry.discovery import PLURALS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MIN_ABOUT = 24  # columns: narrower texts are cut up more than a line that is too long is harmful
Entry = dict[str, Any]


# ---- outlines --------------------------------------------------------------------------------


def outline(what: str, entries: list[Entry], width: int | None = None) -> str:
    """Return a few lines on each entry, under headings.

    Args:
        what: `problems`, `methods`, `metrics`, or another plural such as `optimizers`.
        entries: what the function of that name in `catalogue` returned.
        width: columns; those of the terminal if not given.
    """
    sorts = {"problems": _by_task, "methods": _by_family}
    parts = dict.fromkeys((f"{kind}s" for kind in COMPONENTS), _parts_by_provider)
    sort = (sorts | parts).get(what, _by_provider)
    sections = sort(entries)
    columns = max(width or shutil.get_terminal_size().columns, MIN_ABOUT)
    rows = [row for _, section in sections for row in section]
    first, second = (max((len(row[i]) for row in rows), default=0) for i in (0, 1))
    indent = 2 + first + 2 + second + 2
    lines = []
    for heading, section in sections:
        lines += textwrap.wrap(heading, columns) or [heading]
        for name, note, about in section:
            texts = textwrap.wrap(about, max(columns - indent, MIN_ABOUT)) or [""]
            lines.append(f"  {name:<{first}}  {note:<{second}}  {texts[0]}".rstrip())
            lines += [" " * indent + text for text in texts[1:]]
    if what in ("problems", "methods"):
        lines += ["", f"parameters and citations: pdebench list {what} -v"]
    return "\n".join(map(visible, lines))


Section = tuple[str, list[tuple[str, str, str]]]


def _by_family(entries: list[Entry]) -> list[Section]:
    ordered = sorted(entries, key=lambda entry: entry["family"])
    return [
        (family, [(e["name"], ", ".join(_backends(e)), _about(e)) for e in members])
        for family, members in groupby(ordered, key=lambda entry: entry["family"])
    ]


def _about(entry: Entry) -> str:
    lacking = f"; needs {', '.join(entry['missing'])}, not installed" if entry["missing"] else ""
    return entry["about"] + lacking


def _backends(entry: Entry) -> Iterator[str]:
    for backend, state in entry["backends"].items():
        yield backend if state == "installed" else f"{backend} ({state})"


def _by_task(entries: list[Entry]) -> list[Section]:
    return [
        (
            f"{entry['name']}: {entry['about']}",
            [
                (
                    task["name"],
                    "default" if i == 0 and len(entry["tasks"]) > 1 else "",
                    f"{task['about']}; ranked by {', '.join(task['ranked'])}",
                )
                for i, task in enumerate(entry["tasks"])
            ],
        )
        for entry in entries
    ]


def _by_provider(entries: list[Entry]) -> list[Section]:
    return [
        (f"from {provider}", [(e["name"], _note(e), _meant(e)) for e in members])
        for provider, members in groupby(entries, key=lambda entry: entry["provided_by"])
    ]


def _note(entry: Entry) -> str:
    """Return the unit of a quantity, and the options of a figure."""
    return entry.get("unit", "") or ", ".join(p["name"] for p in entry.get("parameters", []))


def _parts_by_provider(entries: list[Entry]) -> list[Section]:
    return [
        (f"from {provider}", [(e["name"], ", ".join(e["backends"]), _sourced(e)) for e in members])
        for provider, members in groupby(entries, key=lambda entry: entry["provided_by"])
    ]


def _sourced(entry: Entry) -> str:
    return f"{entry['about']} ({entry['source']})" if entry["source"] else entry["about"]


def _meant(entry: Entry) -> str:
    words = entry["about"] or entry.get("label", "")
    usual = entry.get("over_seeds", "median") in ("median", "")
    return words + ("" if usual else f"; over seeds its {entry['over_seeds']}")


# ---- everything ------------------------------------------------------------------------------


def _table(*columns: str) -> "Table":
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=i == 0)
    return table


def _row(table: "Table", *cells: str) -> None:
    from rich.text import Text

    table.add_row(*(Text(visible(cell)) for cell in cells))


def _print_parameters(console: "Console", parameters: list[Entry], indent: str) -> None:
    table = _table(f"{indent}parameter", "default", "allowed", "meaning")
    for p in parameters:
        default = f"{p['default']:.6g}" if isinstance(p["default"], float) else str(p["default"])
        _row(table, f"{indent}{p['name']}", default or '""', p["allowed"], p["about"])
    if parameters:
        console.print(table)


def print_problems(console: "Console", entries: list[Entry]) -> None:
    """Print everything that `catalogue.problems` returned."""
    from rich.text import Text

    for entry in entries:
        console.print(Text(visible(f"{entry['name']}: {entry['about']}"), style="bold"))
        _print_parameters(console, entry["parameters"], "  ")
        for task in entry["tasks"]:
            console.print(Text(visible(f"  task {task['name']}: {task['about']}"), style="bold"))
            console.print(Text(f"    faces: {', '.join(task['faces'])}"))
            console.print(
                Text(visible(f"    unknowns: {', '.join(task['unknowns']) or 'the field'}"))
            )
            console.print(Text(visible(f"    metrics: {', '.join(task['metrics'])}")))
            console.print(Text(visible(f"    ranked by: {', '.join(task['ranked'])}")))
            _print_parameters(console, task["parameters"], "    ")
        console.print(
            Text(visible(f"  provided by {entry['provided_by']}\n{entry['citation']}\n", kept="\n"))
        )


def print_methods(console: "Console", entries: list[Entry]) -> None:
    """Print everything that `catalogue.methods` returned."""
    from rich.text import Text

    for entry in entries:
        console.print(
            Text(visible(f"{entry['name']} ({entry['family']}): {_about(entry)}"), style="bold")
        )
        backends = ", ".join(f"{b}: {state}" for b, state in entry["backends"].items())
        console.print(Text(visible(f"  backends: {backends}")))
        console.print(Text(visible(f"  defaults tuned: {entry['tuned'] or 'not stated'}")))
        _print_parameters(console, entry["parameters"], "  ")
        console.print(
            Text(visible(f"  provided by {entry['provided_by']}\n{entry['citation']}\n", kept="\n"))
        )


def print_components(console: "Console", entries: list[Entry]) -> None:
    """Print everything that `catalogue.components` returned."""
    from rich.text import Text

    for entry in entries:
        console.print(Text(visible(f"{entry['name']}: {entry['about']}"), style="bold"))
        console.print(Text(visible(f"  backends: {', '.join(entry['backends'])}")))
        _print_parameters(console, entry["parameters"], "  ")
        console.print(
            Text(visible(f"  {entry['source']}\n  provided by {entry['provided_by']}\n", kept="\n"))
        )


def print_plugins(console: "Console", entries: list[Entry]) -> None:
    """Print what `catalogue.plugins` returned."""
    table = _table("plugin", "module", "from", "provides")
    for entry in entries:
        provides = "; ".join(f"{PLURALS[k]} {', '.join(v)}" for k, v in entry["provides"].items())
        source = f"{entry['distribution']} {entry['version']}".strip()
        _row(table, entry["name"], entry["module"], source, entry["error"] or provides)
    console.print(table)
