"""Operators: derivatives on a grid that know what holds on its boundary.

A right-hand side is written once, `D * on.laplacian(s["u"], "u")`, and runs with differences on any
box, or with Fourier's derivatives on a periodic one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ._namespace import Array, array_namespace
from .boundary import Conditions, inner, pad
from .gradient import central_difference
from .grid import Grid
from .spectral import spectral_derivative

Ghosts = Callable[[str, Array], Conditions]
"""(field name, array like which values are wanted) -> what holds on the ends of the axes."""


def _nothing(name: str, like: Array) -> Conditions:
    return {}


@dataclass(frozen=True)
class Operators(ABC):
    """Derivatives of arrays over a grid, shape `(*batch, *cells)`.

    Attributes:
        grid: the grid.
        t: time.
        ghosts: the boundary conditions of a field, at that time.
    """

    grid: Grid
    t: Any = 0.0
    ghosts: Ghosts = field(default=_nothing)

    @abstractmethod
    def d(self, values: Array, axes: str, of: str = "") -> Array:
        """Return a derivative, such as `d(s["u"], "xx", "u")`.

        Args:
            values: shape `(*batch, *cells)`.
            axes: axis letters, one for each derivative.
            of: name of the field whose boundary conditions hold for the values; empty, such as for
                a coefficient or a flux: they are continued beyond the walls.
        """

    def laplacian(self, values: Array, of: str = "") -> Array:
        """Return the sum of the second derivatives."""
        terms = [self.d(values, 2 * a, of) for a in self.grid.axes]
        return sum(terms[1:], start=terms[0])

    def points(self, like: Array) -> dict[str, Array]:
        """Return the centres of the cells, axis name -> array of the shape of the grid."""
        return self.grid.points(like)


@dataclass(frozen=True)
class Differences(Operators):
    """Central differences.

    Attributes:
        order: of accuracy, 2 or 4; next to a face that is not periodic the ghost cells are those of
            a polynomial of that degree.
    """

    order: int = 2

    def d(self, values: Array, axes: str, of: str = "") -> Array:
        """Return a derivative by differences; higher ones one after the other."""
        conditions = self.ghosts(of, values)
        for axis in sorted(set(axes)):
            times = axes.count(axis)
            for _ in range(times // 2):
                values = self._second(values, axis, conditions)
            if times % 2:
                order: Any = self.order
                values = central_difference(values, self.grid, axis, order, conditions)
        return values

    def _second(self, u: Array, axis: str, conditions: Conditions) -> Array:
        weights = _SECOND[self.order]
        i, width = self.grid.index(axis), len(weights) - 1
        padded = pad(u, self.grid, axis, width, conditions, degree=self.order)
        total = weights[0] * inner(padded, i, width, 0)
        for j, weight in enumerate(weights[1:], start=1):
            total = total + weight * (inner(padded, i, width, j) + inner(padded, i, width, -j))
        return total / self.grid.spacing[axis] ** 2


_SECOND: dict[int, tuple[float, ...]] = {2: (-2.0, 1.0), 4: (-5 / 2, 4 / 3, -1 / 12)}
"""Order -> weights of u[i], u[i ± 1], … in the second difference."""


@dataclass(frozen=True)
class Spectral(Operators):
    """Fourier's derivatives, on a grid whose axes are periodic: exact for what it resolves."""

    def d(self, values: Array, axes: str, of: str = "") -> Array:
        """Return a derivative."""
        for axis in sorted(set(axes)):
            values = spectral_derivative(values, self.grid, axis, axes.count(axis))
        return values

    def inverse_laplacian(self, values: Array) -> Array:
        """Return the function of mean zero whose Laplacian is the values less their mean."""
        xp, axes = array_namespace(values), tuple(range(-len(self.grid.axes), 0))
        k2 = squared_wavenumbers(self.grid, values)
        scale = xp.where(k2 > 0, -1.0 / xp.where(k2 > 0, k2, 1.0), 0.0)
        return xp.fft.irfftn(scale * xp.fft.rfftn(values, axes=axes), s=self.grid.cells, axes=axes)


def wave_grid(grid: Grid, like: Array, full: bool = False) -> dict[str, Array]:
    """Return the wave numbers of every mode of `rfftn`: axis name -> shape of the spectrum, or 1s.

    Args:
        grid: periodic grid.
        like: real array whose library, dtype and device the result takes.
        full: those of `fftn`.
    """
    from .spectral import wavenumbers

    xp, waves = array_namespace(like), {}
    for axis in grid.axes:
        last = axis == grid.axes[-1] and not full
        k = wavenumbers(grid, axis, like=like, full=not last)
        shape = [1] * len(grid.axes)
        shape[grid.index(axis)] = k.shape[0]
        waves[axis] = xp.reshape(k, tuple(shape))
    return waves


def squared_wavenumbers(grid: Grid, like: Array, full: bool = False) -> Array:
    """Return |k|² of every mode of `rfftn` (or `fftn`), shape of the spectrum."""
    waves = [k * k for k in wave_grid(grid, like, full).values()]
    return sum(waves[1:], start=waves[0])


def low_modes(grid: Grid, degree: int, like: Array, full: bool = False) -> Array:
    """Return 1 for the modes that stay free of aliasing in a product of `degree` factors, else 0.

    Kept are |j| < n/(degree + 1) along each axis (degree 2: the 2/3 rule).
    Source: Orszag 1971, doi:10.1175/1520-0469(1971)028<1074:OTEOAI>2.0.CO;2.
    """
    import math

    xp, kept = array_namespace(like), []
    for axis, k in wave_grid(grid, like, full).items():
        j = xp.abs(k) * (grid.length[axis] / (2 * math.pi))
        inside = (degree + 1) * xp.round(j) < grid.cells[grid.index(axis)]
        kept.append(xp.astype(inside, like.dtype))
    total = kept[0]
    for mask in kept[1:]:
        total = total * mask
    return total
