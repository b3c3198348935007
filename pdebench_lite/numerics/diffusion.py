"""Diffusion, ∂u/∂t = ν·∇²u, on grids of any dimension."""

import math

from jaxtyping import Float

from ._namespace import Array, along, array_namespace
from .boundary import Conditions, Dirichlet, inner, pad, part, sides
from .grid import Grid
from .spectral import wavenumbers


def laplacian(
    u: Float[Array, "*shape"], grid: Grid, conditions: Conditions | None = None
) -> Float[Array, "*shape"]:
    """Return ∇²u by second differences: 3 points in 1-D, 5 in 2-D; second order.

    Next to a face that is not periodic the ghost cell is a parabola's, and the error is O(h) there;
    what the Laplacian determines (a diffused or a steady u) is of second order all the same.

    Args:
        u: shape `(*batch, *cells)`.
        grid: grid.
        conditions: what holds on the ends of axes that are not periodic; see `boundary`.

    Returns:
        Same shape, in units of u per length².

    Raises:
        ValueError: a shape off the grid, an axis neither periodic nor with a condition.
    """
    grid.check_shape(u)
    terms = []
    for axis, h in grid.spacing.items():
        terms.append((_neighbours(u, grid, axis, conditions) - 2 * u) / h**2)
    return sum(terms[1:], start=terms[0])


def _neighbours(
    u: Float[Array, "*shape"], grid: Grid, axis: str, conditions: Conditions | None
) -> Float[Array, "*shape"]:
    """Return the sum of the two neighbours of each cell along an axis, shape of u."""
    i = grid.index(axis)
    if sides(grid, axis, conditions):
        padded = pad(u, grid, axis, 1, conditions, degree=2)
        return inner(padded, i, 1, -1) + inner(padded, i, 1, 1)
    xp, n = array_namespace(u), u.shape[i]
    left = [part(u, i, n - 1, n), part(u, i, 0, n - 1)]
    right = [part(u, i, 1, n), part(u, i, 0, 1)]
    return xp.concat(left, axis=i) + xp.concat(right, axis=i)  # XLA reverses them in one kernel


def diffuse_explicit(
    u: Float[Array, "*shape"],
    nu: float | Array,
    dt: float | Array,
    grid: Grid,
    conditions: Conditions | None = None,
) -> Float[Array, "*shape"]:
    """Take one explicit Euler step, u + dt·ν·∇²u; stable up to `explicit_diffusion_limit`.

    Args:
        u: shape `(*batch, *cells)`.
        nu: diffusivity ν ≥ 0, length² per time; a float, or an array that broadcasts against u.
        dt: time step.
        grid: grid.
        conditions: what holds on the ends of axes that are not periodic; see `boundary`.

    Returns:
        u one step later, same shape.

    Raises:
        ValueError: a shape off the grid, an axis neither periodic nor with a condition.
    """
    return u + dt * nu * laplacian(u, grid, conditions)


def explicit_diffusion_limit(nu: float, grid: Grid, conditions: Conditions | None = None) -> float:
    """Return a stable time step of `diffuse_explicit`, the largest on all but coarse grids.

    2 / (ν·Σ λ h⁻²) with the largest eigenvalue λ of the negative second difference: 4 on a periodic
    axis and between slopes, 8/√3 next to a given value, whose parabola makes the row of the first
    cell (−4, 4/3): the mode (2√3 − 3)ᵏ(−1)ᵏ meets that row and every other.

    Args:
        nu: diffusivity ν > 0, length² per time.
        grid: grid; the sum runs over its axes.
        conditions: as for `laplacian`.

    Raises:
        ValueError: ν is not positive.
    """
    if not nu > 0:
        raise ValueError(f"nu must be positive, got {nu}; without diffusion any time step will do")
    total = 0.0
    for axis, h in grid.spacing.items():
        given = any(isinstance(side, Dirichlet) for side in sides(grid, axis, conditions))
        total += (8 / math.sqrt(3) if given else 4.0) / h**2
    return 2 / (nu * total)


def diffuse_spectral(
    u: Float[Array, "*shape"], nu: float | Array, dt: float | Array, grid: Grid
) -> Float[Array, "*shape"]:
    """Solve the heat equation exactly for one step: each Fourier mode decays by exp(−ν·k²·dt).

    Args:
        u: shape `(*batch, *cells)`.
        nu: diffusivity ν ≥ 0, length² per time; constant in space: a float, or an array that
            broadcasts against u with grid axes of length 1.
        dt: time step ≥ 0.
        grid: periodic grid.

    Returns:
        u one step later, same shape.

    Raises:
        ValueError: a shape off the grid, an axis not periodic.
    """
    grid.check(u)
    xp = array_namespace(u)
    for axis, n in zip(grid.axes, grid.cells, strict=True):  # the exponential factorises
        i = grid.index(axis)
        k = along(xp, wavenumbers(grid, axis, like=u), i)
        u = xp.fft.irfft(xp.exp(-nu * dt * k**2) * xp.fft.rfft(u, axis=i), n=n, axis=i)
    return u
