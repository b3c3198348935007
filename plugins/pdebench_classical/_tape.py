"""The adjoint of any step written for arrays of any library: a record of operations, in NumPy.

A problem's step runs on `Traced` arrays as on any other, because they bring a namespace of their
own: this module. Each operation notes its transpose; `linearise` replays them backwards. Adjoint
and forward step cannot differ, since there is one text. Griewank & Walther 2008,
doi:10.1137/1.9780898717761, ch. 3.

Cotangents have one leading axis more than what they belong to, so that many are pulled back at
once. For complex arrays the pairing is Re Σ conj(a)·b.
"""

import itertools
import sys
from collections.abc import Callable, Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

_count = itertools.count()
Pull = Callable[[np.ndarray], np.ndarray]


class Traced:
    """An array that remembers how it was made."""

    __array_ufunc__ = None  # ndarray∘Traced is left to Traced
    __hash__ = object.__hash__

    def __init__(self, value: Any, parents: Sequence[tuple["Traced", Pull]] = ()) -> None:
        self.value: np.ndarray = np.asarray(value)
        self.parents = parents
        self.order = next(_count)

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        return sys.modules[__name__]

    shape = property(lambda self: self.value.shape)
    ndim = property(lambda self: self.value.ndim)
    dtype = property(lambda self: self.value.dtype)
    size = property(lambda self: self.value.size)

    def __neg__(self) -> Any:
        return Traced(-self.value, [(self, np.negative)])

    def __add__(self, other: Any) -> Any:
        return _made(_value(self) + _value(other), (self, lambda g: g), (other, lambda g: g))

    def __sub__(self, other: Any) -> Any:
        return _made(_value(self) - _value(other), (self, lambda g: g), (other, np.negative))

    def __rsub__(self, other: Any) -> Any:
        return -self + other

    def __mul__(self, other: Any) -> Any:
        a, b = _value(self), _value(other)
        return _made(a * b, (self, lambda g: g * np.conj(b)), (other, lambda g: g * np.conj(a)))

    def __truediv__(self, other: Any) -> Any:
        a, b = _value(self), _value(other)
        return _made(
            a / b, (self, lambda g: g / np.conj(b)), (other, lambda g: -g * np.conj(a / b**2))
        )

    def __rtruediv__(self, other: Any) -> Any:
        return Traced.__truediv__(_lifted(other), self)

    def __pow__(self, power: float) -> Any:
        slope = power * self.value ** (power - 1)
        return _made(self.value**power, (self, lambda g: g * np.conj(slope)))

    __radd__, __rmul__ = __add__, __mul__

    def __getitem__(self, key: Any) -> "Traced":
        parts = key if isinstance(key, tuple) else (key,)

        def pull(g: np.ndarray) -> np.ndarray:
            whole = np.zeros(g.shape[:1] + self.shape, g.dtype)
            whole[(slice(None), *parts)] = g
            return whole

        return Traced(self.value[key], [(self, pull)])

    def __lt__(self, other: Any) -> np.ndarray:
        return self.value < _value(other)

    def __le__(self, other: Any) -> np.ndarray:
        return self.value <= _value(other)

    def __gt__(self, other: Any) -> np.ndarray:
        return self.value > _value(other)

    def __ge__(self, other: Any) -> np.ndarray:
        return self.value >= _value(other)


def linearise(
    function: Callable[[list[Any]], list[Any]], arguments: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], Callable[[Sequence[np.ndarray]], list[np.ndarray]]]:
    """Evaluate a function and return the transpose of its derivative there.

    Args:
        function: maps a list of arrays to a list of arrays, by array-API operations.
        arguments: where; real arrays.

    Returns:
        The results, and a function that takes for each of them a cotangent, shape `(m, *shape)`,
        and returns one for each argument, shape `(m, *shape)`.
    """
    inputs = [Traced(a) for a in arguments]
    outputs = [_lifted(result) for result in function(list(inputs))]

    def pullback(cotangents: Sequence[np.ndarray]) -> list[np.ndarray]:
        waiting: dict[Traced, np.ndarray] = {}
        for output, g in zip(outputs, cotangents, strict=True):
            waiting[output] = waiting.get(output, 0.0) + g
        found: dict[Traced, np.ndarray] = {}
        while waiting:
            node = max(waiting, key=lambda n: n.order)
            g = waiting.pop(node)
            if not node.parents:
                found[node] = g
            for parent, pull in node.parents:
                back = pull(g)
                if parent.value.dtype.kind != "c" and back.dtype.kind == "c":
                    back = back.real
                waiting[parent] = waiting[parent] + back if parent in waiting else back
        m = len(cotangents[0])
        return [found.get(node, np.zeros((m, *node.shape))) for node in inputs]

    return [output.value for output in outputs], pullback


def _value(x: Any) -> Any:
    return x.value if isinstance(x, Traced) else x


def _lifted(x: Any) -> Traced:
    return x if isinstance(x, Traced) else Traced(x)


def _made(value: Any, *parents: tuple[Any, Pull]) -> Any:
    """Return a node whose parents were broadcast against each other; without any, the value."""
    if not any(isinstance(p, Traced) for p, _ in parents):
        return value
    value = np.asarray(value)
    return Traced(
        value,
        [(p, _summed(pull, p.shape, value.shape)) for p, pull in parents if isinstance(p, Traced)],
    )


def _summed(pull: Pull, shape: tuple[int, ...], wide: tuple[int, ...]) -> Pull:
    """Return a pull that sums over the axes along which `shape` was broadcast to `wide`."""
    if shape == wide:
        return pull
    extra = len(wide) - len(shape)
    stretched = [i for i, n in enumerate(shape) if n == 1 != wide[extra + i]]
    axes = (*range(1, 1 + extra), *(1 + extra + i for i in stretched))

    def summed(g: np.ndarray) -> np.ndarray:
        g = np.broadcast_to(pull(g), (len(g), *wide))
        return g.sum(axis=axes).reshape(len(g), *shape)

    return summed


