"""Boundary conditions on cell-centred grids, by ghost cells.

A ghost cell holds the value, at its centre, of the polynomial that meets the condition on the face
and the cells nearest to it. So an operator is written once, for the inside, and works on a padded
array; a periodic axis is padded with its other end.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from jaxtyping import Float

from ._namespace import Array, array_namespace
from .grid import Grid


@dataclass(frozen=True)
class Dirichlet:
    """The value on a face: u = value.

    Attributes:
        value: number, or array that broadcasts against a state whose axis has length 1.
    """

    value: float | Array = 0.0


@dataclass(frozen=True)
class Neumann:
    """The slope on a face along the outward normal: ∂u/∂n = slope, in units of u per length.

    Attributes:
        slope: number, or array that broadcasts against a state whose axis has length 1.
    """

    slope: float | Array = 0.0


@dataclass(frozen=True)
class Robin:
    """A sum of value and slope on a face: α u + β ∂u/∂n = value, n the outward normal.

    Attributes:
        alpha, beta: numbers, not both zero; (1, 0) is `Dirichlet`, (0, 1) is `Neumann`.
        value: number, or array that broadcasts against a state whose axis has length 1.
    """

    alpha: float
    beta: float
    value: float | Array = 0.0


@dataclass(frozen=True)
class Extrapolation:
    """No condition: what lies outside follows from the cells alone, as at an open outflow."""


Boundary: TypeAlias = Dirichlet | Neumann | Robin | Extrapolation
Conditions: TypeAlias = Mapping[str, Boundary | tuple[Boundary, Boundary]]
"""Axis name → condition on both ends, or (on the lower, on the upper) end."""


def pad(
    u: Float[Array, "..."],
    grid: Grid,
    axis: str,
    width: int,
    conditions: Conditions | None = None,
    degree: int = 1,
) -> Float[Array, "..."]:
    """Return u with `width` ghost cells at both ends of an axis.

    A ghost holds the value of the polynomial of degree p that meets the condition on the face and
    the p nearest cells, or p + 1 cells where there is no condition: an error of O(hᵖ⁺¹).

    Args:
        u: shape `(*batch, *cells)`; other axes than `axis` may be padded already.
        grid: the grid.
        axis: name of the axis to be padded.
        width: ghost cells at each end.
        conditions: what holds on the ends of axes that are not periodic.
        degree: p; 0 makes every ghost of a `Dirichlet` face hold its value. A slope needs 1.

    Returns:
        Shape of u with `2·width` more entries along `axis`.

    Raises:
        ValueError: fewer cells than are needed, or no condition for an axis that is not periodic.
    """
    i = grid.index(axis)
    n, xp = u.shape[i], array_namespace(u)
    ends = sides(grid, axis, conditions)
    needed = degree + 1 if ends else width
    if n < needed:
        raise ValueError(f"axis {axis!r} needs at least {needed} cells here, got {n}")
    if not ends:
        return xp.concat([part(u, i, n - width, n), u, part(u, i, 0, width)], axis=i)
    first = [part(u, i, k, k + 1) for k in range(needed)]
    last = [part(u, i, n - 1 - k, n - k) for k in range(needed)]
    lower, upper = ends
    h = grid.spacing[axis]
    below = [_ghost(xp, first, lower, j, degree, h) for j in range(width)]
    above = [_ghost(xp, last, upper, j, degree, h) for j in range(width)]
    return xp.concat([*reversed(below), u, *above], axis=i)


def part(u: Array, i: int, start: int, stop: int) -> Array:
    """Return u[start:stop] along array axis i < 0."""
    return u[(..., slice(start, stop), *(slice(None),) * (-i - 1))]


def inner(padded: Array, i: int, width: int, shift: int) -> Array:
    """Return the cells inside `width` ghosts along array axis i, shifted by `shift` cells."""
    n = padded.shape[i] - 2 * width
    return part(padded, i, width + shift, width + shift + n)


def sides(
    grid: Grid, axis: str, conditions: Conditions | None
) -> tuple[Boundary, Boundary] | tuple[()]:
    """Return the conditions on the two ends of an axis; nothing for a periodic one.

    Raises:
        ValueError: no condition for an axis that is not periodic.
    """
    if grid.periodic[grid.index(axis)]:
        return ()
    given = (conditions or {}).get(axis)
    if given is None:
        raise ValueError(
            f"axis {axis!r} is not periodic: this operator needs conditions={{{axis!r}: …}} with "
            "Dirichlet(value), Neumann(slope) or Extrapolation()"
        )
    return given if isinstance(given, tuple) else (given, given)


def _ghost(
    xp: Any, cells: list[Array], condition: Boundary, j: int, degree: int, h: float
) -> Array:
    """Return ghost j (0 is next to the face) from the cells in the order of their distance."""
    if isinstance(condition, Dirichlet):
        weights, factor = _WEIGHTS["value", j, degree]
        known = factor * condition.value
    elif isinstance(condition, Neumann):
        weights, factor = _WEIGHTS["slope", j, max(degree, 1)]
        known = (h * factor) * condition.slope
    elif isinstance(condition, Robin):
        weights, factor = _robin_weights(condition.alpha, condition.beta / h, j, degree)
        known = factor * condition.value
    else:
        weights, known = _WEIGHTS["nothing", j, degree]
    ghost = xp.zeros_like(cells[0]) + known
    for weight, cell in zip(weights, cells, strict=False):
        ghost = ghost + weight * cell
    return ghost


def _weights(known: str, j: int, degree: int) -> tuple[tuple[float, ...], float]:
    """Return the weights of the cells and of the condition in ghost j.

    In the inward distance s from the face, in cells, cell k has its centre at k + ½ and ghost j at
    −(j + ½). The weights w are those for which Σ w·(what is known of sᵐ) = (−j − ½)ᵐ for each power
    m up to the degree.
    """
    powers = np.arange(degree + 1)
    rows = [(k + 0.5) ** powers for k in range(degree + (known == "nothing"))]
    if known == "value":
        rows.append((powers == 0).astype(float))
    elif known == "slope":  # along the outward normal, −d/ds
        rows.append(-(powers == 1).astype(float))
    weights = np.linalg.solve(np.array(rows).T, (-j - 0.5) ** powers).tolist()
    return (tuple(weights), 0.0) if known == "nothing" else (tuple(weights[:-1]), weights[-1])


@lru_cache(maxsize=1024)
def _robin_weights(
    alpha: float, beta: float, j: int, degree: int
) -> tuple[tuple[float, ...], float]:
    """Return the weights of the cells and of the value in ghost j; β in units of cells."""
    if not beta:
        weights, factor = _WEIGHTS["value", j, degree]
        return weights, factor / alpha
    degree = max(degree, 1)
    powers = np.arange(degree + 1)
    rows = [(k + 0.5) ** powers for k in range(degree)]
    rows.append(alpha * (powers == 0) - beta * (powers == 1))
    found = np.linalg.solve(np.array(rows).T, (-j - 0.5) ** powers).tolist()
    return tuple(found[:-1]), found[-1]


# computed once, because compilers do not trace a linear solve: (known, ghost, degree) -> weights
_WEIGHTS = {
    (known, j, degree): _weights(known, j, degree)
    for known, least in (("value", 0), ("slope", 1), ("nothing", 0))
    for j in range(2)
    for degree in range(least, 5)
}
