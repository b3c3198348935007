"""Trigonometric functions under a prior on smoothness that is white in their coefficients."""

from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pdebench_lite.problem import Axis

_LEAST = 1e-12  # of a deviation: beyond, it is no longer told from zero


@dataclass(frozen=True)
class FourierPrior:
    """Products of 1, cos and sin, each scaled by its prior deviation 1/max(1, |k|)^order.

    |k| counts waves on the domain; on an axis that is not periodic half-waves: cosines, or sines
    where the functions vanish at both ends, and quarter-waves where they vanish at one. In these
    coefficients the squared norm of the derivatives of that order is the sum of squares, but for
    the first one, the mean. That is also what conditions a search. Wahba, *Spline Models for
    Observational Data* (1990), sect. 2.1, doi:10.1137/1.9781611970128.

    Attributes:
        axes: axes of the function; none for a number.
        modes: largest k along an axis.
        order: of the derivatives that are held to be small.
        mean: prior deviation of the mean, in units of that of the waves.
        fixed: the ends of axes where the functions are zero, such as `x_lower`. Where there are
            any there is no mean.
    """

    axes: "tuple[Axis, ...]"
    modes: int
    order: int = 2
    mean: float = 1.0
    fixed: tuple[str, ...] = ()

    def _waves(self, axis: "Axis") -> np.ndarray:
        """Return k of the functions along an axis."""
        k = np.arange(1.0, self.modes + 1)
        if axis.periodic:
            return np.concatenate([np.zeros(1), k, k])
        ends = sum(f"{axis.name}_{side}" in self.fixed for side in ("lower", "upper"))
        return (np.concatenate([np.zeros(1), k]), k - 0.5, k)[ends]

    @property
    def size(self) -> int:
        """Number of functions."""
        return int(np.prod([self._waves(axis).size for axis in self.axes], dtype=int))

    @property
    def has_mean(self) -> bool:
        """Whether the first function is the constant one."""
        return not self.fixed

    @property
    def rough(self) -> np.ndarray:
        """What smoothness counts: 0 for the mean, else 1; shape (size,)."""
        return np.concatenate([[0.0 if self.has_mean else 1.0], np.ones(self.size - 1)])

    @property
    def wavenumbers(self) -> np.ndarray:
        """|k| of the functions, shape (size,)."""
        squares = np.zeros(1)
        for axis in self.axes:
            squares = (squares[:, None] + self._waves(axis) ** 2).ravel()
        return np.sqrt(squares)

    def band_limited(self, order: float, band: float) -> np.ndarray:
        """Return another prior's deviations over these, for coefficients in these; shape (size,).

        The other one falls by a power law and is cut off by a Gaussian: |k|^−order·exp(−|k|²/2b²),
        b = band. For order 0 that is the squared-exponential covariance with a length of 1/2πb
        domains (Rasmussen & Williams, *Gaussian Processes for Machine Learning* (2006), eq. 4.9).
        The mean is left as it is.
        """
        k = np.maximum(1.0, self.wavenumbers)
        ratio = k ** (self.order - order) * np.exp(-0.5 * (k / band) ** 2)
        if self.has_mean:
            ratio[0] = 1.0
        return np.maximum(ratio, _LEAST)

    def matrix(self, points: dict[str, Any]) -> np.ndarray:
        """Return the functions at points (axis name -> (n,)), shape (n, size); n = 1 without axes.

        The columns are ordered 1, cos 1, …, cos modes, sin 1, …, sin modes along an axis, the last
        axis running fastest.
        """
        n = np.size(points[self.axes[0].name]) if self.axes else 1
        matrix = np.ones((n, 1))
        for axis in self.axes:
            k = self._waves(axis)
            turn = (2 * pi if axis.periodic else pi) / axis.length
            phase = turn * np.outer(np.ravel(points[axis.name]) - axis.lower, k)
            columns = np.sin(phase) if f"{axis.name}_lower" in self.fixed else np.cos(phase)
            if axis.periodic:
                columns[:, 1 + self.modes :] = np.sin(phase[:, 1 + self.modes :])
            matrix = (matrix[:, :, None] * columns[:, None, :]).reshape(n, -1)
        deviations = 1.0 / np.maximum(1.0, self.wavenumbers) ** self.order
        if self.has_mean:
            deviations[0] = self.mean
        return matrix * deviations
