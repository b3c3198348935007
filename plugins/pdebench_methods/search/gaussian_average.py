"""Gaussian averages over scattered points, by which coarse comes before fine."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pdebench_lite.problem import Axis


def gaussian_average(
    points: Mapping[str, np.ndarray], axes: "Sequence[Axis]", width: float
) -> np.ndarray:
    """Return the matrix that averages values at points around each of them.

    Weights are exp(−d²/2width²), divided by their sum; d is the distance in lengths of the domain,
    the shorter way round on a periodic axis.

    Args:
        points: axis name -> coordinates, shape (n,).
        axes: along which to average, at least one.
        width: standard deviation, in lengths of each axis; 0 leaves the values as they are.

    Returns:
        Shape (n, n); rows sum to one.
    """
    if width == 0:
        return np.eye(np.size(points[axes[0].name]))
    squares = sum(_gaps(points[axis.name], axis) ** 2 for axis in axes)
    weights = np.exp(-0.5 * squares / width**2)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _gaps(x: np.ndarray, axis: "Axis") -> np.ndarray:
    """Return the distances of points (n,) along an axis, in its lengths, with signs: (n, n)."""
    gaps = (x[:, None] - x[None, :]) / axis.length
    return (gaps + 0.5) % 1.0 - 0.5 if axis.periodic else gaps
