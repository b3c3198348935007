"""A trigonometric sum on arrays of any backend, and on jets."""

from collections.abc import Sequence
from math import pi
from typing import Any

from pdebench_lite.numerics._namespace import array_namespace


def fourier(
    x: Any, mean: float, sine: Sequence[float], cosine: Sequence[float], period: float
) -> Any:
    """Return mean + Σ_m sine[m−1] sin(2πmx/period) + cosine[m−1] cos(2πmx/period).

    Args:
        x: array of any backend and shape, or a jet; only jet∘float operations are used.
        mean: Python float, like all amplitudes.
        sine: amplitudes of sin 2πmx/period, m = 1, 2, …; those that are zero cost nothing.
        cosine: amplitudes of cos 2πmx/period.
        period: length after which the sum repeats.
    """
    xp = array_namespace(x)
    value = 0.0 * x + mean
    for function, amplitudes in ((xp.sin, sine), (xp.cos, cosine)):
        for m, amplitude in enumerate(amplitudes, start=1):
            if amplitude:
                value = value + amplitude * function((2 * pi * m / period) * x)
    return value
