"""Values at the cells of a grid as functions of place, by cubics, in NumPy."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from .boundary import Extrapolation
from .grid import Grid
from .interpolation import interpolate


class CellValues:
    """Arrays over a grid, read between its centres by Lagrange's cubics: an error of O(h⁴).

    Args:
        grid: the grid.
        fields: name -> (*cells,).
    """

    def __init__(self, grid: Grid, fields: Mapping[str, np.ndarray]) -> None:
        self._grid, self._fields = grid, dict(fields)

    def at(self, points: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the fields at points (axis name -> (n,)), name -> (n,)."""
        free = {axis: Extrapolation() for axis in self._grid.axes}
        places = _places(self._grid, points)
        return {
            name: np.asarray(interpolate(values, places, self._grid, "cubic", free))
            for name, values in self._fields.items()
        }

    def on_grid(self, axes: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Return the fields on a tensor grid (axis name -> (n,)), axis by axis."""
        answer = {}
        for name, values in self._fields.items():
            for axis in self._grid.axes:  # each comes first in its turn, and goes last
                places = np.asarray(axes[axis], float)
                matrix = _matrix(self._grid, axis, places.tobytes())
                values = np.moveaxis(np.tensordot(matrix, values, (1, 0)), 0, -1)
            answer[name] = values
        return answer


def _places(grid: Grid, points: Mapping[str, Any]) -> list[np.ndarray]:
    """Return places in cells, as `interpolate` takes them."""
    return [
        (np.asarray(points[a], float) - low) / grid.spacing[a] - 0.5
        for a, low in zip(grid.axes, grid.lower, strict=True)
    ]


@lru_cache(maxsize=32)
def _matrix(grid: Grid, axis: str, places: bytes) -> np.ndarray:
    """Return the matrix from values along an axis to those at places on it, (n, cells)."""
    i = grid.axes.index(axis)
    line = Grid((axis,), (grid.lower[i],), (grid.upper[i],), (grid.cells[i],), (grid.periodic[i],))
    at = _places(line, {axis: np.frombuffer(places)})
    rows = np.eye(grid.cells[i])
    return np.asarray(interpolate(rows, at, line, "cubic", {axis: Extrapolation()})).T
