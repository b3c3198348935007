"""Conservative finite volumes for scalar laws ∂u/∂t + ∂f(u)/∂x = 0 with a convex flux.

Whatever leaves a cell enters its neighbour, so the sum over the cells is kept to rounding and
shocks move at the speed of Rankine and Hugoniot.
"""

from collections.abc import Callable
from typing import Any, Literal

from jaxtyping import Float

from ._namespace import Array, array_namespace
from .boundary import Conditions, pad, part
from .grid import Grid

Limiter = Literal["van_leer", "minmod", "mc"]
Flux = Callable[[Array], Array]


def godunov_flux(
    flux: Flux, left: Float[Array, "*shape"], right: Float[Array, "*shape"], sonic: float
) -> Float[Array, "*shape"]:
    """Return the exact flux through a face between two constant states, for a convex flux.

    F = max(f(max(left, s)), f(min(right, s))), where f is least at the sonic point s.
    Source: LeVeque, Finite Volume Methods for Hyperbolic Problems (2002), §12.2,
    DOI 10.1017/CBO9780511791253.

    Args:
        flux: f, elementwise and convex, such as `lambda u: u * u / 2`.
        left: state on the lower side of each face.
        right: state on the upper side, same shape.
        sonic: the s with f′(s) = 0; −inf if f rises everywhere, inf if it falls everywhere.

    Returns:
        Flux through each face, same shape.
    """
    xp = array_namespace(left, right)
    if sonic == float("-inf"):
        return flux(left)
    if sonic == float("inf"):
        return flux(right)
    from_left = flux(xp.where(left > sonic, left, sonic))
    from_right = flux(xp.where(right < sonic, right, sonic))
    return xp.maximum(from_left, from_right)


def muscl_divergence(
    u: Float[Array, "*shape"],
    flux: Flux,
    grid: Grid,
    sonic: float = 0.0,
    limiter: Limiter = "van_leer",
    axis: str | None = None,
    conditions: Conditions | None = None,
) -> Float[Array, "*shape"]:
    """Return −∂f(u)/∂x by limited linear reconstruction (MUSCL) and Godunov's flux.

    Second order where u is smooth, first at extrema and shocks. Explicit in time it wants an SSP
    scheme (`ssp_rk2`, `ssp_rk3`) and keeps u within its bounds while max|f′|·dt/h ≤ ½.
    Source: van Leer 1979, DOI 10.1016/0021-9991(79)90145-1.

    Args:
        u: cell averages, shape `(*batch, *cells)`.
        flux: f, elementwise and convex.
        grid: grid.
        sonic: the s with f′(s) = 0; ∓inf if f is monotone (see `godunov_flux`).
        limiter: `"van_leer"`, `"minmod"` (most diffusive) or `"mc"` (least).
        axis: name of the axis; None for the only one.
        conditions: what holds on the ends of an axis that is not periodic; see `boundary`. Ghost
            cells hold a given value, or the value of the last cell plus the given rise (LeVeque
            2002, ch. 7), and Godunov's flux takes from them what enters.

    Returns:
        Rate of change of the cell averages, same shape.

    Raises:
        ValueError: unknown limiter or axis, a shape off the grid, an axis neither periodic nor with
            a condition.
    """
    if limiter not in _LIMITERS:
        raise ValueError(f"limiter must be one of {sorted(_LIMITERS)}, got {limiter!r}")
    name = grid.axis(axis)
    grid.check_shape(u)
    xp, i, n = array_namespace(u), grid.index(name), grid.cells[grid.index(name)]
    padded = pad(u, grid, name, 2, conditions, degree=0)
    steps = part(padded, i, 1, n + 4) - part(padded, i, 0, n + 3)
    slope = _LIMITERS[limiter](xp, part(steps, i, 0, n + 2), part(steps, i, 1, n + 3))
    centre, half = part(padded, i, 1, n + 3), slope / 2  # of the cells −1 … n
    below, above = part(centre + half, i, 0, n + 1), part(centre - half, i, 1, n + 2)
    through = godunov_flux(flux, below, above, sonic)  # the faces −½ … n − ½
    return -(part(through, i, 1, n + 1) - part(through, i, 0, n)) / grid.spacing[name]


def _van_leer(xp: Any, a: Array, b: Array) -> Array:
    """Harmonic mean. The inner where keeps the gradient of the unused branch finite."""
    agree = a * b > 0
    return xp.where(agree, 2 * a * b / xp.where(agree, a + b, 1.0), 0.0)


def _minmod(xp: Any, a: Array, b: Array) -> Array:
    """Return the smaller of two slopes of one sign, else 0."""
    return xp.where(a * b > 0, xp.where(xp.abs(a) < xp.abs(b), a, b), 0.0)


def _mc(xp: Any, a: Array, b: Array) -> Array:
    """Monotonised central: the smallest of 2a, (a + b)/2, 2b if of one sign, else 0."""
    return _minmod(xp, (a + b) / 2, 2 * _minmod(xp, a, b))


_LIMITERS: dict[str, Callable[[Any, Array, Array], Array]] = {
    "van_leer": _van_leer,
    "minmod": _minmod,
    "mc": _mc,
}
