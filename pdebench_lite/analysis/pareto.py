"""The Pareto front of error, time and memory."""

from collections.abc import Sequence
from math import inf, isfinite

_DIGITS = 2


def front(rows: Sequence[Sequence[float]]) -> list[bool]:
    """Say which rows no other row beats.

    One row beats another if it is nowhere worse and somewhere better. Values that agree in two
    digits are equal: a budget of 10 s is overrun by some milliseconds, and not by merit.

    Args:
        rows: for each entrant its costs, the smaller the better; ∞ for a miss.
    """
    rounded = [tuple(_round(value) for value in row) for row in rows]
    return [
        all(map(isfinite, row)) and not any(_beats(other, row) for other in rounded)
        for row in rounded
    ]


def _beats(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(x <= y for x, y in zip(a, b, strict=True)) and tuple(a) != tuple(b)


def _round(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}") if isfinite(value) else inf
