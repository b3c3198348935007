"""The leaderboard of one problem: standings, and beside them the conditions of every row."""

from collections.abc import Callable, Mapping

from pdebench_lite.analysis.comparison import ProblemComparison
from pdebench_lite.analysis.standings import Standing
from pdebench_lite.analysis.statistics import Estimate
from pdebench_lite.analysis.wording import clean
from pdebench_lite.report.comparison.conditions import conditions_of, conditions_sheet
from pdebench_lite.report.comparison.sheets import remarks, statistics_in_words
from pdebench_lite.report.comparison.standing_sheet import standing_sheet
from pdebench_lite.report.sheet import Column, Sheet
from pdebench_lite.report.web.tables import Cell, Json, cell_json, column_json, estimate_json

_ESTIMATES: Mapping[str, Callable[[Standing], Estimate]] = {
    "error": lambda s: s.error,
    "IQM": lambda s: s.middle,
    "charged": lambda s: s.time,
    "memory": lambda s: s.memory,
}
_VALUES: Mapping[str, Callable[[Standing], float | None]] = {
    "rank": lambda s: s.rank,
    "seeds": lambda s: len(s.entrant.outcomes),
    "params": lambda s: s.entrant.record.params,
}
_FACETS = ("backend", "family", "precision", "device", "budget")
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
    family = Column("family", "word", lambda s: clean(s.entrant.record.family))
    blocks = [block for block in problem.blocks if block.standings]
    groups = [
        {
            "heading": heading,
            "rows": [
                {
                    "id": ids[id(standing.entrant)],
                    "cells": [
                        *(
                            _cell(column, text, standing)
                            for column, text in zip(sheet.columns, row.cells, strict=True)
                        ),
                        family.cell(standing),
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
        *(column_json(column, column.head in _FACETS) for column in sheet.columns),
        column_json(family, facet=True, shown=False),
        *(_condition(every, i) for i in added),
    ]
    rules = [*conditions_of(problem), *statistics_in_words(problem), *sheet.conditions]
    return {
        "title": sheet.title, "rules": rules, "lines": list(map(str, remarks(problem))),
        "columns": columns, "groups": groups,
    }  # fmt: skip


def _cell(column: Column, text: str, standing: Standing) -> Cell:
    if column.head in _ESTIMATES:
        return estimate_json(text, _ESTIMATES[column.head](standing))
    if column.head in _VALUES:
        return cell_json(text, _VALUES[column.head](standing))
    return cell_json(text, float(text)) if column.numeric and text.isdecimal() else text


def _condition(every: Sheet, i: int) -> Json:
    """Return the column of a condition; one that all rows share is said above the table."""
    column = every.columns[i]
    values = {row.cells[i] for row in every.blocks[0][1]}
    shown = len(values) > 1 and column.head not in _LATER
    return column_json(column, column.head in _FACETS, shown)
