"""A comparison as JSON objects, and as a long table of one line per number."""

import csv
import io
from collections.abc import Iterator
from math import isfinite
from typing import Any

from pdebench_lite.analysis.comparison import Block, Comparison, ProblemComparison
from pdebench_lite.analysis.courses import Course
from pdebench_lite.analysis.entrants import Entrant, Key
from pdebench_lite.analysis.overall import Overall
from pdebench_lite.analysis.profiles import RATIOS
from pdebench_lite.analysis.statistics import Estimate, estimate
from pdebench_lite.analysis.steps import StepCost, step_costs
from pdebench_lite.analysis.success import success
from pdebench_lite.analysis.wording import finite
from pdebench_lite.registry.quantity import Quantity
from pdebench_lite.report.comparison.standing_sheet import COSTS
from pdebench_lite.report.quantities import columns_of, over_seeds
from pdebench_lite.report.table import csv_text

_HEAD = (
    "problem", "given", "method", "backend", "dtype", "device", "unequal", "table", "quantity",
    "at", "value", "low", "high", "interval", "runs", "misses", "rank", "best", "pareto",
)  # fmt: skip


def as_json(comparison: Comparison) -> dict[str, Any]:
    """Return everything as JSON values.

    An estimate is an object; its `value`, `low` and `high` are null where they are not finite, and
    `misses` says how many of its `runs` are ∞.
    """
    return {
        "problems": [_problem(problem) for problem in comparison.problems],
        "over_problems": {
            "times_s": list(comparison.times),
            "errors": list(comparison.errors),
            "within_times_the_best": list(RATIOS),
            "blocks": [
                {
                    "given": block.heading,
                    "problems": block.problems,
                    "methods": [_overall(row) for row in block.rows],
                }
                for block in comparison.overall
            ],
        },
    }


def _problem(problem: ProblemComparison) -> dict[str, Any]:
    return {
        "problem": problem.contest.label,
        "metric": problem.contest.metric,
        "reference_bound": problem.contest.bound,
        "classical": str(problem.advice or "present"),
        "common": problem.audit.common,
        "times_s": list(problem.times),
        "errors": list(problem.errors),
        "success_errors": list(problem.success),
        "blocks": [
            {
                "given": block.heading,
                "final": [
                    {
                        **_who(s.entrant.key),
                        **_conditions(problem, s.entrant),
                        "seeds": s.entrant.seeds,
                        "failures": s.entrant.failures,
                        "rank": s.rank,
                        "best": s.best,
                        "pareto": s.pareto,
                        "error": _estimate(s.error),
                        "success": [_estimate(success(s.entrant, e)) for e in problem.success],
                        "iqm": _estimate(s.middle),
                        **{name: _estimate(cost(s)) for name, cost in COSTS.items()},
                        **{q.name: over_seeds(q, s.entrant.records) for q in _final(problem)},
                    }
                    for s in block.standings
                ],
                "steps": [_steps(cost) for cost in step_costs(_first(block))],
                "courses": [_course(problem, course) for course in block.courses],
                "pairs": [
                    {
                        "one": _who(pair.first.key),
                        "other": _who(pair.second.key),
                        "shared_seeds": list(pair.shared),
                        "error_ratio": _estimate(pair.ratio),
                        "probability_of_improvement": _estimate(pair.improvement),
                    }
                    for pair in block.pairs
                ],
            }
            for block in problem.blocks
        ],
        "unsupported": [{"method": r.label, "reason": r.reason} for r in problem.contest.refused],
    }


def _final(problem: ProblemComparison) -> list[Quantity]:
    """Return what is said of final errors besides them and the costs."""
    shown = columns_of("final", problem.contest.records)
    return [quantity for quantity in shown if quantity.name not in COSTS]


def _who(key: Key) -> dict[str, Any]:
    return {"method": key.label, "backend": key.backend, "dtype": key.dtype, "device": key.device}


def _conditions(problem: ProblemComparison, entrant: Entrant) -> dict[str, Any]:
    place = problem.place(entrant)
    return {
        "unequal": problem.audit.marks[place],
        "conditions": problem.audit.values[place],
        "sees": entrant.sees,
        "trials": problem.audit.trials[place],
    }


def _course(problem: ProblemComparison, course: Course) -> dict[str, Any]:
    def read(values: list[float] | None) -> dict[str, Any] | None:
        return None if values is None else _estimate(estimate([values]))

    return {
        **_who(course.key),
        "unequal": problem.marks(*course.entrants),
        "configurations": [entrant.key.label for entrant in course.entrants],
        "error_at_times": [read(course.at(t)) for t in problem.times],
        "seconds_to_errors": [read(course.to(e)) for e in problem.errors],
        "memory_mb_to_errors": [read(course.memory(e)) for e in problem.errors],
    }


