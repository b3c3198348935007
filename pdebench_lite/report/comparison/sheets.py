"""The tables of a comparison, as sheets."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.comparison import Comparison, ProblemComparison
from pdebench_lite.analysis.fairness import MIXED_SOURCE
from pdebench_lite.analysis.remark import Remark
from pdebench_lite.analysis.statistics import seeds_needed
from pdebench_lite.analysis.wording import clean
from pdebench_lite.errors import unknown_name
from pdebench_lite.report.comparison.conditions import conditions_of, conditions_sheet
from pdebench_lite.report.comparison.course_sheets import equal_time, memory_to_error, time_to_error
from pdebench_lite.report.comparison.overall_sheets import overall_sheets
from pdebench_lite.report.comparison.pair_sheet import pair_sheet
from pdebench_lite.report.comparison.standing_sheet import standing_sheet
from pdebench_lite.report.comparison.step_sheet import step_sheet
from pdebench_lite.report.sheet import Sheet

TABLES = ("final", "time", "error", "memory", "steps", "pairs", "conditions", "overall")
_ASKED = frozenset({"steps", "conditions"})  # written where they are asked for


def sheets(
    comparison: Comparison, verbose: bool = False, once: bool = False, only: Collection[str] = ()
) -> Iterator[Sheet]:
    """Yield the tables, problem by problem, then those over problems.

    Args:
        comparison: what `compare` made.
        verbose: add every pair, the cost of steps and the conditions of every row.
        once: whether what holds for all tables of a problem is said above the first only.
        only: which of `TABLES` are wanted; empty means all, steps and conditions if `verbose`.

    Raises:
        PdebenchError: there is no such table.
    """
    for name in only:
        if name not in TABLES:
            raise unknown_name("table", name, TABLES)
    wanted = set(only) or set(TABLES) - (set() if verbose else _ASKED)
    for problem in comparison.problems:
        makers: dict[str, Callable[[], list[Sheet]]] = {
            "final": lambda p=problem: [standing_sheet(p)],  # type: ignore[misc]
            "time": lambda p=problem: [equal_time(p)],  # type: ignore[misc]
            "error": lambda p=problem: [time_to_error(p)],  # type: ignore[misc]
            "memory": lambda p=problem: [memory_to_error(p)],  # type: ignore[misc]
            "steps": lambda p=problem: step_sheet(p),  # type: ignore[misc]
            "pairs": lambda p=problem: pair_sheet(p, verbose),  # type: ignore[misc]
            "conditions": lambda p=problem: [conditions_sheet(p)],  # type: ignore[misc]
        }
        made = [sheet for name in makers if name in wanted for sheet in makers[name]()]
        for number, sheet in enumerate(made):
            if number == 0 or not once:
                sheet.conditions = [
                    *conditions_of(problem),
                    *statistics_in_words(problem),
                    *sheet.conditions,
                ]
                sheet.lines = [*remarks(problem), *sheet.lines]
            yield sheet
    if "overall" in wanted:
        yield from overall_sheets(comparison)


def over_what(problem: ProblemComparison) -> str:
    """Say what the runs of a row differ in: seeds, and parameters of the problem if so asked."""
    return " and ".join(["seeds", *(f"values of {clean(n)}" for n in problem.contest.over)])


def statistics_in_words(problem: ProblemComparison) -> list[str]:
    """Say what the brackets are."""
    sizes = [len(e.outcomes) for e in problem.contest.entrants]
    lines = [f"median over {over_what(problem)}, failed runs count as ∞"]
    if max(sizes) >= seeds_needed():
        lines.append("[95% bootstrap interval]")
    if any(1 < n < seeds_needed() for n in sizes):
        lines.append("(smallest to largest)")
    return lines


def remarks(problem: ProblemComparison) -> list[Remark]:
    """Say in full what a reader must not overlook."""
    lacking, lines = problem.advice, []
    if min(len(e.outcomes) for e in problem.contest.entrants) < seeds_needed():
        lines.append(
            f"too few seeds for an interval or a rank where a row says so: below {seeds_needed()}, "
            "even the whole range covers the median with less than 95%"
        )
    lines += problem.beside
    if any(problem.audit.elsewhere):
        lines.append(
            "rows from another machine are not ranked against the others: errors after equal steps "
            "compare, times and errors after equal times do not"
        )
    lines += _of_sources(problem)
    if wording.stolen_text(problem.contest.records):
        lines.append(wording.HOST_TOOK)
    if wording.waited_text(problem.contest.records):
        lines.append(wording.WAITED)
    for record in problem.contest.refused:
        who = f"{clean(record.label)} · {record.backend}"
        line = f"not in the race: {who} ({clean(record.reason)})"
        if line not in lines:
            lines.append(line)
    if problem.contest.left_out:
        others = sorted({clean(e.record.label) for e in problem.contest.left_out})
        lines.append(f"left out by --methods, though they ran: {', '.join(others)}")
    lines = [*map(_short, lines), *_tuned(problem)]  # what methods state stays, however many
    if problem.contest.bound is None:
        lines.append("the reference has no known bound: differences of any size may be its own")
    made = [replace(lacking, text=_short(lacking.text))] if lacking else []
    return [*made, *map(Remark, lines)]


def _of_sources(problem: ProblemComparison) -> list[str]:
    """Explain the marks of rows that other code ran: in which packages it differs."""
    marks: dict[str, list[str]] = {}
    for mark, names in problem.audit.sources.items():
        marks.setdefault(", ".join(map(clean, names)), []).append(mark)
    what = "run by other code than rows that name no source"
    said: list[str] = []
    for packages, alike in marks.items():
        said.append(f"{' and '.join(alike)}: {'likewise' if said else what} ({packages})")
    lines = ["; ".join(said)] if said else []
    if any(MIXED_SOURCE in found for found in problem.audit.marks):
        lines.append(f"{MIXED_SOURCE}: the runs of the row were not all by the same code")
    return lines


def _tuned(problem: ProblemComparison) -> list[str]:
    """Say on what the defaults of the methods were tuned that learn, trials of its task in full."""
    methods = dict.fromkeys(e.record.method for e in problem.contest.entrants if not e.classical)
    stated = {name: wording.tuning(name, problem.contest.label) for name in methods}
    if not any(stated.values()):
        return []
    said = (f"{clean(name)}: {_short(text) or 'not stated'}" for name, text in stated.items())
    return [f"default settings were tuned: {'; '.join(said)}"]


def _short(line: str) -> str:
    return wording.shorten(line, 600)
