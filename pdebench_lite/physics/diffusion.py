"""Diffusion, ∂u/∂t = ν·∇²u, on periodic grids of any dimension."""

from jaxtyping import Float

from ._namespace import Array, along, array_namespace
from .grid import Grid
from .spectral import wavenumbers


def laplacian(u: Float[Array, "*shape"], grid: Grid) -> Float[Array, "*shape"]:
    """Return ∇²u by second differences: 3 points in 1-D, 5 in 2-D; second order.

    Args:
        u: shape `(*batch, *cells)`.
        grid: periodic grid.

    Returns:
        Same shape, in units of u per length².

    Raises:
        ValueError: a shape off the grid, an axis not periodic.
    """
    grid.check(u)
    xp = array_namespace(u)
    terms = [
        (xp.roll(u, 1, axis=grid.index(a)) - 2 * u + xp.roll(u, -1, axis=grid.index(a))) / h**2
        for a, h in grid.spacing.items()
    ]
    return sum(terms[1:], start=terms[0])


def diffuse_explicit(
    u: Float[Array, "*shape"], nu: float | Array, dt: float | Array, grid: Grid
) -> Float[Array, "*shape"]:
    """Take one explicit Euler step, u + dt·ν·∇²u; stable up to `explicit_diffusion_limit`.

    Args:
        u: shape `(*batch, *cells)`.
        nu: diffusivity ν ≥ 0, length² per time; a float, or an array that broadcasts against u.
        dt: time step.
        grid: periodic grid.

    Returns:
        u one step later, same shape.

    Raises:
        ValueError: a shape off the grid, an axis not periodic.
    """
    return u + dt * nu * laplacian(u, grid)


def explicit_diffusion_limit(nu: float, grid: Grid) -> float:
    """Return the largest stable time step of `diffuse_explicit`, 1 / (2ν·Σ h⁻²).

    Args:
        nu: diffusivity ν > 0, length² per time.
        grid: grid; the sum runs over its axes.

    Raises:
        ValueError: ν is not positive.
    """
    if not nu > 0:
        raise ValueError(f"nu must be positive, got {nu}; without diffusion any time step will do")
    return 1 / (2 * nu * sum(h**-2 for h in grid.spacing.values()))


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
