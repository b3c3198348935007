"""Curves: work and precision of every course, and the history of every run, thinned."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pdebench_lite.analysis.comparison import ProblemComparison
from pdebench_lite.analysis.entrants import Entrant
from pdebench_lite.analysis.outcomes import Outcome
from pdebench_lite.analysis.wording import clean
from pdebench_lite.report.figures.data import Entry
from pdebench_lite.report.figures.style import Looks
from pdebench_lite.report.figures.work_precision import curve
from pdebench_lite.report.web.looks import course_look
from pdebench_lite.report.web.tables import Json
from pdebench_lite.report.web.values import number, numbers, thinned
from pdebench_lite.store.records import Store

MOMENTS = 120_000  # on the whole page, of all runs together, and again of all courses
_FEWEST, _MOST = 24, 200  # of one run
_METRICS = 3
_LOSS = "loss"


def moments_each(runs: int) -> int:
    """Return how many moments of each run the page holds."""
    return int(np.clip(MOMENTS // max(runs, 1), _FEWEST, _MOST))


def work_precision(
    problem: ProblemComparison, looks: Looks, ids: Mapping[int, int], most: int
) -> list[Json]:
    """Return the curves of error against charged time: median and range over seeds.

    Args:
        problem: the comparison.
        looks: colours and lines.
        ids: `id` of an entrant -> its number on the page.
        most: moments of each curve.
    """
    made = []
    for block in problem.blocks:
        for course in block.courses:
            if course.targeted:
                continue
            seconds, middle, low, high = curve(course)
            kept = thinned(seconds.size, most)
            made.append(
                {
                    "name": clean(course.key.label), "backend": clean(course.key.backend),
                    "ids": [ids[id(entrant)] for entrant in course.entrants],
                    "given": block.heading, "curve": course.curve is not None,
                    "configurations": [clean(e.key.label) for e in course.entrants],
                    **course_look(course, looks),
                    "seconds": numbers(seconds[kept]), "error": numbers(middle[kept]),
                    "low": numbers(low[kept]), "high": numbers(high[kept]),
                    "seeds": len(course.entrants[0].outcomes),
                }
            )  # fmt: skip
    return made


def metrics_of(problem: ProblemComparison) -> list[str]:
    """Return the errors whose history the page shows: the compared one, then others ranked."""
    ranked = [name for record in problem.contest.records for name in record.ranked]
    return list(dict.fromkeys([problem.contest.metric, *ranked]))[:_METRICS]


def histories(
    problem: ProblemComparison, store: Store, ids: Mapping[int, int], most: int
) -> list[Json]:
    """Return the history of every run, and how it ended.

    Args:
        problem: the comparison.
        store: where the histories are.
        ids: `id` of an entrant -> its number on the page.
        most: moments of each run.
    """
    names = metrics_of(problem)
    return [
        _history(outcome, entrant, names, store, ids[id(entrant)], most)
        for entrant in problem.contest.entrants
        for outcome in entrant.outcomes
    ]


def _history(
    outcome: Outcome, entrant: Entrant, names: list[str], store: Store, number_of: int, most: int
) -> Json:
    record = outcome.record
    made: dict[str, Any] = {
        "id": number_of, "cell": record.cell, "seed": record.seed, "status": record.status,
        "error": number(outcome.final), "charged_s": number(record.charged_s),
    }  # fmt: skip
    table = Entry(record, store.folder(record.cell)).history
    if table is None or "charged_s" not in table:
        return made
    kept = table.iloc[thinned(len(table), most)]
    for name in ("charged_s", "step", *names, _LOSS):
        if name in kept:
            made.setdefault("history", {})[name] = numbers(
                kept[name].to_numpy(float, na_value=np.nan)
            )
    return made
