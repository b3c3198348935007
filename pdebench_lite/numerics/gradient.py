"""Central differences."""

from typing import Literal

from jaxtyping import Float

from ._namespace import Array
from .boundary import Conditions, inner, pad
from .grid import Grid

# order -> weights of (u[i+j] − u[i−j]) / h for j = 1, 2, …
_WEIGHTS: dict[int, tuple[float, ...]] = {2: (1 / 2,), 4: (2 / 3, -1 / 12)}


def central_difference(
    u: Float[Array, "*shape"],
    grid: Grid,
    axis: str | None = None,
    order: Literal[2, 4] = 2,
    conditions: Conditions | None = None,
) -> Float[Array, "*shape"]:
    """Return ∂u/∂x along one axis by central differences.

    Args:
        u: shape `(*batch, *cells)`.
        grid: grid.
        axis: name of the axis; None for the only one.
        order: order of accuracy, 2 (3 points) or 4 (5 points), up to the ends of the axis.
        conditions: what holds on the ends of an axis that is not periodic; see `boundary`.

    Returns:
        Same shape, in units of u per length.

    Raises:
        ValueError: unknown order or axis, a shape off the grid, an axis neither periodic nor with a
            condition.
    """
    if order not in _WEIGHTS:
        raise ValueError(f"order must be one of {sorted(_WEIGHTS)}, got {order!r}")
    name = grid.axis(axis)
    grid.check_shape(u)
    i, width = grid.index(name), len(_WEIGHTS[order])
    padded = pad(u, grid, name, width, conditions, degree=order)
    terms = [
        (w / grid.spacing[name]) * (inner(padded, i, width, j) - inner(padded, i, width, -j))
        for j, w in enumerate(_WEIGHTS[order], start=1)
    ]
    return sum(terms[1:], start=terms[0])
