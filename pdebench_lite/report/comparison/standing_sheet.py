"""Table: final errors with their cost, ranked within equal data."""

from collections.abc import Iterator

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.comparison import ProblemComparison
from pdebench_lite.analysis.entrants import Entrant
from pdebench_lite.analysis.seen import knowledge_text
from pdebench_lite.analysis.standings import Standing
from pdebench_lite.analysis.success import success
from pdebench_lite.analysis.wording import MISSING, clean
from pdebench_lite.report.comparison.cells import (
    amount_cell,
    error_cell,
    level_text,
    seeds_cell,
    share_cell,
)
from pdebench_lite.report.sheet import Column, Row, Sheet, telling

_ON_FRONT = "●"


def standing_sheet(problem: ProblemComparison) -> Sheet:
    """Return the table of final errors."""
    bound = problem.contest.bound
    columns = [
        Column("rank", "number", lambda s: MISSING if s.rank is None else str(s.rank)),
        *entrant_columns(),
        Column("unequal", "name", lambda s: ", ".join(problem.marks(s.entrant))),
        Column("uses", "name", lambda s: knowledge_text(s.entrant.sees)),
        Column("seeds", "word", lambda s: seeds_cell(len(s.entrant.outcomes), s.entrant.failures)),
        Column("error", "interval", lambda s: error_cell(s.error, bound)),
        *success_columns(problem),
        Column("IQM", "error", lambda s: error_cell(s.middle, bound).partition(" ")[0]),
        Column("charged", "interval", lambda s: amount_cell(s.time), "s"),
        Column("memory", "number", lambda s: amount_cell(s.memory, bare=True), "MB"),
        Column("params", "number", lambda s: params_text(s.entrant)),
        Column("trials", "number", lambda s: str(problem.audit.trials[problem.place(s.entrant)])),
        Column("Pareto", "word", lambda s: _ON_FRONT if s.pareto else ""),
    ]
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
            "charged = data + compile + train",
            "IQM: interquartile mean of log error",
            f"{_ON_FRONT}: no other row of its block and machine is as good in error, time, memory "
            + "and better in one; as for ranks, three shared seeds and an error below that of 0",
            "trials: configurations of the method here",
        ],
        columns=columns,
        blocks=blocks,
    )


def entrant_columns() -> list[Column]:
    """Return the columns that name who a row with an `entrant` is."""
    return [
        Column("method", "name", lambda s: clean(s.entrant.key.label)),
        Column("backend", "word", lambda s: clean(s.entrant.key.backend)),
    ]


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


def params_text(entrant: Entrant) -> str:
    """Write how many parameters an entrant trains."""
    counts = sorted({r.params for r in entrant.records if r.params is not None})
    return "/".join(map(str, counts)) or MISSING
