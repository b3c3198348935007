"""Over problems: what holds of an entrant on all of them together."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from pdebench_lite.analysis.courses import Course, Values
from pdebench_lite.analysis.entrants import Key
from pdebench_lite.analysis.profiles import performance_profile, performance_ratios
from pdebench_lite.analysis.ranking import best, ranks
from pdebench_lite.analysis.seen import data_text
from pdebench_lite.analysis.statistics import Estimate, estimate, iqm, median
from pdebench_lite.analysis.wording import budget_text


@dataclass(frozen=True)
class Terms:
    """On what terms an entrant ran on one problem: its data, its budget, what was unequal."""

    data: Mapping[str, int | bool]
    budget: str
    marks: Sequence[str]


@dataclass(frozen=True)
class Part:
    """What one problem contributes.

    Attributes:
        courses: its courses.
        terms: on what terms each of them ran.
        errors: errors that somebody reached on it.
    """

    courses: Sequence[Course]
    terms: Mapping[Key, Terms]
    errors: Sequence[float]


@dataclass(frozen=True)
class Overall:
    """One entrant over all problems; None stands for what is not known.

    Means over different problems do not compare, so who did not run all problems of its block has
    no figures.

    Attributes:
        key: who.
        problems: how many problems it ran.
        marks: what was unequal for it on any of them.
        final: interquartile mean of the logarithm of the final error, as an error.
        at: for each time the interquartile mean of the logarithm of the error, as an error.
        reached: for each error the share of runs that reached it, the mean of that of each problem.
        to: for each error the median time over problems and seeds, misses included.
        profile: share of (problem, error) instances solved within each of `profiles.RATIOS` times
            the best; None also where it has nobody to be compared with.
        rank, best: by `final`, among those of the block.
    """

    key: Key
    problems: int
    marks: Sequence[str]
    final: Estimate | None
    at: Sequence[Estimate | None]
    reached: Sequence[float | None]
    to: Sequence[Estimate | None]
    profile: Sequence[float] | None = None
    rank: int | None = None
    best: bool = False


@dataclass(frozen=True)
class OverallBlock:
    """Entrants of one machine, with equal data and equal budgets on all problems that they share.

    Attributes:
        heading: the data in words.
        problems: how many problems any of them ran.
        rows: best first; who did not run all of these comes last.
    """

    heading: str
    problems: int
    rows: Sequence[Overall]


def overall(
    parts: Sequence[Part], times: Sequence[float], errors: Sequence[float]
) -> list[OverallBlock]:
    """Return the blocks of entrants that ran more than one problem."""
    return [
        OverallBlock(_heading(keys, mine), len(mine), _rows(keys, mine, times, errors))
        for keys in _blocks(parts)
        if (mine := _met(keys, parts))
    ]


def _met(keys: Sequence[Key], parts: Sequence[Part]) -> list[Part]:
    """Return the problems that any of these entrants ran."""
    return [part for part in parts if any(key in part.terms for key in keys)]


def _heading(keys: Sequence[Key], parts: Sequence[Part]) -> str:
    texts = {data_text(part.terms[key].data) for part in parts for key in keys if key in part.terms}
    return texts.pop() if len(texts) == 1 else "given the same data on each problem"


def _blocks(parts: Sequence[Part]) -> list[list[Key]]:
    """Sort entrants that ran more than one problem into blocks of equal terms."""
    blocks: list[list[Key]] = []
    for key, count in Counter(c.key for part in parts for c in part.courses).items():
        if count < 2:
            continue
        for block in blocks:
            if all(_agree(key, member, parts) for member in block):
                block.append(key)
                break
        else:
            blocks.append([key])
    return blocks


def _agree(a: Key, b: Key, parts: Sequence[Part]) -> bool:
    shared = [(p.terms[a], p.terms[b]) for p in parts if a in p.terms and b in p.terms]
    equal = all((mine.data, mine.budget) == (its.data, its.budget) for mine, its in shared)
    return equal and bool(shared) and a.machine == b.machine


def _rows(
    keys: Sequence[Key], parts: Sequence[Part], times: Sequence[float], errors: Sequence[float]
) -> list[Overall]:
    rows = []
    for key in keys:
        mine = [course for part in parts for course in part.courses if course.key == key]
        if len(mine) < len(parts):
            nothing = ([None] * len(times), [None] * len(errors), [None] * len(errors))
            rows.append(Overall(key, len(mine), _all_marks(parts, key), None, *nothing))
            continue
        to = [_strata(mine, lambda c, e=e: c.to(e)) for e in errors]  # type: ignore[misc]
        at = [_strata(mine, lambda c, t=t: c.at(t)) for t in times]  # type: ignore[misc]
        rows.append(
            Overall(
                key=key,
                problems=len(mine),
                marks=_all_marks(parts, key),
                final=_middle(_strata(mine, lambda c: c.final())),
                at=[_middle(strata) for strata in at],
                reached=[None if strata is None else _share(strata) for strata in to],
                to=[None if strata is None else estimate(strata) for strata in to],
            )
        )
    finals = [row.final for row in rows]
    profiles = _profiles([row.key for row in rows if row.problems == len(parts)], parts)
    made = [
        replace(row, rank=rank, best=winner, profile=profiles.get(row.key))
        for row, rank, winner in zip(rows, ranks(finals), best(finals), strict=True)
    ]
    return sorted(made, key=lambda row: (-row.problems, row.final.value if row.final else inf))


def _all_marks(parts: Sequence[Part], key: Key) -> list[str]:
    marks = [part.terms[key].marks for part in parts if key in part.terms]
    return list(dict.fromkeys(mark for of_part in marks for mark in of_part))


def _strata(
    mine: Sequence[Course], values: Callable[[Course], Values | None]
) -> list[Values] | None:
    """Return the values of each problem; None if those of one are not known."""
    found = [values(course) for course in mine]
    known = [v for v in found if v is not None]
    return known if len(known) == len(found) else None


def _middle(strata: list[Values] | None) -> Estimate | None:
    return None if strata is None else estimate(strata, iqm, logarithms=True)


def _share(strata: list[Values]) -> float:
    return float(np.mean([np.mean(np.isfinite(values)) for values in strata]))


@dataclass(frozen=True)
class ProfileBlock:
    """What a performance profile of entrants with equal data is drawn from.

    Attributes:
        heading: the data in words.
        budget: what each of them might use, in words.
        problems: how many problems.
        courses: one course of each entrant.
        ratios: time over that of the fastest, shape (instances, entrants); ∞ for a miss.
    """

    heading: str
    budget: str
    problems: int
    courses: Sequence[Course]
    ratios: np.ndarray


def profile_blocks(parts: Sequence[Part]) -> list[ProfileBlock]:
    """Return the profiles, one for each set of entrants that met on equal terms.

    Problems on which the same entrants met share a profile: so nobody is left out of it.
    """
    met: dict[frozenset[Key], list[Part]] = {}
    for part in parts:
        for group in _equals(part):
            met.setdefault(frozenset(group), []).append(part)
    blocks = []
    for keys, mine in met.items():
        raced = [course for course in mine[0].courses if course.key in keys]
        if len(raced) > 1:
            names = [course.key for course in raced]
            texts = (_heading(names, mine), _budgets(names, mine))
            ratios = performance_ratios(_costs(names, mine))
            blocks.append(ProfileBlock(*texts, len(mine), raced, ratios))
    return blocks


def _equals(part: Part) -> list[list[Key]]:
    """Sort the entrants of one problem by data, budget and machine."""
    groups: list[list[Key]] = []
    for course in part.courses:
        for group in groups:
            if _agree(course.key, group[0], [part]):
                group.append(course.key)
                break
        else:
            groups.append([course.key])
    return groups


def _budgets(keys: Sequence[Key], parts: Sequence[Part]) -> str:
    """Return the budgets on these problems, in words."""
    raced = [c for part in parts for c in part.courses if c.key in keys]
    texts = dict.fromkeys(budget_text(e.record.budget) for c in raced for e in c.entrants)
    return f"budget {' / '.join(texts)}"


def _profiles(keys: Sequence[Key], parts: Sequence[Part]) -> dict[Key, Sequence[float]]:
    """Return the performance profile of each entrant that ran all problems, in its block."""
    if len(keys) < 2:
        return {}
    shares = performance_profile(_costs(keys, parts))
    return {key: row.tolist() for key, row in zip(keys, shares, strict=True)}


def _costs(keys: Sequence[Key], parts: Sequence[Part]) -> np.ndarray:
    """Return the median time of each entrant to each error on each problem."""
    costs = [
        [_cost(next(c for c in part.courses if c.key == key), error) for key in keys]
        for part in parts
        for error in part.errors
    ]
    return np.array(costs)


def _cost(course: Course, error: float) -> float:
    values = course.to(error)
    return inf if values is None else float(median(values))
