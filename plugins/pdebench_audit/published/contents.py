"""What a published file holds: named arrays of real numbers, and what was left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

_LEFT_OUT = {
    "c": "complex numbers; save its real part",
    "b": "true and false",
    "S": "text",
    "U": "text",
    "O": "objects or text; save plain arrays of numbers",
    "V": "records of several values; save one array for each",
    "M": "dates; save times as numbers",
    "m": "durations; save times as numbers",
}


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes:
        arrays: name -> array; axes of length 1 are dropped, masked values are NaN.
        dims: name -> names of its axes, where the format knows them.
        times: of a table whose columns are moments, those that its header names.
        table: columns of a text file, shape (rows, columns); None for other formats.
        header: words of the comment above a table without a line of names.
        left_out: name -> what an array holds that are not real numbers.
    """

    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    times: tuple[float, ...] = ()
    table: np.ndarray | None = None
    header: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)


def contents_of(
    arrays: Mapping[str, Any], dims: Mapping[str, tuple[str, ...]] | None = None
) -> Contents:
    """Keep arrays of real numbers, without axes of length 1; name the others.

    Args:
        arrays: name -> values; masked ones become NaN, complex ones without imaginary part real.
        dims: name -> names of its axes, those of length 1 included.
    """
    kept, left_out = {}, {}
    for name, values in arrays.items():
        array = values if isinstance(values, np.ma.MaskedArray) else np.asarray(values)
        if array.dtype.kind == "c" and not np.any(array.imag):
            array = array.real
        if array.dtype.kind in "fiu":
            if array.size:
                kept[str(name)] = np.ma.filled(np.squeeze(array).astype(float), np.nan)
        else:
            left_out[str(name)] = _LEFT_OUT.get(array.dtype.kind, str(array.dtype))
    long = {
        name: tuple(d for d, n in zip(axes, np.shape(arrays[name]), strict=True) if n > 1)
        for name, axes in (dims or {}).items()
        if name in kept
    }
    return Contents(kept, long, left_out=left_out)