def _first(block: Block) -> list[Entrant]:
    return [course.entrants[0] for course in block.courses]


def _steps(cost: StepCost) -> dict[str, Any]:
    return {
        **_who(cost.entrant.key),
        "steps": _estimate(cost.steps),
        "evaluations": _estimate(cost.evaluations),
        "step_s": _estimate(cost.step),
        "evaluation_s": _estimate(cost.evaluation),
        "over_the_shortest": cost.ratio,
    }


def _overall(row: Overall) -> dict[str, Any]:
    return {
        **_who(row.key),
        "unequal": list(row.marks),
        "problems": row.problems,
        "rank": row.rank,
        "best": row.best,
        "error": _estimate(row.final),
        "error_at_times": [_estimate(of) for of in row.at],
        "reached": list(row.reached),
        "seconds_to_errors": [_estimate(of) for of in row.to],
        "profile": row.profile,
    }


def _estimate(of: Estimate | None) -> dict[str, Any] | None:
    if of is None:
        return None
    return {
        "value": finite(of.value),
        "low": finite(of.low),
        "high": finite(of.high),
        "interval": of.interval,
        "runs": of.n,
        "misses": of.misses,
    }


# ---- csv -------------------------------------------------------------------------------------


def as_csv(comparison: Comparison) -> str:
    """Return one line per number; ∞ is written `inf`, what is not known is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEAD)
    for line in _lines(comparison):
        writer.writerow([csv_text(line.get(name)) for name in _HEAD])
    return out.getvalue()


def _lines(comparison: Comparison) -> Iterator[dict[str, Any]]:
    for problem in comparison.problems:
        for block in problem.blocks:
            where = {"problem": problem.contest.label, "given": block.heading}
            for s in block.standings:
                who = {**where, **_who(s.entrant.key), "table": "final"}
                who["unequal"] = "; ".join(problem.marks(s.entrant))
                placed = {"rank": s.rank, "best": s.best, "pareto": s.pareto}
                yield {**who, **placed, **_number("error", s.error)}
                for e in problem.success:
                    yield {**who, "at": e, **_number("success", success(s.entrant, e))}
                yield {**who, **_number("iqm", s.middle)}
                for name, read in COSTS.items():
                    yield {**who, **_number(name, read(s))}
                for q in _final(problem):
                    value = over_seeds(q, s.entrant.records)
                    yield {**who, "quantity": q.name, "value": value}
            for cost in step_costs(_first(block)):
                who = {**where, **_who(cost.entrant.key), "table": "steps"}
                yield {**who, **_number("step_s", cost.step)}
                yield {**who, **_number("evaluation_s", cost.evaluation)}
            for course in block.courses:
                yield from _course_lines(problem, course, where)
            for pair in block.pairs:
                other = f"{pair.second.key.label} · {pair.second.key.backend}"
                who = {**where, **_who(pair.first.key), "table": "pair", "at": other}
                yield {**who, **_number("error_ratio", pair.ratio)}
                yield {**who, **_number("probability_of_improvement", pair.improvement)}
    for block_of_all in comparison.overall:
        for row in block_of_all.rows:
            who = {
                "problem": "all",
                "given": block_of_all.heading,
                **_who(row.key),
                "table": "over problems",
            }
            who["unequal"] = "; ".join(row.marks)
            yield {**who, "rank": row.rank, "best": row.best, **_number("error", row.final)}
            for t, of in zip(comparison.times, row.at, strict=True):
                yield {**who, "at": t, **_number("error_at_time", of)}
            for e, of in zip(comparison.errors, row.to, strict=True):
                yield {**who, "at": e, **_number("seconds_to_error", of)}
            for tau, share in zip(RATIOS, row.profile or (), strict=False):
                yield {**who, "at": tau, "quantity": "profile", "value": share}


def _course_lines(
    problem: ProblemComparison, course: Course, where: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    who = {**where, **_who(course.key), "unequal": "; ".join(problem.marks(*course.entrants))}
    for t in problem.times:
        if values := course.at(t):
            line = _number("error_at_time", estimate([values]))
            yield {**who, "table": "equal time", "at": t, **line}
    for e in problem.errors:
        for name, values in (("seconds_to_error", course.to(e)), ("memory_mb", course.memory(e))):
            if values:
                line = _number(name, estimate([values]))
                yield {**who, "table": "equal error", "at": e, **line}


def _number(quantity: str, of: Estimate | None) -> dict[str, Any]:
    if of is None:
        return {"quantity": quantity}
    values = {"value": of.value, "low": of.low, "high": of.high}
    words = {k: v if v is None or isfinite(v) else "inf" for k, v in values.items()}
    return {
        "quantity": quantity, **words, "interval": of.interval, "runs": of.n, "misses": of.misses
    }  # fmt: skip
