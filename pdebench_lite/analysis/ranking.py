"""Ranks within equal data, by intervals: what cannot be told apart shares a rank."""

from collections.abc import Sequence
from math import isfinite

from pdebench_lite.analysis.statistics import Estimate


def ranks(estimates: Sequence[Estimate | None]) -> list[int | None]:
    """Rank estimates, the smaller the better.

    The rank of a row is one more than the number of rows whose interval lies wholly below its own.
    A row that missed in the median comes after all that did not. Without an interval there is no
    rank, however good the median looks.
    """
    return [_rank(mine, estimates) for mine in estimates]


def _rank(mine: Estimate | None, all_of_them: Sequence[Estimate | None]) -> int | None:
    if mine is None or not mine.interval or mine.low is None:
        return None
    better = 0
    for other in all_of_them:
        if other is not None and other.interval and other.high is not None:
            better += other.high < mine.low or (isfinite(other.value) and not isfinite(mine.value))
    return 1 + better


def best(estimates: Sequence[Estimate | None]) -> list[bool]:
    """Say which estimates none of the others beats; nothing is best where it is alone, or missed.

    At least two need an interval, or there is nothing to be better than.
    """
    placed = ranks(estimates)
    contested = sum(rank is not None for rank in placed) > 1
    return [
        contested and rank == 1 and e is not None and isfinite(e.value)
        for rank, e in zip(placed, estimates, strict=True)
    ]
