"""Tables for the page: the sheets of the reports, with what their cells are sorted by."""

import re
from collections.abc import Sequence
from math import inf
from typing import Any, TypeAlias

from pdebench_lite.analysis.statistics import Estimate
from pdebench_lite.analysis.wording import AT_BOUND
from pdebench_lite.report.comparison.cells import MISS
from pdebench_lite.report.sheet import Column, Sheet
from pdebench_lite.report.web.values import number

Json: TypeAlias = dict[str, Any]
Cell: TypeAlias = str | list[Any]
"""A text, or a text and what it is sorted by: the value, and the ends of its interval if any."""

_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?(e[+-]?\d+)?")


def column_json(column: Column, facet: bool = False, shown: bool = True) -> Json:
    """Return a column.

    Args:
        column: the column.
        facet: whether rows can be chosen by its values.
        shown: whether it is shown before the reader asks for it.
    """
    return {
        "head": column.head, "unit": column.unit, "kind": column.kind,
        "numeric": column.numeric, "facet": facet, "shown": shown,
    }  # fmt: skip


def cell_json(text: str, *values: float | None) -> Cell:
    """Return a cell: its text, what it is sorted by, and the ends of an interval."""
    return [text, *map(number, values)]


def value_json(text: str, value: Estimate | float | None) -> Cell:
    """Return the cell of a number, or of an estimate with the ends of its interval."""
    if isinstance(value, Estimate):
        return cell_json(text, value.value, value.low, value.high)
    return cell_json(text, value)


def sheet_json(sheet: Sheet, ids: Sequence[Sequence[int | None]] | None = None) -> Json:
    """Return a sheet as a table of the page.

    Args:
        sheet: the sheet.
        ids: for each block and row the number of the entrant that it is of.
    """
    return {
        "title": sheet.title,
        "rules": sheet.conditions,
        "lines": list(map(str, sheet.lines)),
        "columns": [column_json(column) for column in sheet.columns],
        "groups": [
            {
                "heading": heading,
                "rows": [
                    {
                        "cells": [
                            _read(text) if column.numeric else text
                            for column, text in zip(sheet.columns, row.cells, strict=True)
                        ],
                        "bold": sorted(row.bold),
                        **({"id": ids[b][r]} if ids is not None else {}),
                    }
                    for r, row in enumerate(rows)
                ],
            }
            for b, (heading, rows) in enumerate(sheet.blocks)
        ],
    }


def _read(text: str) -> Cell:
    """Return the cell of a number that is known by its text only."""
    found = _NUMBER.match(text)
    if text.startswith(MISS):
        return cell_json(text, inf)
    if text.replace("\N{NO-BREAK SPACE}", " ").startswith(AT_BOUND):
        return cell_json(text, 0.0)
    return cell_json(text, float(found[0]) if found else None)
