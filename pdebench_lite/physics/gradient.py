"""Central differences on periodic grids."""

from typing import Literal

from jaxtyping import Float

from ._namespace import Array, array_namespace
from .grid import Grid

# order -> weights of (u[i+j] − u[i−j]) / h for j = 1, 2, …
_WEIGHTS: dict[int, tuple[float, ...]] = {2: (1 / 2,), 4: (2 / 3, -1 / 12)}


def central_difference(
    u: Float[Array, "*shape"], grid: Grid, axis: str | None = None, order: Literal[2, 4] = 2
) -> Float[Array, "*shape"]:
    """Return ∂u/∂x along one axis by central differences.

    Args:
        u: shape `(*batch, *cells)`.
        grid: grid whose `axis` is periodic.
        axis: name of the axis; None for the only one.
        order: order of accuracy, 2 (3 points) or 4 (5 points).

    Returns:
        Same shape, in units of u per length.

    Raises:
        ValueError: unknown order or axis, a shape off the grid, an axis not periodic.
    """
    if order not in _WEIGHTS:
        raise ValueError(f"order must be one of {sorted(_WEIGHTS)}, got {order!r}")
    name = grid.axis(axis)
    grid.check(u, axis=name)
    xp, i = array_namespace(u), grid.index(name)
    terms = [
        (w / grid.spacing[name]) * (xp.roll(u, -j, axis=i) - xp.roll(u, j, axis=i))
        for j, w in enumerate(_WEIGHTS[order], start=1)
    ]
    return sum(terms[1:], start=terms[0])
