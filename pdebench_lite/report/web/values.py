"""Numbers and arrays as the page's data holds them: short, and valid JSON."""

import base64
from collections.abc import Iterable
from math import isinf, isnan
from typing import Any, TypeAlias

import numpy as np

Number: TypeAlias = float | str | None

INFINITE = "inf"  # JSON has no ∞


def number(value: float | None, digits: int = 6) -> Number:
    """Return a number of so many digits; ∞ in words, None for what is not known."""
    if value is None or isnan(value):
        return None
    if isinf(value):
        return INFINITE if value > 0 else f"-{INFINITE}"
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def numbers(values: Iterable[float], digits: int = 4) -> list[Number]:
    """Return numbers of so many digits."""
    return [number(float(value), digits) for value in values]


def packed(values: Any) -> str:
    """Return an array as base64 of little-endian float32, last axis fastest."""
    return base64.b64encode(np.ascontiguousarray(values, "<f4").tobytes()).decode("ascii")


def thinned(count: int, most: int) -> np.ndarray:
    """Return indices of at most `most` of `count` values, evenly spread, first and last included.

    Returns:
        Ascending indices, shape (min(count, most),).
    """
    if count <= most:
        return np.arange(count)
    return np.linspace(0, count - 1, most).round().astype(int)
