"""Images carried by a steady motion along its characteristics, and the derivative of that."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pdebench_lite.numerics import Grid, interpolate_periodic, rk4, spectral_derivative
from pdebench_lite.problem import Domain, Unknown
from pdebench_methods.search.fourier_prior import FourierPrior

_TABLE = {1: 4096, 2: 256, 3: 64}  # cells an axis of the tables of motion and image


class Warp:
    """d(x, t) = d⁰(X), X being where the characteristic through x stood a time t before.

    The motion is tabulated on a fine grid and read from there by cubic interpolation.
    """

    def __init__(
        self,
        domain: Domain,
        waves: FourierPrior,
        image: Callable[[dict[str, Any]], Any],
        steps: int,
        sought: Sequence[Unknown],
    ) -> None:
        """Prepare the tables.

        Args:
            domain: periodic axes of space.
            waves: the functions that add up to the motion, or to a positive one's logarithm.
            image: the first one, a function on points.
            steps: along a characteristic.
            sought: the motion along each axis.
        """
        self._positive = np.array([u.positive for u in sought])
        self._guesses = np.array([u.guess for u in sought])
        self._waves, self._image, self._steps = waves, image, steps
        self.grid: Grid = domain.grid(_TABLE[len(domain.space)])
        self._names = self.grid.axes
        cells = {a: np.ravel(v) for a, v in self.grid.points().items()}
        self._basis = waves.matrix(cells) if len(self._names) == 1 else None
        self._cells = cells
        first = np.asarray(image(cells), float).reshape(self.grid.cells)
        self._slopes = [spectral_derivative(first, self.grid, a) for a in self._names]

    def tabulate(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the motion on the table's grid, (axes, *cells), from (axes, functions)."""
        basis = self._waves.matrix(self._cells) if self._basis is None else self._basis
        motion = coefficients @ basis.T
        grown = self._positive
        motion[grown] = self._guesses[grown, None] * np.exp(motion[grown])
        return motion.reshape(-1, *self.grid.cells)

    def path(self, motion: np.ndarray, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Return the characteristics back from x (axes, n), t (n,): (steps + 1, axes, n).

        Classical Runge–Kutta; not wrapped.
        """
        h = t / self._steps
        path = [x]
        for _ in range(self._steps):
            path.append(rk4(lambda y: -self._read(motion, y), path[-1], h))
        return np.stack(path)

    def values(self, ends: np.ndarray) -> np.ndarray:
        """Return the first image at the ends of characteristics, (axes, n) -> (n,)."""
        wrapped = {
            a: low + np.mod(y - low, self.grid.length[a])
            for a, low, y in zip(self._names, self.grid.lower, ends, strict=True)
        }
        return np.asarray(self._image(wrapped), float)

    def jacobian(self, motion: np.ndarray, path: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Return the derivative of `values(path[-1])` by the coefficients, (n, axes·functions).

        With D the derivative of the path by its start, δX = −D ∫ D⁻¹ δu(X) ds; Simpson's or the
        trapezoid rule over the steps.
        """
        d, n = path.shape[1:]
        slopes = np.stack(
            [[spectral_derivative(m, self.grid, a) for a in self._names] for m in motion]
        )  # [i, j] = ∂u_i/∂x_j
        nodes = self._steps + 1
        weights = np.full(nodes, 1.0)
        weights[[0, -1]] = 0.5
        if self._steps % 2 == 0:
            weights = np.where(np.arange(nodes) % 2, 4.0, 2.0) / 3.0
            weights[[0, -1]] = 1.0 / 3.0
        tables = slopes.reshape(d * d, *self.grid.cells)
        rates = -self._read(tables, np.moveaxis(path, 0, 1).reshape(d, -1))
        rates = np.moveaxis(rates.reshape(d, d, nodes, n), (2, 3), (0, 1))  # (nodes, n, d, d)
        flow = np.broadcast_to(np.eye(d), (n, d, d))
        flows, h = [flow], (t / self._steps)[:, None, None]
        for a, b in itertools.pairwise(rates):  # Crank–Nicolson
            flow = np.linalg.solve(np.eye(d) - 0.5 * h * b, flow + 0.5 * h * (a @ flow))
            flows.append(flow)
        gradient = np.stack([self._read(s[None], path[-1])[0] for s in self._slopes], axis=-1)
        row = np.einsum("ni,nij->nj", gradient, flows[-1])
        total = np.zeros((n, d, self._waves.size))
        for weight, y, flow in zip(weights, path, flows, strict=True):
            share = (
                -weight
                * (t / self._steps)[:, None]
                * np.einsum("nj,njk->nk", row, np.linalg.inv(flow))
            )
            if self._positive.any():  # of an exponential the slope is its value
                share[:, self._positive] *= self._read(motion[self._positive], y).T
            basis = self._waves.matrix(dict(zip(self._names, y, strict=True)))
            total += share[:, :, None] * basis[:, None, :]
        return total.reshape(n, -1)

    def _read(self, tables: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return the tables, (m, *cells), at points (axes, n): (m, n)."""
        cells = [
            (row - low) / self.grid.spacing[a] - 0.5
            for a, low, row in zip(self._names, self.grid.lower, y, strict=True)
        ]
        return interpolate_periodic(tables, cells, "cubic")
