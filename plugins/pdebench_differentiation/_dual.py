"""Dual numbers on arrays: a value with its tangent, pushed through an expression; nested for more.

Griewank & Walther 2008, doi:10.1137/1.9780898717761, section 3.1, with the rules of table 3.3.
Nested k deep, the parts of a dual number are dual numbers themselves, and the tangent of the
tangent … of the output is a derivative of order k.
"""

from types import SimpleNamespace
from typing import Any

import numpy as np

from pdebench_lite.numerics import array_namespace


class Dual:
    """A value and its tangents along directions, side by side.

    Attributes:
        value: (…, rows, n), an array or a dual number.
        tangent: (directions, rows, n), or what broadcasts to that; an array is constant for the
            levels below.
    """

    __array_ufunc__ = None  # ndarray∘Dual is left to Dual

    def __init__(self, value: Any, tangent: Any) -> None:
        self.value, self.tangent = value, tangent

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return _NAMESPACE

    def __getitem__(self, key: Any) -> "Dual":
        """Take rows."""
        return Dual(_rows(self.value, key), _rows(self.tangent, key))

    def __rmatmul__(self, matrix: np.ndarray) -> "Dual":
        return Dual(matrix @ self.value, matrix @ self.tangent)

    def __neg__(self) -> "Dual":
        return Dual(-self.value, -self.tangent)

    def __add__(self, other: Any) -> "Dual":
        if not isinstance(other, Dual):
            return Dual(self.value + other, self.tangent)
        return Dual(self.value + other.value, self.tangent + other.tangent)

    __radd__ = __add__

    def __sub__(self, other: Any) -> "Dual":
        return self + (-other)

    def __rsub__(self, other: Any) -> "Dual":
        return -self + other

    def __mul__(self, other: Any) -> "Dual":
        if not isinstance(other, Dual):
            return Dual(self.value * other, self.tangent * other)
        return Dual(
            self.value * other.value, self.tangent * other.value + self.value * other.tangent
        )

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> "Dual":
        if not isinstance(other, Dual):
            return Dual(self.value / other, self.tangent / other)
        value = self.value / other.value
        return Dual(value, (self.tangent - value * other.tangent) / other.value)

    def __rtruediv__(self, other: Any) -> "Dual":
        value = other / self.value
        return Dual(value, -value * self.tangent / self.value)


def _rows(values: Any, key: Any) -> Any:
    return values[key] if isinstance(values, Dual) else values[..., key, :]


def _exp(x: Dual) -> Dual:
    value = array_namespace(x.value).exp(x.value)
    return Dual(value, value * x.tangent)


def _sin(x: Dual) -> Dual:
    xp = array_namespace(x.value)
    return Dual(xp.sin(x.value), xp.cos(x.value) * x.tangent)


def _cos(x: Dual) -> Dual:
    xp = array_namespace(x.value)
    return Dual(xp.cos(x.value), -xp.sin(x.value) * x.tangent)


def _tanh(x: Dual) -> Dual:
    value = array_namespace(x.value).tanh(x.value)
    return Dual(value, (1.0 - value * value) * x.tangent)


_NAMESPACE = SimpleNamespace(exp=_exp, sin=_sin, cos=_cos, tanh=_tanh)


def along(x: np.ndarray, directions: np.ndarray) -> Any:
    """Return points as dual numbers, nested once for each direction of a derivative.

    Args:
        x: points, (d, n).
        directions: (derivatives, order, d).
    """
    point: Any = x
    for i in range(directions.shape[1]):
        point = Dual(point, directions[:, i, :, None].astype(x.dtype))
    return point


def derivative(y: Any, order: int) -> Any:
    """Return the derivative of that order: the tangent of the tangent … of an output.

    Returns:
        An array that broadcasts to (derivatives, m, n); zero where a tangent is constant.
    """
    for _ in range(order):
        if not isinstance(y, Dual):
            return np.zeros(1)
        y = y.tangent
    return y
