"""Functions in which an unknown is sought, as matrices on points."""

from dataclasses import dataclass
from math import pi
from typing import Any, Protocol

import numpy as np

from pdebench_lite.problem import Axis


class Basis(Protocol):
    """Functions on space whose coefficients are sought."""

    def matrix(self, points: dict[str, Any]) -> np.ndarray:
        """Return the functions at points, shape (n, functions); n = 1 without axes."""


@dataclass(frozen=True)
class FourierBasis:
    """Trigonometric functions, each scaled by its prior standard deviation.

    That is 1/max(1, shift + |k|²). A periodic axis has 1, cos and sin; any other has cosines of
    half the frequency. In the coefficients of these scaled functions the prior on smoothness is
    the identity, which is also what conditions the optimisation.

    Attributes:
        axes: axes of the function; none for a number.
        modes: largest k along an axis.
        shift: 0 asks for small second derivatives, 1 for a small H² norm, which holds back the
            lowest modes beside the constant too.
    """

    axes: tuple[Axis, ...]
    modes: int
    shift: float = 0.0

    def matrix(self, points: dict[str, Any]) -> np.ndarray:
        """Return the functions at points, shape (n, functions); n = 1 without axes."""
        n = np.size(points[self.axes[0].name]) if self.axes else 1
        matrix, roughness = np.ones((n, 1)), np.zeros(1)
        for axis in self.axes:
            k = np.arange(1, self.modes + 1)
            turn = (2 * pi if axis.periodic else pi) / axis.length
            phase = turn * np.outer(np.ravel(points[axis.name]) - axis.lower, k)
            waves = [np.cos(phase), np.sin(phase)] if axis.periodic else [np.cos(phase)]
            columns = np.concatenate([np.ones((n, 1)), *waves], axis=1)
            squares = np.concatenate([np.zeros(1), *[k**2.0] * len(waves)])
            matrix = (matrix[:, :, None] * columns[:, None, :]).reshape(n, -1)
            roughness = (roughness[:, None] + squares[None, :]).ravel()
        return matrix / np.maximum(1.0, self.shift + roughness)


@dataclass(frozen=True)
class CellBasis:
    """Values at the cells of a periodic grid, with linear interpolation between their centres."""

    axes: tuple[Axis, ...]
    cells: int

    def matrix(self, points: dict[str, Any]) -> np.ndarray:
        """Return the hat functions at points, shape (n, cells of all axes)."""
        n = np.size(points[self.axes[0].name]) if self.axes else 1
        matrix = np.ones((n, 1))
        for axis in self.axes:
            x = (np.ravel(points[axis.name]) - axis.lower) / axis.length * self.cells - 0.5
            gap = np.abs(x[:, None] - np.arange(self.cells))
            hats = np.maximum(0.0, 1.0 - np.minimum(gap, np.abs(self.cells - gap)))
            matrix = (matrix[:, :, None] * hats[:, None, :]).reshape(n, -1)
        return matrix
