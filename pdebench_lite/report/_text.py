"""Sheets as text for a terminal, with rich; nothing is lost where the terminal is narrow."""

import io
from collections.abc import Iterable

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pdebench_lite.analysis.wording import fold, shorten
from pdebench_lite.report.sheet import Column, Row, Sheet

_GAP = 2
_NAME_WIDTH = 24
_REASON = 200
_REPEATED = ("method", "backend", "seed", "unequal")  # columns of every part of a split table
_BEST = "*"  # where there is no bold type
_STATUS_STYLE = {"ok": "green", "unsupported": "yellow"}


def text(sheets: Iterable[Sheet], width: int, color: bool = False, verbose: bool = False) -> str:
    """Write sheets for a terminal of that many columns.

    Columns that do not fit continue in a second table; `sees` moves below it.
    """
    out = io.StringIO()
    console = Console(
        file=out, width=max(width, 40), force_terminal=color, highlight=False, markup=False,
        emoji=False, color_system="standard" if color else None, legacy_windows=False,
    )  # fmt: skip
    for number, sheet in enumerate(sheets):
        if number:
            console.print()
        _print(console, sheet, verbose)
    return "".join(line.rstrip() + "\n" for line in out.getvalue().splitlines())


def _print(console: Console, sheet: Sheet, verbose: bool) -> None:
    console.print(Text(sheet.title, "bold"))
    if sheet.conditions:
        console.print(Text(" · ".join(sheet.conditions), "dim"))
    for line in sheet.lines:
        console.print(Text(str(line)))
    widths = [_natural(sheet, i) for i in range(len(sheet.columns))]
    parts = _split(sheet, widths, console.width)
    for number, part in enumerate(parts):
        if number:
            console.print()
        _print_table(console, sheet, part, [widths[i] for i in part])
    if not any(sheet.columns[i].kind == "sees" for part in parts for i in part):
        for names, what in sheet.saw:
            _indented(console, f"{names} saw: {what}")
    for number, reason in enumerate(sheet.notes, 1):
        _indented(console, f"[{number}] {reason if verbose else shorten(reason, _REASON)}")
    if verbose:
        for name, meaning in sheet.legend:
            _indented(console, f"{name}: {meaning}" if meaning else name)


def _indented(console: Console, line: str) -> None:
    console.print(Padding(Text(line), (0, 0, 0, 1)))


def _split(sheet: Sheet, widths: list[int], width: int) -> list[list[int]]:
    """Return which columns each table shows, so that every table fits the width."""
    first = [i for i, c in enumerate(sheet.columns) if c.head in _REPEATED]
    if sum(widths) - _GAP <= width:
        return [list(range(len(widths)))]
    others = [i for i, c in enumerate(sheet.columns) if i not in first and c.kind != "sees"]
    room = width + _GAP - sum(widths[i] for i in first)
    parts: list[list[int]] = [[]]
    for i in others:
        if parts[-1] and sum(widths[j] for j in parts[-1]) + widths[i] > room:
            parts.append([])
        parts[-1].append(i)
    return [sorted([*first, *part]) for part in parts]


def _natural(sheet: Sheet, i: int) -> int:
    column = sheet.columns[i]
    cells = {_cell(column, row, i) for _, rows in sheet.blocks for row in rows}
    lines = {line for cell in (_head(column), *cells) for line in cell.split("\n")}
    return max(map(_width, lines)) + _GAP


def _width(text: str) -> int:
    """Return the columns of a terminal that a text takes."""
    return len(text) if text.isascii() else cell_len(text)


def _head(column: Column) -> str:
    if column.kind == "error":  # rel_l2_carried needs no more room than its numbers
        words, lines = column.head.split("_"), [""]
        for k, word in enumerate(words):
            piece = word + ("_" if k < len(words) - 1 else "")
            if lines[-1] and len(lines[-1]) + len(piece) > 8:
                lines.append("")
            lines[-1] += piece
        return "\n".join(lines)
    words = [column.head] if column.kind == "interval" else column.head.rsplit(" ", 1)
    return "\n".join([*words, *([f"({column.unit})"] if column.unit else [])])


def _cell(column: Column, row: Row, i: int) -> str:
    cell = row.cells[i]
    if column.kind == "status" and row.note:
        return f"{cell} [{row.note}]"
    if column.kind == "interval":  # the interval stands under its number
        value, _, interval = cell.partition(" ")
        return f"{value}{_BEST if i in row.bold else ''}\n{interval}".rstrip("\n")
    return fold(cell, _NAME_WIDTH) if column.kind == "name" else cell


def _print_table(console: Console, sheet: Sheet, shown: list[int], widths: list[int]) -> None:
    """Print the heading, then each block under its own words; widths are fixed, so blocks align."""
    console.print(_head_of_table(sheet, shown, widths))
    for number, (heading, rows) in enumerate(sheet.blocks):
        if number:
            console.print(Text("─" * (sum(widths) - _GAP), "dim"))
        if heading:
            console.print(Text(heading, "italic"))
        for row in rows:
            _print_row(console, sheet, row, shown, widths)


def _head_of_table(sheet: Sheet, shown: list[int], widths: list[int]) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
        collapse_padding=False,
    )  # fmt: skip
    for i, width in zip(shown, widths, strict=True):
        column = sheet.columns[i]
        table.add_column(
            Text(_head(column)), justify="right" if column.numeric else "left",
            width=width - _GAP, vertical="bottom",
        )  # fmt: skip
    return table


def _print_row(
    console: Console, sheet: Sheet, row: Row, shown: list[int], widths: list[int]
) -> None:
    """Print one row; by hand, because rich takes milliseconds for each."""
    cells = [_cell(sheet.columns[i], row, i).split("\n") for i in shown]
    for k in range(max(map(len, cells))):
        pieces = []
        for i, width, parts in zip(shown, widths, cells, strict=True):
            part = parts[k] if k < len(parts) else ""
            room = " " * (width - _GAP - _width(part))
            pieces.append(room + part if sheet.columns[i].numeric else part + room)
        if console.is_terminal:
            styles = [_style(sheet.columns[i], row, i) for i in shown]
            styled = zip(pieces, styles, strict=True)
            console.print(Text(" " * _GAP).join(Text(p, style) for p, style in styled))
        else:
            console.file.write((" " * _GAP).join(pieces) + "\n")


def _style(column: Column, row: Row, i: int) -> str:
    if i in row.bold:
        return "bold"
    return _STATUS_STYLE.get(row.status, "red") if column.kind == "status" else ""
