"""A fast inverse of the Laplacian on a box, the preconditioner of elliptic equations.

The second difference of an axis is diagonal in waves that suit its ends: sines, cosines, both, or
what a Robin condition makes of them. They are the eigenvectors of a small matrix, so that one code
serves all ends; a sum of axes is diagonal in their products (Lynch, Rice & Thomas 1964,
doi:10.1007/BF01386067).
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ._namespace import Array, along, array_namespace
from .boundary import Conditions, Dirichlet, Neumann, Robin, pad
from .grid import Grid

_End = tuple[float, float]  # α, β


@dataclass(frozen=True)
class FastPoisson:
    """x with −Δx = r, homogeneous conditions, second order; constants are kept bounded.

    Attributes:
        vectors: for each axis the orthonormal eigenvectors of −∂², as columns, (n, n).
        inverse: 1/Σ eigenvalues over the grid; where that is 0, 1/the smallest other one.
        diagonal: of −Δ, over the grid.
    """

    vectors: tuple[Array, ...]
    inverse: Array
    diagonal: Array

    @classmethod
    def on(cls, grid: Grid, conditions: Conditions, like: Array) -> "FastPoisson":
        """Return that of a grid.

        Args:
            grid: a grid.
            conditions: on the ends of axes that are not periodic; their values do not count.
            like: array whose library, dtype and device it takes.
        """
        vectors, total, diagonal = [], np.zeros(()), np.zeros(())
        for axis in grid.axes:
            i = grid.index(axis)
            ends = conditions.get(axis, ())
            pair = ends if isinstance(ends, tuple) else (ends, ends)
            n, h = grid.cells[i], grid.spacing[axis]
            values, waves, own = _line(n, h, tuple(_weights(end) for end in pair))
            vectors.append(waves)
            total = total + along(np, values, i)
            diagonal = diagonal + along(np, own, i)
        least = float(np.min(total[total > 1e-9 * total.max()]))
        inverse = 1.0 / np.where(total > 1e-9 * total.max(), total, least)
        xp, place = array_namespace(like), {"device": getattr(like, "device", None)}

        def moved(values: np.ndarray) -> Array:
            return xp.asarray(values, dtype=like.dtype, **place)

        return cls(tuple(map(moved, vectors)), moved(inverse), moved(diagonal))

    def __call__(self, r: Array) -> Array:
        """Return x, shape (*batch, *cells)."""
        d = len(self.vectors)
        for i, waves in enumerate(self.vectors):
            r = _times(r, waves, i - d)
        r = r * self.inverse
        for i, waves in enumerate(self.vectors):
            r = _times(r, waves.T, i - d)
        return r


def _times(values: Array, matrix: Array, i: int) -> Array:
    """Return values times a matrix along array axis i < 0."""
    xp = array_namespace(values)
    if i == -1:
        return xp.matmul(values, matrix)
    return xp.moveaxis(xp.matmul(xp.moveaxis(values, i, -1), matrix), -1, i)


def _weights(end: object) -> _End:
    if isinstance(end, Robin):
        return end.alpha, end.beta
    if isinstance(end, Dirichlet):
        return 1.0, 0.0
    if isinstance(end, Neumann):
        return 0.0, 1.0
    raise ValueError(f"an elliptic equation needs a condition on every end, got {end!r}")


@lru_cache(maxsize=64)
def _line(n: int, h: float, ends: tuple[_End, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return eigenvalues (n,), eigenvectors (n, n) and diagonal (n,) of −∂² on a line."""
    grid = Grid(("x",), (0.0,), (n * h,), (n,), (not ends,))
    held = {"x": tuple(Robin(a, b) for a, b in ends)} if ends else {}
    padded = pad(np.eye(n), grid, "x", 1, held)  # type: ignore[arg-type]
    matrix = (2.0 * padded[:, 1:-1] - padded[:, :-2] - padded[:, 2:]) / h**2
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    return values, vectors, np.diagonal(matrix).copy()
