"""Sheets as GitHub-flavoured Markdown."""

import re
from collections.abc import Iterable, Iterator

from pdebench_lite.report.sheet import Column, Row, Sheet

_SPECIAL = re.compile(r"[\\`*\[<>|~#$&!@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")


def escape(text: str) -> str:
    """Return text that Markdown shows as it is, in a table cell too."""
    return _SPECIAL.sub(lambda m: f"\\{m[0]}", text)


def code(text: str) -> str:
    """Return one line of text as a code span, in which nothing is escaped: it can be copied.

    CommonMark 0.31, 6.1: the fence is longer than any run of backticks within.
    """
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    room = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{room}{text}{room}{fence}"


def markdown(sheets: Iterable[Sheet]) -> str:
    """Write sheets as Markdown: a heading, the conditions, one table each."""
    return "\n".join(line for sheet in sheets for line in _lines(sheet))


def _lines(sheet: Sheet) -> Iterator[str]:
    columns = sheet.columns
    yield f"### {escape(sheet.title)}\n"
    conditions = "; ".join(sheet.conditions)
    if conditions:
        yield f"{escape(conditions[:1].upper() + conditions[1:])}.\n"
    for line in sheet.lines:
        command = f": {code(line.command)}" if line.command else ""
        yield f"{escape(line.text[:1].upper() + line.text[1:])}{command}.\n"
    yield _line(escape(f"{c.head} ({c.unit})" if c.unit else c.head) for c in columns)
    yield _line("---:" if c.numeric else ":---" for c in columns)
    named = next(i for i, column in enumerate(columns) if column.kind == "name")
    for heading, rows in sheet.blocks:
        if heading:
            yield _line(f"*{escape(heading)}*" if i == named else "" for i in range(len(columns)))
        for row in rows:
            yield _line(_cell(column, row, i, sheet) for i, column in enumerate(columns))
    yield ""


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(column: Column, row: Row, i: int, sheet: Sheet) -> str:
    cell = escape(row.cells[i])
    if column.kind == "status" and row.note:
        return f"{cell}: {escape(sheet.notes[row.note - 1])}"
    return f"**{cell}**" if i in row.bold and cell else cell
