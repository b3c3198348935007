"""The leaderboard of one problem: standings, and beside them the conditions of every row."""

from collections.abc import Mapping

from pdebench_lite.analysis.comparison import ProblemComparison
from pdebench_lite.analysis.standings import Standing
from pdebench_lite.report.comparison.conditions import conditions_of, conditions_sheet
from pdebench_lite.report.comparison.sheets import remarks, statistics_in_words
from pdebench_lite.report.comparison.standing_sheet import standing_sheet
from pdebench_lite.report.quantities import described
from pdebench_lite.report.sheet import Column, Sheet, column
from pdebench_lite.report.web.tables import Cell, Json, column_json, value_json

_FACETS = ("backend", "family", "dtype", "device", "budget")
_LATER = (
    "saw",
    "defaults tuned",
    "host took",
    "machine",
    "versions",
)  # blocks, `uses` and `unequal` say in short what differs


def leaderboard(problem: ProblemComparison, ids: Mapping[int, int]) -> Json:
    """Return the leaderboard of a problem.

    Args:
        problem: the comparison on it.
        ids: `id` of an entrant -> its number on the page.
    """
    sheet, every = standing_sheet(problem), conditions_sheet(problem)
    known = {column.head for column in sheet.columns}
    added = [i for i, column in enumerate(every.columns) if column.head not in known]
    conditions = every.blocks[0][1]
    family = column(described("family"))
    blocks = [block for block in problem.blocks if block.standings]
    groups = [
        {
            "heading": heading,
            "rows": [
                {
                    "id": ids[id(standing.entrant)],
                    "cells": [
                        *(
                            _cell(of, text, standing)
                            for of, text in zip(sheet.columns, row.cells, strict=True)
                        ),
                        family.cell(standing.entrant.record),
                        *(conditions[problem.place(standing.entrant)].cells[i] for i in added),
                    ],
                    "bold": sorted(row.bold),
                }
                for row, standing in zip(rows, block.standings, strict=True)
            ],
        }
        for (heading, rows), block in zip(sheet.blocks, blocks, strict=True)
    ]
    columns = [
        *(column_json(of, of.head in _FACETS) for of in sheet.columns),
        column_json(family, facet=True, shown=False),
        *(_condition(every, i) for i in added),
    ]
    rules = [*conditions_of(problem), *statistics_in_words(problem), *sheet.conditions]
    return {
        "title": sheet.title, "rules": rules, "lines": list(map(str, remarks(problem))),
        "columns": columns, "groups": groups,
    }  # fmt: skip


def _cell(column: Column, text: str, standing: Standing) -> Cell:
    return text if column.value is None else value_json(text, column.value(standing))


def _condition(every: Sheet, i: int) -> Json:
    """Return the column of a condition; one that all rows share is said above the table."""
    of = every.columns[i]
    values = {row.cells[i] for row in every.blocks[0][1]}
    shown = len(values) > 1 and of.head not in _LATER
    return column_json(of, of.head in _FACETS, shown)
