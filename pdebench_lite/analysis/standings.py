"""Standings: the final errors of the entrants of one block, with their cost."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pdebench_lite.analysis.entrants import Entrant, Key
from pdebench_lite.analysis.pareto import front
from pdebench_lite.analysis.ranking import best, ranks
from pdebench_lite.analysis.statistics import Estimate, estimate, iqm, median


@dataclass(frozen=True)
class Standing:
    """One entrant at the end of its runs.

    Attributes:
        entrant: who.
        error: median of the final error.
        middle: interquartile mean of its logarithm, as an error.
        time: median of the charged seconds.
        memory: median of the peak memory in 10⁶ bytes.
        rank: among those of equal data, budget and machine; None without an interval, for an error
            that is not below that of the trivial answer, and on too few seeds that others ran too.
        best: whether no other is better.
        pareto: whether no other on its machine is as good in error, time and memory and better in
            one, whatever its budget: who needs less time of it is better by that. Times that the
            budget cut off are equal. Nobody without three seeds, or not below the trivial answer.
    """

    entrant: Entrant
    error: Estimate
    middle: Estimate
    time: Estimate
    memory: Estimate
    rank: int | None
    best: bool
    pareto: bool


def standings(entrants: Sequence[Entrant]) -> list[Standing]:
    """Return the standings of entrants that were given equal data, best median first.

    Entrants are ranked against those with the same budget on the same machine.
    """
    mine = [entrant for entrant in entrants if not entrant.targeted]
    errors = [estimate([[o.final for o in e.outcomes]]) for e in mine]
    middles = [estimate([[o.final for o in e.outcomes]], iqm, logarithms=True) for e in mine]
    times = [estimate([[o.time for o in e.outcomes]]) for e in mine]
    memories = [estimate([[o.memory_used for o in e.outcomes]]) for e in mine]
    placed: list[int | None] = [None] * len(mine)
    winners, fronts = [False] * len(mine), [False] * len(mine)
    for group in _groups(mine, lambda key: (key.budget, key.machine)):
        group = _placeable(mine, group)
        theirs = [errors[i] for i in group]
        for i, rank, winner in zip(group, ranks(theirs), best(theirs), strict=True):
            placed[i], winners[i] = rank, winner
    for group in _groups(mine, lambda key: (key.machine,)):
        group = _placeable(mine, group)
        spent = [median([o.counted_time for o in mine[i].outcomes]) for i in group]
        costs = [
            (errors[i].value, float(time), memories[i].value)
            for i, time in zip(group, spent, strict=True)
        ]
        for i, undominated in zip(group, front(costs), strict=True):
            fronts[i] = undominated
    rows = zip(mine, errors, middles, times, memories, placed, winners, fronts, strict=True)
    return sorted((Standing(*row) for row in rows), key=lambda s: s.error.value)


def _placeable(entrants: Sequence[Entrant], group: Sequence[int]) -> list[int]:
    """Return those of a group who may be called better or worse: on shared seeds, not trivial.

    Who shares too few seeds with those who share seeds with most is left out.
    """
    able = [i for i in group if not entrants[i].trivial]

    def partners(i: int) -> int:
        return sum(entrants[i].shares(entrants[j]) for j in able)

    placed: list[int] = []
    for i in sorted(able, key=partners, reverse=True):
        if all(entrants[i].shares(entrants[j]) for j in (*placed, i)):
            placed.append(i)
    return placed


def _groups(
    entrants: Sequence[Entrant], terms: Callable[[Key], tuple[str, ...]]
) -> list[list[int]]:
    """Return the numbers of entrants that ran on the same terms."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, entrant in enumerate(entrants):
        groups.setdefault(terms(entrant.key), []).append(i)
    return list(groups.values())
