"""The tables of a comparison, as sheets."""

from collections.abc import Iterator

from pdebench_lite.compare.comparison import Comparison, ProblemComparison
from pdebench_lite.compare.statistics import seeds_needed
from pdebench_lite.report import wording
from pdebench_lite.report.comparison.conditions import conditions_of, conditions_sheet
from pdebench_lite.report.comparison.course_sheets import equal_error, equal_time
from pdebench_lite.report.comparison.overall_sheets import overall_sheets
from pdebench_lite.report.comparison.pair_sheet import pair_sheet
from pdebench_lite.report.comparison.standing_sheet import standing_sheet
from pdebench_lite.report.sheet import Sheet
from pdebench_lite.report.wording import clean


def sheets(comparison: Comparison, verbose: bool = False, once: bool = False) -> Iterator[Sheet]:
    """Yield the tables, problem by problem, then those over problems.

    Args:
        comparison: what `compare` made.
        verbose: add every pair and the conditions of every row.
        once: whether what holds for all tables of a problem is said above the first only.
    """
    for problem in comparison.problems:
        made = [standing_sheet(problem), equal_time(problem), *equal_error(problem)]
        made += pair_sheet(problem, verbose)
        made += [conditions_sheet(problem)] if verbose else []
        for number, sheet in enumerate(made):
            if number == 0 or not once:
                sheet.conditions = [
                    *conditions_of(problem),
                    *statistics_in_words(problem),
                    *sheet.conditions,
                ]
                sheet.lines = [*remarks(problem), *sheet.lines]
            yield sheet
    yield from overall_sheets(comparison)


def statistics_in_words(problem: ProblemComparison) -> list[str]:
    """Say what the brackets are."""
    sizes = [len(e.outcomes) for e in problem.contest.entrants]
    lines = ["median over seeds, failed runs count as ∞"]
    if max(sizes) >= seeds_needed():
        lines.append("[95% bootstrap interval]")
    if any(1 < n < seeds_needed() for n in sizes):
        lines.append("(smallest to largest)")
    return lines


def remarks(problem: ProblemComparison) -> list[str]:
    """Say in full what a reader must not overlook."""
    lines = [clean(problem.advice)] if problem.advice else []
    if min(len(e.outcomes) for e in problem.contest.entrants) < seeds_needed():
        lines.append(
            f"too few seeds for an interval or a rank where a row says so: below {seeds_needed()}, "
            "even the whole range covers the median with less than 95%"
        )
    if any(problem.audit.elsewhere):
        lines.append(
            "rows from another machine are not ranked against the others: errors after equal steps "
            "compare, times and errors after equal times do not"
        )
    for record in problem.contest.refused:
        line = f"not in the race: {clean(record.label)} ({clean(record.reason)})"
        if line not in lines:
            lines.append(line)
    unknown = problem.contest.bound is None
    if unknown:
        lines.append("the reference has no known bound: differences of any size may be its own")
    return [wording.shorten(line, 400) for line in lines]
