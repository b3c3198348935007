"""A smooth prior in coordinates in which it is white."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pdebench_lite.problem import Axis


@dataclass(frozen=True)
class Waves:
    """Products of 1, cos and sin on periodic axes, each scaled by 1/max(1, |k|)^order.

    |k| counts waves on the domain. In these coefficients the squared norm of the derivatives of
    that order is the sum of squares but for the first, the mean, which is free (`rough`). That is
    also what conditions a search.

    Attributes:
        axes: periodic axes.
        modes: waves on each.
        order: 1 (Horn & Schunck) or 2 (curvature).
    """

    axes: tuple[Axis, ...]
    modes: int
    order: int

    @property
    def size(self) -> int:
        """Number of functions."""
        return (2 * self.modes + 1) ** len(self.axes)

    @property
    def rough(self) -> np.ndarray:
        """What a prior on smoothness counts: 0 for the mean, else 1; shape (size,)."""
        return np.concatenate([[0.0], np.ones(self.size - 1)])

    def matrix(self, points: dict[str, Any]) -> np.ndarray:
        """Return the functions at points (axis name -> (n,)), shape (n, size)."""
        k = np.arange(1, self.modes + 1)
        n = np.size(points[self.axes[0].name])
        matrix, squares = np.ones((n, 1)), np.zeros(1)
        for axis in self.axes:
            phase = 2 * np.pi / axis.length * np.outer(np.ravel(points[axis.name]) - axis.lower, k)
            columns = np.concatenate([np.ones((n, 1)), np.cos(phase), np.sin(phase)], axis=1)
            matrix = (matrix[:, :, None] * columns[:, None, :]).reshape(n, -1)
            waves = np.concatenate([[0.0], k**2.0, k**2.0])
            squares = (squares[:, None] + waves).ravel()
        return matrix / np.maximum(1.0, np.sqrt(squares)) ** self.order
