"""Functions in which an unknown is sought, as matrices on points."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from pdebench_lite.problem import Axis


class Basis(Protocol):
    """Functions on space whose coefficients are sought."""

    @property
    def size(self) -> int:
        """Number of functions."""

    def matrix(self, points: dict[str, Any]) -> np.ndarray:
        """Return the functions at points, shape (n, functions); n = 1 without axes."""


@dataclass(frozen=True)
class CellBasis:
    """Values at the cells of a grid, with linear interpolation between their centres.

    Between a wall and the first centre it is the value there.
    """

    axes: tuple[Axis, ...]
    cells: int

    @property
    def size(self) -> int:
        """Number of functions."""
        return self.cells ** len(self.axes)

    def matrix(self, points: dict[str, Any]) -> np.ndarray:
        """Return the hat functions at points, shape (n, cells of all axes)."""
        n = np.size(points[self.axes[0].name]) if self.axes else 1
        matrix = np.ones((n, 1))
        for axis in self.axes:
            x = (np.ravel(points[axis.name]) - axis.lower) / axis.length * self.cells - 0.5
            if not axis.periodic:
                x = np.clip(x, 0.0, self.cells - 1.0)
            gap = np.abs(x[:, None] - np.arange(self.cells))
            if axis.periodic:
                gap = np.minimum(gap, np.abs(self.cells - gap))
            hats = np.maximum(0.0, 1.0 - gap)
            matrix = (matrix[:, :, None] * hats[:, None, :]).reshape(n, -1)
        return matrix