# ---- the namespace: what the steps of problems ask of an array library -------------------------


def asarray(x: Any, dtype: Any = None, device: Any = None) -> Any:
    return x if isinstance(x, Traced) else np.asarray(x, dtype=dtype)


def arange(n: int, dtype: Any = None, device: Any = None) -> np.ndarray:
    return np.arange(n, dtype=dtype)


def zeros_like(x: Any) -> np.ndarray:
    return np.zeros_like(_value(x))


def floor(x: Any) -> np.ndarray:
    return np.floor(_value(x))


def exp(x: Any) -> Any:
    value = np.exp(_value(x))
    return _made(value, (x, lambda g: g * np.conj(value)))


def sin(x: Any) -> Any:
    return _made(np.sin(_value(x)), (x, lambda g: g * np.conj(np.cos(_value(x)))))


def cos(x: Any) -> Any:
    return _made(np.cos(_value(x)), (x, lambda g: -g * np.conj(np.sin(_value(x)))))


def abs(x: Any) -> Any:
    sign = np.sign(_value(x))
    return _made(np.abs(_value(x)), (x, lambda g: g * sign))


def where(condition: Any, a: Any, b: Any) -> Any:
    chosen = np.where(condition, _value(a), _value(b))
    return _made(
        chosen, (a, lambda g: np.where(condition, g, 0)), (b, lambda g: np.where(condition, 0, g))
    )


def maximum(a: Any, b: Any) -> Any:
    return where(_value(a) >= _value(b), a, b)


def minimum(a: Any, b: Any) -> Any:
    return where(_value(a) <= _value(b), a, b)


def clip(x: Any, low: float, high: float) -> Any:
    return minimum(maximum(x, low), high)


def reshape(x: Any, shape: tuple[int, ...]) -> Any:
    if not isinstance(x, Traced):
        return np.reshape(x, shape)
    return Traced(x.value.reshape(shape), [(x, lambda g: g.reshape(len(g), *x.shape))])


def roll(x: Any, shift: int, axis: int) -> Any:
    if not isinstance(x, Traced):
        return np.roll(x, shift, axis)
    return Traced(np.roll(x.value, shift, axis), [(x, lambda g: np.roll(g, -shift, axis))])


def concat(arrays: Sequence[Any], axis: int) -> Traced:
    """Join along an axis counted from the end, as everywhere here: cotangents are wider."""
    values = [_value(a) for a in arrays]
    ends = np.cumsum([v.shape[axis] for v in values])
    parents = []
    for a, end in zip(arrays, ends, strict=True):
        if isinstance(a, Traced):
            at = np.arange(end - a.shape[axis], end)
            parents.append((a, lambda g, at=at: np.take(g, at, axis=axis)))
    return Traced(np.concatenate(values, axis), parents)


def stack(arrays: Sequence[Any], axis: int) -> Traced:
    """Join along a new axis, counted from the end of the result."""
    parents = [
        (a, lambda g, i=i: np.take(g, i, axis=axis))
        for i, a in enumerate(arrays)
        if isinstance(a, Traced)
    ]
    return Traced(np.stack([_value(a) for a in arrays], axis), parents)


def sum(x: Any, axis: int) -> Any:
    """Sum over one axis, counted from the end."""
    if not isinstance(x, Traced):
        return np.sum(x, axis=axis)

    def pull(g: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.expand_dims(g, axis), (len(g), *x.shape))

    return Traced(np.sum(x.value, axis=axis), [(x, pull)])


def take_along_axis(x: Any, index: np.ndarray, axis: int) -> Any:
    """Gather along the last axis; the other axes of x and index broadcast."""
    if not isinstance(x, Traced):
        return np.take_along_axis(x, index, axis)
    taken = np.take_along_axis(x.value, index, axis)

    def pull(g: np.ndarray) -> np.ndarray:
        wide = (len(g), *np.broadcast_shapes(x.shape[:-1], index.shape[:-1]))
        whole, n = np.zeros((*wide, x.shape[-1]), g.dtype), x.shape[-1]
        rows = n * np.arange(int(np.prod(wide))).reshape(*wide, 1)
        np.add.at(
            whole.reshape(-1),
            (rows + index).ravel(),
            np.broadcast_to(g, (*wide, index.shape[-1])).ravel(),
        )
        return whole

    return Traced(taken, [(x, _summed(pull, x.shape, (*taken.shape[:-1], x.shape[-1])))])


def _rfft(x: Traced, axis: int = -1) -> Traced:
    n = x.shape[axis]
    once = _modes_that_stand_alone(n, axis)
    return Traced(
        np.fft.rfft(x.value, axis=axis),
        [(x, lambda g: n * np.fft.irfft(np.where(once, g, g / 2), n=n, axis=axis))],
    )


def _irfft(x: Traced, n: int, axis: int = -1) -> Traced:
    once = _modes_that_stand_alone(n, axis)

    def pull(g: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfft(g, axis=axis) / n
        return np.where(once, spectrum, 2 * spectrum)

    return Traced(np.fft.irfft(x.value, n=n, axis=axis), [(x, pull)])


@lru_cache(maxsize=16)
def _modes_that_stand_alone(n: int, axis: int) -> np.ndarray:
    """Return which modes of a real transform are their own conjugates: the mean, the saw-tooth."""
    j = np.arange(n // 2 + 1)
    return ((j == 0) | (2 * j == n)).reshape(-1, *(1,) * (-axis - 1))


fft = SimpleNamespace(rfft=_rfft, irfft=_irfft)
