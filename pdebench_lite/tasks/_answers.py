"""Answers of methods as float64 arrays: what would be lost on the way is refused in one line."""

from collections.abc import Callable, Iterator, Mapping
from numbers import Real
from typing import Any

import numpy as np

from pdebench_lite.errors import DivergedError, PdebenchError
from pdebench_lite.problem import Function


def entry(answer: Any, name: str) -> Any:
    """Return one entry of what `predict` returned.

    Raises:
        PdebenchError: it is not a mapping, or has no such entry.
    """
    if not hasattr(answer, "keys"):
        raise PdebenchError(
            f"predict returned {type(answer).__name__}, not a dict; return {{'{name}': values}}"
        )
    if name not in answer:
        known = sorted(str(key) for key in answer)
        raise PdebenchError(f"the solution lacks the field '{name}'; it has {known}")
    return answer[name]


def real(name: str, values: Any) -> np.ndarray:
    """Return values as a new float64 array.

    Raises:
        PdebenchError: they are masked, complex, text or other objects, or not an array at all.
    """
    if isinstance(values, Iterator):
        raise PdebenchError(f"'{name}' is {type(values).__name__}, not an array; return an array")
    masked = np.ma.count_masked(values) if isinstance(values, np.ma.MaskedArray) else 0
    if masked:
        raise PdebenchError(f"'{name}' has {masked} masked values; return a number at every point")
    if hasattr(values, "detach"):  # a tensor of torch, which the core does not import
        values = values.detach().cpu()
    try:
        array = np.asarray(values)
        if array.dtype.kind == "c":
            largest = np.max(np.abs(array.imag), initial=0.0)
            if largest != 0:  # true for NaN, too
                raise PdebenchError(
                    f"'{name}' is complex, with imaginary parts up to {largest:.3g}; return real "
                    "numbers"
                )
            array = array.real
        strange = (
            [v for v in array.flat if not isinstance(v, Real)] if array.dtype == object else []
        )
        if strange or array.dtype.kind in "SUmM":
            kind = type(strange[0]).__name__ if strange else str(array.dtype)
            raise PdebenchError(f"'{name}' holds values of type {kind}; return numbers")
        return array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        raise PdebenchError(
            f"'{name}' cannot be read as an array of numbers, {type(error).__name__}: {error}; "
            "return a NumPy array of float64"
        ) from error


def shaped(name: str, values: Any, *shapes: tuple[int, ...], finite: bool = True) -> np.ndarray:
    """Return values as float64 in the first of some shapes; axes of length 1 do not count.

    Raises:
        PdebenchError: see `real`; or they have none of these shapes.
        DivergedError: they are not finite, though they are to be.
    """
    array = real(name, values)
    if _long(array.shape) not in [_long(shape) for shape in shapes]:
        raise PdebenchError(
            f"'{name}' has the shape {array.shape}; return " + " or ".join(map(str, shapes))
        )
    if finite and not np.isfinite(array).all():
        raise DivergedError(f"'{name}' is not finite")
    return array.reshape(shapes[0])


def checked(
    name: str, function: Function, finite: bool = True
) -> Callable[[Mapping[str, Any]], np.ndarray]:
    """Return a function of points whose values are `shaped` as the points are, or one number."""

    def values(points: Mapping[str, Any]) -> np.ndarray:
        shape = np.broadcast_shapes(*(np.shape(p) for p in points.values()))
        found = real(name, function(dict(points)))
        return shaped(name, found, shape if found.size != 1 else found.shape, finite=finite)

    return values


def _long(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(n for n in shape if n != 1)
