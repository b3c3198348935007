"""Table: final errors with their cost, ranked within equal data."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.comparison import ProblemComparison
from pdebench_lite.analysis.entrants import Key
from pdebench_lite.analysis.seen import knowledge_text
from pdebench_lite.analysis.standings import Standing
from pdebench_lite.analysis.statistics import Estimate
from pdebench_lite.analysis.success import success
from pdebench_lite.analysis.wording import MISSING, clean
from pdebench_lite.registry.quantity import Quantity
from pdebench_lite.report.comparison.cells import (
    amount_cell,
    error_cell,
    level_text,
    seeds_cell,
    share_cell,
)
from pdebench_lite.report.quantities import (
    columns_of,
    described,
    over_seeds,
    over_seeds_text,
)
from pdebench_lite.report.sheet import Column, Kind, Row, Sheet, telling

_ON_FRONT = "●"
_ERROR_OR_NUMBER: tuple[Kind, Kind] = ("number", "error")
TIME = "charged_s"
COSTS: Mapping[str, Callable[[Standing], Estimate]] = {
    TIME: lambda s: s.time,
    "memory_mb": lambda s: s.memory,
}
"""Quantities of which a standing has an estimate, failed runs included."""


def standing_sheet(problem: ProblemComparison) -> Sheet:
    """Return the table of final errors."""
    bound = problem.contest.bound
    columns = [
        rank_column(),
        *entrant_columns(),
        Column("unequal", "name", lambda s: ", ".join(problem.marks(s.entrant))),
        Column("uses", "name", lambda s: knowledge_text(s.entrant.sees)),
        Column("seeds", "word", lambda s: seeds_cell(len(s.entrant.outcomes), s.entrant.failures),
               value=lambda s: len(s.entrant.outcomes)),
        Column("error", "interval", lambda s: error_cell(s.error, bound), value=lambda s: s.error),
        *success_columns(problem),
        Column("IQM", "error", lambda s: error_cell(s.middle, bound).partition(" ")[0],
               value=lambda s: s.middle),
        *(quantity_column(q) for q in columns_of("final", problem.contest.records)),
        Column("trials", "number", lambda s: str(problem.audit.trials[problem.place(s.entrant)]),
               value=lambda s: problem.audit.trials[problem.place(s.entrant)]),
        Column("Pareto", "word", lambda s: _ON_FRONT if s.pareto else ""),
    ]  # fmt: skip
    everyone = [standing for block in problem.blocks for standing in block.standings]
    columns = telling(columns, everyone, "rank", "Pareto", "unequal")
    blocks = [
        (block.heading, [_row(standing, columns) for standing in block.standings])
        for block in problem.blocks
        if block.standings
    ]
    name = problem.contest.metric
    meaning = wording.meaning(name)
    return Sheet(
        title=f"{clean(problem.contest.label)}: final error, {clean(name)}"
        + (f" ({meaning})" if meaning else ""),
        conditions=[
            *success_in_words(problem),
            charged_in_words(),
            "IQM: interquartile mean of log error",
            f"{_ON_FRONT}: no other row of its block and machine is as good in error, time, memory "
            + "and better in one; as for ranks, three shared seeds and an error below that of 0",
            "trials: configurations of the method here",
        ],
        columns=columns,
        blocks=blocks,
    )


def rank_column() -> Column:
    """Return the column of ranks, of whatever has a rank."""
    return Column(
        "rank", "number", lambda s: MISSING if s.rank is None else str(s.rank),
        value=lambda s: s.rank,
    )  # fmt: skip


def entrant_columns(key: Callable[[Any], Key] = lambda row: row.entrant.key) -> list[Column]:
    """Return the columns that name who a row is of.

    Args:
        key: what a row stands for -> who it is of.
    """
    label, backend = described("label"), described("backend")
    return [
        Column(label.head, "name", lambda row: clean(key(row).label)),
        Column(backend.head, "word", lambda row: clean(key(row).backend)),
    ]


def quantity_column(quantity: Quantity, bare: bool = False) -> Column:
    """Return the column of a quantity in a table whose rows are standings.

    Args:
        quantity: a number; costs count a failed run as ∞.
        bare: whether costs are without their interval.
    """
    cost = COSTS.get(quantity.name)
    if cost is None:
        return Column(
            quantity.head, _ERROR_OR_NUMBER[quantity.written == "error"],
            lambda s: over_seeds_text(quantity, s.entrant.records), quantity.unit,
            lambda s: over_seeds(quantity, s.entrant.records),
        )  # fmt: skip
    bare = bare or quantity.name != TIME
    return Column(
        quantity.head, "number" if bare else "interval", lambda s: amount_cell(cost(s), bare),
        quantity.unit, cost,
    )  # fmt: skip


def charged_in_words() -> str:
    """Say what is charged, below tables that have it."""
    charged = described(TIME)
    return f"{charged.head} = {charged.meaning}"


def success_columns(problem: ProblemComparison) -> Iterator[Column]:
    """Return a column for each success rate that was asked for."""

    def column(error: float) -> Column:
        title = f"reached {level_text(error)}"
        return Column(title, "interval", lambda s: share_cell(success(s.entrant, error)))

    return map(column, problem.success)


def success_in_words(problem: ProblemComparison) -> list[str]:
    """Say what success rates are; nothing where none was asked for."""
    if not problem.success:
        return []
    metric = clean(problem.contest.metric)
    return [f"reached: runs that end with {metric} at or below it, of all [95% Wilson interval]"]


def _row(standing: Standing, columns: list[Column]) -> Row:
    bold = {i for i, c in enumerate(columns) if standing.best and c.head in ("rank", "error")}
    return Row([column.cell(standing) for column in columns], bold=frozenset(bold))
