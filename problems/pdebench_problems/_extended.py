"""Derivatives in extended precision: Taylor series along lines, in mpmath's arithmetic.

A function written in array-API arithmetic runs on a `Series` as it does on an array, so that it is
written once. The method is none of those that are measured: one variable, one direction at a time;
mixed derivatives follow by polarisation.

Sources: Griewank & Walther 2008, doi:10.1137/1.9780898717761, table 13.2 (the recurrences);
Griewank, Utke & Walther 2000, doi:10.1090/S0025-5718-00-01120-0 (mixed derivatives from series).
"""

import itertools
from collections.abc import Callable, Mapping
from math import factorial, gcd
from types import SimpleNamespace
from typing import Any

import numpy as np
from mpmath.ctx_mp import MPContext

Function = Callable[[Any, Mapping[str, Any]], Any]
_DIGITS = (25, 40)  # the gap between both is the error of the first, above that of the second
_ROUNDING = 2.0**-53  # of float64


class _Precision:
    """mpmath with a number of digits, and matrices in fixed point: their products cost most."""

    def __init__(self, digits: int) -> None:
        self.mp = MPContext()
        self.mp.dps = digits
        self.lift = np.frompyfunc(self.mp.mpf, 1, 1)
        self._bits = self.mp.prec + 32  # behind the point
        self._fix = np.frompyfunc(lambda v: v.to_fixed(self._bits), 1, 1)
        self._float = np.frompyfunc(lambda i: self.mp.mpf((i, -2 * self._bits)), 1, 1)
        self._fixed: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def product(self, matrix: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Multiply (m, n) by (n, points) in whole numbers, ten times faster than in mpmath's."""
        if id(matrix) not in self._fixed:  # the matrix is kept: its id stays its own
            self._fixed[id(matrix)] = matrix, self._fix(matrix)
        return self._float(self._fixed[id(matrix)][1] @ self._fix(values))


class Series:
    """Taylor coefficients c₀ … c_K of arrays of mpmath's numbers along one line.

    Attributes:
        precision: that of the numbers.
        c: K + 1 object arrays of one shape.
    """

    __array_ufunc__ = None  # NumPy leaves the operators below to us

    def __init__(self, precision: _Precision, c: list[np.ndarray]) -> None:
        self.precision, self.c = precision, c

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return SimpleNamespace(exp=_exp, sin=_sin, tanh=_tanh)

    def __getitem__(self, key: Any) -> "Series":
        return self._each(lambda c: c[key])

    def __rmatmul__(self, matrix: np.ndarray) -> "Series":
        return self._each(lambda c: self.precision.product(matrix, c))

    def __neg__(self) -> "Series":
        return self._each(lambda c: -c)

    def __add__(self, other: Any) -> "Series":
        if not isinstance(other, Series):
            return Series(self.precision, [self.c[0] + other, *self.c[1:]])
        return Series(self.precision, [a + b for a, b in zip(self.c, other.c, strict=True)])

    def __sub__(self, other: Any) -> "Series":
        return self + -other

    def __rsub__(self, other: Any) -> "Series":
        return -self + other

    def __mul__(self, other: Any) -> "Series":
        if not isinstance(other, Series):
            return self._each(lambda c: c * other)
        return Series(
            self.precision,
            [sum(self.c[j] * other.c[k - j] for j in range(k + 1)) for k in range(len(self.c))],
        )

    def __truediv__(self, other: Any) -> "Series":
        if not isinstance(other, Series):
            return self._each(lambda c: c / other)
        q: list[Any] = []
        for k, a in enumerate(self.c):
            rest = sum((q[j] * other.c[k - j] for j in range(k)), start=0)
            q.append((a - rest) / other.c[0])
        return Series(self.precision, q)

    __radd__, __rmul__ = __add__, __mul__

    def _each(self, linear: Callable[[np.ndarray], np.ndarray]) -> "Series":
        return Series(self.precision, [linear(c) for c in self.c])

    def _start(self, function: str) -> np.ndarray:
        return np.frompyfunc(getattr(self.precision.mp, function), 1, 1)(self.c[0])

    def _slope(self, k: int, other: list[np.ndarray]) -> np.ndarray:
        """Return the coefficient k of ∫ u'·other, times 1: (1/k) Σ j u_j other_{k−j}."""
        return sum(j * self.c[j] * other[k - j] for j in range(1, k + 1)) / k


def _exp(u: Series) -> Series:
    e = [u._start("exp")]
    for k in range(1, len(u.c)):
        e.append(u._slope(k, e))
    return Series(u.precision, e)


def _sin(u: Series) -> Series:
    s, c = [u._start("sin")], [u._start("cos")]
    for k in range(1, len(u.c)):
        s, c = [*s, u._slope(k, c)], [*c, -u._slope(k, s)]
    return Series(u.precision, s)


def _tanh(u: Series) -> Series:
    v = [u._start("tanh")]
    w = [1 - v[0] * v[0]]  # the derivative of tanh is 1 − tanh²
    for k in range(1, len(u.c)):
        v.append(u._slope(k, w))
        w.append(-sum(v[j] * v[k - j] for j in range(k + 1)))
    return Series(u.precision, v)


def certified(
    function: Function,
    constants: Mapping[str, np.ndarray],
    points: np.ndarray,
    asked: tuple[tuple[int, ...], ...],
) -> tuple[np.ndarray, float]:
    """Return derivatives and a bound on their relative L2 error.

    Args:
        function: maps inputs × points and constants to outputs × points.
        constants: arrays that it reads.
        points: (d, n).
        asked: each derivative as ascending numbers of inputs.

    Returns:
        (asked, m, n), float64; and the gap between two precisions plus the rounding to float64.
    """
    rough, fine = (_derivatives(function, constants, points, asked, digits) for digits in _DIGITS)
    gap, scale = (sum(v * v for v in values.ravel()) for values in (fine - rough, fine))
    bound = float((gap / scale) ** 0.5) + _ROUNDING if scale else _ROUNDING
    return fine.astype(np.float64), bound


def _derivatives(
    function: Function,
    constants: Mapping[str, np.ndarray],
    points: np.ndarray,
    asked: tuple[tuple[int, ...], ...],
    digits: int,
) -> np.ndarray:
    precision = _Precision(digits)
    lift = precision.lift
    weights = {name: lift(values) for name, values in constants.items()}
    start = lift(points)
    known: dict[tuple[int, ...], list[np.ndarray]] = {}

    def along(direction: tuple[int, ...], order: int) -> np.ndarray:
        """Return the derivative of that order along a direction; (m, n)."""
        top = max(map(len, asked))
        if direction not in known:
            slope = np.broadcast_to(lift(np.array(direction, float))[:, None], start.shape)
            seeds = [start, slope, *[0 * start] * (top - 1)][: top + 1]
            known[direction] = function(Series(precision, seeds), weights).c
        return known[direction][order] * factorial(order)

    return np.stack([_polarised(along, index, points.shape[0]) for index in asked])


def _polarised(along: Any, index: tuple[int, ...], d: int) -> np.ndarray:
    """Return a mixed derivative as a sum of derivatives along lines.

    ∂_{i₁…i_k} = 1/(2^{k−1} k!) Σ ε₂⋯ε_k (∂ along e_{i₁} + ε₂e_{i₂} + … + ε_ke_{i_k})^k over all
    signs ε; a pure one is the derivative along its own axis.
    """
    k = len(index)
    if len(set(index)) <= 1:
        return along(tuple(int(i in index) for i in range(d)), k)
    total: Any = 0
    for signs in itertools.product((1, -1), repeat=k - 1):
        direction = [0] * d
        for i, sign in zip(index, (1, *signs), strict=True):
            direction[i] += sign
        if divisor := gcd(*direction):  # along its multiples, a line's derivatives are multiples
            first = next(v for v in direction if v)
            divisor = divisor if first > 0 else -divisor
            line = along(tuple(v // divisor for v in direction), k)
            total = total + int(np.prod(signs)) * divisor**k * line
    return total / (2 ** (k - 1) * factorial(k))
