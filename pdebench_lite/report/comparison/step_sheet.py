"""Table: what a step of training costs, and an evaluation of the loss with its gradient."""

from dataclasses import replace

from pdebench_lite.analysis.comparison import ProblemComparison
from pdebench_lite.analysis.statistics import Estimate
from pdebench_lite.analysis.steps import step_costs
from pdebench_lite.analysis.wording import clean
from pdebench_lite.report.comparison.cells import amount_cell
from pdebench_lite.report.comparison.standing_sheet import entrant_columns, quantity_column
from pdebench_lite.report.quantities import described
from pdebench_lite.report.sheet import Column, Row, Sheet, telling


def step_sheet(problem: ProblemComparison) -> list[Sheet]:
    """Return the table of steps, if anything was trained."""
    columns = [
        *entrant_columns(),
        Column("unequal", "name", lambda c: ", ".join(problem.marks(c.entrant))),
        quantity_column(described("params")),
        Column("steps", "number", lambda c: f"{c.steps.value:.0f}"),
        Column("evaluations", "number", lambda c: f"{c.evaluations.value:.0f}"),
        Column("step", "interval", lambda c: _milliseconds(c.step), "ms"),
        Column("evaluation", "interval", lambda c: _milliseconds(c.evaluation), "ms"),
        Column("over the shortest", "number", lambda c: f"{c.ratio:.2f}"),
    ]
    made = [
        (block.heading, step_costs([course.entrants[0] for course in block.courses]))
        for block in problem.blocks
    ]
    blocks = [(heading, costs) for heading, costs in made if costs]
    if not blocks:
        return []
    columns = telling(columns, [c for _, costs in blocks for c in costs], "unequal")
    rules = [
        "seconds of training, compilation apart, over what was counted",
        "evaluation: of the loss with its gradient, on as many points as each method was told",
        "over the shortest: of the block, on the same backend",
    ]
    rows = [
        (heading, [Row([c.cell(k) for c in columns]) for k in costs]) for heading, costs in blocks
    ]
    return [Sheet(f"{clean(problem.contest.label)}: cost of a step", rules, columns, rows)]


def _milliseconds(of: Estimate) -> str:
    low, high = (None if end is None else 1e3 * end for end in (of.low, of.high))
    return amount_cell(replace(of, value=1e3 * of.value, low=low, high=high))
