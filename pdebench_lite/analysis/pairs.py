"""Pairs: two entrants of equal data on the seeds that they share."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pdebench_lite.analysis.entrants import Entrant
from pdebench_lite.analysis.standings import Standing
from pdebench_lite.analysis.statistics import Estimate, probability_of_improvement, ratio


@dataclass(frozen=True)
class Pair:
    """One entrant against another.

    Attributes:
        first, second: who; the first has the smaller median error.
        shared: seeds that both ran, the same data for both; once for each problem, where several
            count as seeds do.
        ratio: median over those of the first's error over the second's.
        improvement: probability that a run of the first has a smaller error than one of the second;
            None on fewer than three shared seeds, or if either is not better than a trivial answer.
    """

    first: Entrant
    second: Entrant
    shared: Sequence[int]
    ratio: Estimate
    improvement: Estimate | None


def pairs(standing: Sequence[Standing]) -> list[Pair]:
    """Compare each two entrants of one block that had the same budget on the same machine."""
    return [
        _pair(a.entrant, b.entrant)
        for a, b in combinations(standing, 2)
        if (a.entrant.key.budget, a.entrant.key.machine)
        == (b.entrant.key.budget, b.entrant.key.machine)
    ]


def _pair(first: Entrant, second: Entrant) -> Pair:
    ours, theirs = (
        {(o.record.problem_label, o.record.seed): o.final for o in entrant.outcomes}
        for entrant in (first, second)
    )
    shared = sorted(ours.keys() & theirs.keys())
    told = first.shares(second) and not first.trivial and not second.trivial
    values = [list(ours.values())], [list(theirs.values())]
    return Pair(
        first,
        second,
        [seed for _, seed in shared],
        ratio([[ours[run] for run in shared]], [[theirs[run] for run in shared]]),
        probability_of_improvement(*values) if told else None,
    )
