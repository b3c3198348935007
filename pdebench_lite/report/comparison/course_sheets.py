"""Tables: errors at equal times; time, and memory, at equal errors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pdebench_lite.analysis.comparison import ProblemComparison
from pdebench_lite.analysis.courses import Course, Values
from pdebench_lite.analysis.ranking import best
from pdebench_lite.analysis.statistics import Estimate, estimate
from pdebench_lite.analysis.wording import MISSING, clean
from pdebench_lite.report.comparison.cells import amount_cell, error_cell, level_text
from pdebench_lite.report.comparison.standing_sheet import entrant_columns
from pdebench_lite.report.sheet import Column, Row, Sheet, telling

CURVE = "a curve: a classical solver at its best resolution for each column"


@dataclass(frozen=True)
class _Quantity:
    """One column: what is read of a course, how it is written, whether the best is bold."""

    head: str
    unit: str
    read: Callable[[Course], Values | None]
    write: Callable[[Estimate | None], str]
    ranked: bool = True


def equal_time(problem: ProblemComparison) -> Sheet:
    """Return the table of errors at equal times."""
    metric, bound = clean(problem.contest.metric), problem.contest.bound
    quantities = [
        _Quantity(
            f"at {t:g} s", "", lambda c, t=t: c.at(t), lambda e: error_cell(e, bound)  # type: ignore[misc]
        )
        for t in problem.times
    ]  # fmt: skip
    rules = [
        f"{metric} at the last evaluation at or before a charged time, a budget's at its end",
        "∞: no answer yet, or failed",
        f"{MISSING}: the budget had ended",
    ]
    title = f"{clean(problem.contest.label)}: error at equal times"
    return _sheet(problem, title, rules, quantities, lambda course: not course.targeted)


def time_to_error(problem: ProblemComparison) -> Sheet:
    """Return the table of charged times to equal errors."""
    quantities = [
        _Quantity(f"to {level_text(e)}", "s", lambda c, e=e: c.to(e), amount_cell)  # type: ignore[misc]
        for e in problem.errors
    ]
    title = f"{clean(problem.contest.label)}: charged time to equal errors"
    return _sheet(problem, title, _reaching(problem), quantities)


def memory_to_error(problem: ProblemComparison) -> Sheet:
    """Return the table of peak memory until equal errors were reached."""
    quantities = [
        _Quantity(f"to {level_text(e)}", "MB", lambda c, e=e: c.memory(e), _bare, ranked=False)  # type: ignore[misc]
        for e in problem.errors
    ]
    title = f"{clean(problem.contest.label)}: peak memory to equal errors"
    return _sheet(problem, title, _reaching(problem), quantities)


def equal_error(problem: ProblemComparison) -> list[Sheet]:
    """Return both tables at equal errors."""
    return [time_to_error(problem), memory_to_error(problem)]


def _reaching(problem: ProblemComparison) -> list[str]:
    metric = clean(problem.contest.metric)
    return [
        f"until the first evaluation with {metric} at or below that error",
        "∞: missed, or failed",
    ]


def _bare(of: Estimate | None) -> str:
    return amount_cell(of, bare=True)


def _sheet(
    problem: ProblemComparison,
    title: str,
    rules: list[str],
    quantities: Sequence[_Quantity],
    wanted: Callable[[Course], bool] = lambda course: True,
) -> Sheet:
    """Make a table: who, what was unequal, one column for each quantity."""
    names = entrant_columns(lambda course: course.key)
    marks = Column("unequal", "name", lambda c: ", ".join(problem.marks(*c.entrants)))
    everyone = [course for block in problem.blocks for course in block.courses]
    names = telling([*names, marks], everyone, marks.head)
    columns = [*names, *(Column(q.head, "interval", str, q.unit) for q in quantities)]
    blocks = []
    for block in problem.blocks:
        shown = [course for course in block.courses if wanted(course)]
        if not shown:
            continue
        bold: list[set[int]] = [set() for _ in shown]
        cells = [[column.cell(course) for column in names] for course in shown]
        for i, quantity in enumerate(quantities, len(names)):
            read = [quantity.read(course) for course in shown]
            found = [None if values is None else estimate([values]) for values in read]
            for row, of, winner in zip(
                range(len(shown)), found, _best(problem, shown, found), strict=True
            ):
                cells[row].append(quantity.write(of))
                if winner and quantity.ranked:
                    bold[row].add(i)
        rows = [
            Row(texts, bold=frozenset(best_of)) for texts, best_of in zip(cells, bold, strict=True)
        ]
        blocks.append((block.heading, rows))
    curves = (len(c.entrants) > 1 for block in problem.blocks for c in block.courses)
    return Sheet(title, [*rules, CURVE] if any(curves) else rules, columns, blocks)


def _best(
    problem: ProblemComparison, shown: Sequence[Course], found: Sequence[Estimate | None]
) -> list[bool]:
    """Say which courses nobody beats, among those that were run on the same machine."""
    away = [problem.audit.elsewhere[problem.place(course.entrants[0])] for course in shown]
    return best([None if a else of for a, of in zip(away, found, strict=True)])
