"""Trigonometric functions under a prior on smoothness that is white in their coefficients."""

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pdebench_lite.problem import Axis


@dataclass(frozen=True)
class FourierPrior:
    """Products of 1, cos and sin, each scaled by its prior deviation 1/max(1, |k|)^order.

    |k| counts waves on the domain, half-waves on an axis that is not periodic, which has cosines
    only. In these coefficients the squared norm of the derivatives of that order is the sum of
    squares, but for the first one, the mean. That is also what conditions a search. Wahba, *Spline
    Models for Observational Data* (1990), sect. 2.1, doi:10.1137/1.9781611970128.

    Attributes:
        axes: axes of the function; none for a number.
        modes: largest k along an axis.
        order: of the derivatives that are held to be small.
        mean: prior deviation of the mean, in units of that of the waves.
    """

    axes: "tuple[Axis, ...]"
    modes: int
    order: int = 2
    mean: float = 1.0

    @property
    def size(self) -> int:
        """Number of functions."""
        sizes = [2 * self.modes + 1 if axis.periodic else self.modes + 1 for axis in self.axes]
        return int(np.prod(sizes, dtype=int))

    @property
    def rough(self) -> np.ndarray:
        """What smoothness counts: 0 for the mean, else 1; shape (size,)."""
        return np.concatenate([[0.0], np.ones(self.size - 1)])

    def matrix(self, points: dict[str, Any]) -> np.ndarray:
        """Return the functions at points (axis name -> (n,)), shape (n, size); n = 1 without axes.

        The columns are ordered 1, cos 1, …, cos modes, sin 1, …, sin modes along an axis, the last
        axis running fastest.
        """
        n = np.size(points[self.axes[0].name]) if self.axes else 1
        matrix, squares = np.ones((n, 1)), np.zeros(1)
        for axis in self.axes:
            k = np.arange(1, self.modes + 1)
            turn = (2 * pi if axis.periodic else pi) / axis.length
            phase = turn * np.outer(np.ravel(points[axis.name]) - axis.lower, k)
            waves = [np.cos(phase), np.sin(phase)] if axis.periodic else [np.cos(phase)]
            columns = np.concatenate([np.ones((n, 1)), *waves], axis=1)
            one = np.concatenate([np.zeros(1), *[k**2.0] * len(waves)])
            matrix = (matrix[:, :, None] * columns[:, None, :]).reshape(n, -1)
            squares = (squares[:, None] + one).ravel()
        deviations = 1.0 / np.maximum(1.0, np.sqrt(squares)) ** self.order
        deviations[0] = self.mean
        return matrix * deviations
