"""Table: pairs of entrants on the seeds that they share."""

from pdebench_lite.analysis.comparison import Block, ProblemComparison
from pdebench_lite.analysis.entrants import Entrant
from pdebench_lite.analysis.pairs import Pair
from pdebench_lite.analysis.wording import clean
from pdebench_lite.report.comparison.cells import probability_cell, ratio_cell
from pdebench_lite.report.sheet import Column, Row, Sheet


def pair_sheet(problem: ProblemComparison, every: bool) -> list[Sheet]:
    """Return the table of pairs, if there are any.

    Args:
        problem: the comparison on one problem.
        every: whether all pairs are shown, and not the leader of each block against the others.
    """
    runs = "runs" if problem.contest.over else "seeds"
    columns = [
        Column("one", "name", lambda p: _name(p.first)),
        Column("other", "name", lambda p: _name(p.second)),
        Column(f"shared {runs}", "number", lambda p: str(len(p.shared))),
        Column("error ratio", "interval", lambda p: ratio_cell(p.ratio) if p.shared else "–"),
        Column("P(one is better)", "interval", lambda p: probability_cell(p.improvement)),
    ]
    blocks = [
        (block.heading, [Row([column.cell(pair) for column in columns]) for pair in chosen])
        for block in problem.blocks
        if (chosen := _chosen(block, every))
    ]
    if not blocks:
        return []
    title = f"{clean(problem.contest.label)}: pairs on shared {runs}"
    rules = [
        f"error ratio: median over shared {runs} of the error of one over the other's",
        "P: probability that a run of one has the smaller error, ties count half",
    ]
    return [Sheet(title, rules, columns, blocks)]


def _chosen(block: Block, every: bool) -> list[Pair]:
    """Return pairs that say something: two resolutions of a classical solver do not."""
    pairs = [p for p in block.pairs if not (p.first.classical and p.second.classical)]
    if every or not block.standings:
        return pairs
    leader = block.standings[0].entrant
    return [pair for pair in pairs if pair.first is leader]


def _name(entrant: Entrant) -> str:
    return f"{clean(entrant.key.label)} · {clean(entrant.key.backend)}"
