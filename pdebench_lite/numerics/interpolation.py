"""Interpolation on uniform grids of any dimension."""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from jaxtyping import Float

from ._namespace import Array, array_namespace, as_index
from .boundary import Conditions, pad
from .grid import Grid

Order = Literal["linear", "cubic"]


def _linear(s: Array) -> list[tuple[int, Array]]:
    return [(0, 1 - s), (1, s)]


def _cubic(s: Array) -> list[tuple[int, Array]]:
    """Lagrange's basis on the nodes −1, 0, 1, 2 at s ∈ [0, 1)."""
    return [
        (-1, -s * (s - 1) * (s - 2) / 6),
        (0, (s + 1) * (s - 1) * (s - 2) / 2),
        (1, -(s + 1) * s * (s - 2) / 2),
        (2, (s + 1) * s * (s - 1) / 6),
    ]


class Stencil(NamedTuple):
    """Which nodes of a grid are read for each of m points, and with what weights."""

    index: Array
    """Of the nodes in the flattened grid, shape (*batch, nodes·m), the points running fastest."""
    weights: Array
    """Shape (*batch, nodes, m)."""


_STENCILS: dict[str, Callable[[Array], list[tuple[int, Array]]]] = {
    "linear": _linear,
    "cubic": _cubic,
}
_REACH = {"linear": (0, 1), "cubic": (1, 2)}  # nodes below and above the one to the left
_GHOSTS = {"linear": (1, 1), "cubic": (2, 3)}  # width, and the degree that keeps the order


def interpolate_periodic(
    values: Float[Array, "..."],
    positions: Float[Array, "..."] | Sequence[Float[Array, "..."]],
    order: Order = "linear",
) -> Float[Array, "..."]:
    """Interpolate values on a periodic uniform grid at any points.

    The tensor product of one-dimensional Lagrange interpolation: 2 nodes per axis (second order)
    or 4 (fourth order). Differentiable in both arguments; in `positions` the derivative jumps at
    the nodes, where it is taken from the right.

    Args:
        values: shape `(*batch, n₁, …, n_d)`.
        positions: one array per grid axis, shape `(*batch, m)`, in cells: position i is node i,
            and i + n is the same point. In one dimension the bare array will do.
        order: `"linear"` or `"cubic"`.

    Returns:
        Shape `(*batch, m)`; the batch axes of the arguments broadcast.

    Raises:
        ValueError: unknown order.
    """
    positions = positions if isinstance(positions, list | tuple) else (positions,)
    d = len(positions)
    return read(values, stencil(positions, tuple(values.shape[-d:]), order), d)


def interpolate(
    values: Float[Array, "..."],
    positions: Sequence[Float[Array, "..."]],
    grid: Grid,
    order: Order = "linear",
    conditions: Conditions | None = None,
) -> Float[Array, "..."]:
    """Interpolate values on a grid, any axes of which may end at boundaries.

    Orders of accuracy as for `interpolate_periodic`, up to the faces. A point beyond a face is
    answered with the value on the face: what a constant inflow would have brought there.

    Args:
        values: shape `(*batch, *cells)`.
        positions: one array per grid axis, shape `(*batch, m)`, in cells: cell i has its centre at
            position i, the faces of an axis of n cells are at −½ and n − ½.
        grid: grid.
        order: `"linear"` or `"cubic"`.
        conditions: what holds on the ends of axes that are not periodic; see `boundary`.

    Returns:
        Shape `(*batch, m)`; the batch axes of the arguments broadcast.

    Raises:
        ValueError: unknown order, a shape off the grid, an axis neither periodic nor with a
            condition.
    """
    values, positions = extended(values, positions, grid, order, conditions)
    d = len(positions)
    return read(values, stencil(positions, tuple(values.shape[-d:]), order), d)


def extended(
    values: Array, positions: Sequence[Array], grid: Grid, order: str, conditions: Conditions | None
) -> tuple[Array, list[Array]]:
    """Return values with ghost cells beyond the faces, and the positions in that larger array."""
    _check(order)
    grid.check_shape(values)
    moved = []
    for axis, position, n, periodic in zip(
        grid.axes, positions, grid.cells, grid.periodic, strict=True
    ):
        if periodic:
            moved.append(position)
            continue
        width, degree = _GHOSTS[order]
        values = pad(values, grid, axis, width, conditions, degree)
        xp = array_namespace(position)
        moved.append(xp.clip(position, -0.5, n - 0.5) + width)
    return values, moved


def stencil(
    positions: Sequence[Float[Array, "..."]],
    cells: tuple[int, ...],
    order: str,
    periodic: tuple[bool, ...] = (),
) -> Stencil:
    """Return the nodes around each point of a grid, and their weights.

    Args:
        positions: as for `interpolate_periodic`.
        cells: of the grid, (n₁, …, n_d).
        order: `"linear"` or `"cubic"`.
        periodic: whether each axis is; empty: all. Next to the end of one that is not, the nodes
            are those nearest to it, whose polynomial is continued.

    Raises:
        ValueError: unknown order.
    """
    _check(order)
    nodes = []  # for each axis: the nodes of its 1-D stencil, as (index, weight)
    for position, n, wraps in zip(positions, cells, periodic or (True,) * len(cells), strict=True):
        xp = array_namespace(position)
        left = xp.floor(position)
        if not wraps:
            below, above = _REACH[order]
            left = xp.clip(left, below, n - 1 - above)
        index = as_index(array_namespace(left), left)
        nodes.append([((index + k) % n, w) for k, w in _STENCILS[order](position - left)])
    indices, weights = [], []
    for corner in itertools.product(*nodes):
        (index, weight), *others = corner
        for (i, w), n in zip(others, cells[1:], strict=True):
            index, weight = index * n + i, weight * w
        indices.append(index)
        weights.append(weight)
    # One gather for all corners: many small ones take compilers long.
    joined = array_namespace(indices[0]).concat(indices, axis=-1)
    return Stencil(joined, array_namespace(weights[0]).stack(weights, axis=-2))


def read(values: Float[Array, "..."], at: Stencil, axes: int = 1) -> Float[Array, "..."]:
    """Return Σ weight·value over the nodes of each point, shape (*batch, m).

    Args:
        values: shape (*batch, n₁, …, n_d).
        at: a stencil on that grid.
        axes: d.
    """
    xp = array_namespace(values, at.weights)
    return xp.sum(at.weights * node_values(values, at, axes), axis=-2)


def node_values(values: Float[Array, "..."], at: Stencil, axes: int = 1) -> Float[Array, "..."]:
    """Return values at the nodes of a stencil, shape (*batch, nodes, m); see `read`."""
    xp = array_namespace(values, at.weights)
    flat = xp.reshape(values, (*values.shape[:-axes], math.prod(values.shape[-axes:])))
    found = _gather(xp, flat, at.index)
    return xp.reshape(found, (*found.shape[:-1], at.weights.shape[-2], -1))


def _check(order: str) -> None:
    if order not in _STENCILS:
        raise ValueError(f"order must be one of {sorted(_STENCILS)}, got {order!r}")


def _gather(xp: Any, values: Array, index: Array) -> Array:
    """Take `values[…, index]` along the last axis, 0 ≤ index < n; the batch axes broadcast."""
    rank = max(values.ndim, index.ndim)
    values, index = (xp.reshape(a, (1,) * (rank - a.ndim) + a.shape) for a in (values, index))
    # By default JAX counts negative indices from the end and fills in NaN beyond it.
    known = {"mode": "promise_in_bounds"} if xp.__name__ == "jax.numpy" else {}
    return xp.take_along_axis(values, index, axis=-1, **known)
