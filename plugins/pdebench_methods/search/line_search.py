"""A line search for the strong Wolfe conditions."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import TypeAlias

import numpy as np

ValueAndGradient: TypeAlias = Callable[[np.ndarray], tuple[float, np.ndarray]]
"""x (n,) -> f(x), and its gradient (n,)."""


@dataclass(frozen=True)
class Point:
    """What is known at x + αp.

    Attributes:
        step: α.
        value: f.
        slope: the derivative along p.
        gradient: the gradient, (n,).
    """

    step: float
    value: float
    slope: float
    gradient: np.ndarray


def strong_wolfe(
    evaluate: ValueAndGradient,
    x: np.ndarray,
    direction: np.ndarray,
    start: Point,
    first: float = 1.0,
    c1: float = 1e-4,
    c2: float = 0.9,
    most: int = 25,
) -> tuple[Point | None, int]:
    """Find α with f ≤ f₀ + c₁ α f₀′ and |f′| ≤ c₂ |f₀′|.

    Nocedal & Wright, *Numerical Optimization* (2nd ed., Springer 2006,
    doi:10.1007/978-0-387-40065-5), algorithms 3.5 (bracket) and 3.6 (zoom), eq. 3.7 (conditions)
    and 3.59 (cubic interpolation). Values that are not finite count as too high. SciPy's
    `line_search` asks for value and gradient apart, which for a network are one evaluation.

    Args:
        evaluate: value and gradient together.
        x: the point, shape (n,).
        direction: p, a direction of descent, shape (n,).
        start: the point α = 0.
        first: the first α tried.
        c1: of the condition of sufficient decrease.
        c2: of the condition of curvature.
        most: evaluations at most.

    Returns:
        The point found, and the number of evaluations. Where they run out, the lowest point of
        sufficient decrease whose slope has risen above c₂ f₀′ (so that yᵀs > 0), or None.
    """
    calls = 0

    def at(step: float) -> Point:
        nonlocal calls
        calls += 1
        value, gradient = evaluate(x + step * direction)
        return Point(step, value, float(gradient @ direction), gradient)

    def falls_enough(point: Point) -> bool:
        bound = start.value + c1 * point.step * start.slope
        return isfinite(point.slope) and point.value <= bound  # False for NaN

    low, step = start, first
    high: Point | None = None
    while calls < most:
        point = at(step)
        if not falls_enough(point) or (low.step > 0 and point.value >= low.value):
            high = point
            break
        if abs(point.slope) <= -c2 * start.slope:
            return point, calls
        if point.slope >= 0:
            low, high = point, low
            break
        low, step = point, min(max(2 * step, _minimum(low, point)), 10 * step)
    while high is not None and calls < most:
        point = at(_inside(low, high))
        if not falls_enough(point) or point.value >= low.value:
            high = point
        elif abs(point.slope) <= -c2 * start.slope:
            return point, calls
        else:
            if point.slope * (high.step - low.step) >= 0:
                high = low
            low = point
        if abs(high.step - low.step) <= 1e-14 * max(high.step, low.step):
            break
    return (low if low.step > 0 and low.slope > c2 * start.slope else None), calls


def _inside(low: Point, high: Point) -> float:
    """Return where to look between two points: the cubic's minimum, kept off both ends."""
    lower, upper = min(low.step, high.step), max(low.step, high.step)
    margin = 0.1 * (upper - lower)
    guess = _minimum(low, high)
    if not isfinite(guess):
        return 0.5 * (lower + upper)
    return min(max(guess, lower + margin), upper - margin)


def _minimum(a: Point, b: Point) -> float:
    """Return the minimiser of the cubic through values and slopes (eq. 3.59); NaN without one."""
    gap = b.step - a.step
    if gap == 0 or not (isfinite(b.value) and isfinite(b.slope)):
        return float("nan")
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.step - b.step)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return float("nan")
    d2 = sqrt(square) if gap > 0 else -sqrt(square)
    bottom = b.slope - a.slope + 2 * d2
    return b.step - gap * (b.slope + d2 - d1) / bottom if bottom else float("nan")
