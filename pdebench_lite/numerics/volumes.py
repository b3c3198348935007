"""Finite volumes for −∇·flux + source on a box: a flux through every face, second order.

Across a face the slope is the difference of the two cells beside it, so that a flux that is
continuous stays so where a coefficient jumps. On a face at the boundary the ghost cell of the
condition stands for the cell outside; of first degree, because then the operator of a symmetric
equation is symmetric, and still of second order in what is solved for.
"""

import itertools
from collections.abc import Callable, Mapping
from typing import Any

from ._namespace import Array, along, array_namespace
from .boundary import Conditions, Extrapolation, pad, part
from .grid import Grid

Named = dict[str, Any]


class _Lazily(dict[str, Any]):
    """Named values; the slopes that nobody reads are not computed."""

    def __init__(self, known: Named, slope: Callable[[str], Array]) -> None:
        super().__init__(known)
        self._slope = slope

    def __missing__(self, name: str) -> Array:
        value = self[name] = self._slope(name)
        return value


def to_faces(values: Any, grid: Grid, axis: str, harmonic: bool = False) -> Any:
    """Return means of neighbouring cells, on the n + 1 faces along an axis.

    The arithmetic mean, or the harmonic one: through two layers in series goes the flux of the
    harmonic mean of their conductivities, however far they differ (Patankar, *Numerical Heat
    Transfer and Fluid Flow* (1980), sect. 4.2-3). On a face at the boundary the value is that of
    the cell (harmonic) or is continued linearly.

    Args:
        values: shape (*batch, *cells); a number, or one cell along the axis, stays as it is.
        grid: the grid.
        axis: name of the axis.
        harmonic: of positive values only.
    """
    i = grid.index(axis)
    if not hasattr(values, "shape") or values.ndim < len(grid.cells) or values.shape[i] == 1:
        return values
    if harmonic:
        padded = pad(values, grid, axis, 1, {axis: Extrapolation()}, degree=0)
    else:
        padded = pad(values, grid, axis, 1, {axis: Extrapolation()})
    n = padded.shape[i]
    left, right = part(padded, i, 0, n - 1), part(padded, i, 1, n)
    return 2.0 * left * right / (left + right) if harmonic else 0.5 * (left + right)


def balance(
    flux: Callable[[Named], Mapping[str, Mapping[str, Any]]],
    source: Callable[[Named], Mapping[str, Any]],
    fields: Mapping[str, Array],
    coefficients: Mapping[str, Any],
    grid: Grid,
    ghosts: Callable[[str, Array], Conditions],
    harmonic: tuple[str, ...] = (),
) -> dict[str, Array]:
    """Return −Σₐ ∂ₐ flux[field][a] + source[field] in every cell.

    Args:
        flux: `flux(d) -> {field: {axis: array}}` of named values at points.
        source: `source(d) -> {field: array}`.
        fields: name -> (*batch, *cells).
        coefficients: name -> number or array of centres, (*batch, *cells).
        grid: the grid.
        ghosts: the conditions of a field, at its boundary.
        harmonic: coefficients whose harmonic means are taken at faces; see `to_faces`.
    """
    like = next(iter(fields.values()))
    centres = grid.points(like)
    held = {name: ghosts(name, values) for name, values in fields.items()}
    padded = {
        (name, axis): pad(values, grid, axis, 1, held[name])
        for name, values in fields.items()
        for axis in grid.axes
    }

    def central(name: str) -> Array:
        field, axis = _slope(name, fields)
        i, wide = grid.index(axis), padded[field, axis]
        n = wide.shape[i]
        return (part(wide, i, 2, n) - part(wide, i, 0, n - 2)) / (2.0 * grid.spacing[axis])

    def at_faces(axis: str) -> Named:
        i, h = grid.index(axis), grid.spacing[axis]
        known = {k: to_faces(v, grid, axis, k in harmonic) for k, v in coefficients.items()}
        known |= _face_points(grid, axis, like)
        for name in fields:
            wide = padded[name, axis]
            n = wide.shape[i]
            left, right = part(wide, i, 0, n - 1), part(wide, i, 1, n)
            known[name], known[f"{name}_{axis}"] = 0.5 * (left + right), (right - left) / h
        return _Lazily(known, lambda name: to_faces(central(name), grid, axis))

    inside = _Lazily({**coefficients, **centres, **fields}, central)
    total = {name: 0.0 * values for name, values in fields.items()}
    for name, values in source(inside).items():
        total[name] = total[name] + values
    for axis in grid.axes:
        i, h = grid.index(axis), grid.spacing[axis]
        for name, through in flux(at_faces(axis)).items():
            if axis in through and hasattr(through[axis], "shape"):
                f = through[axis]
                n = f.shape[i]
                total[name] = total[name] - (part(f, i, 1, n) - part(f, i, 0, n - 1)) / h
    return total


def _face_points(grid: Grid, axis: str, like: Array) -> Named:
    """Return the coordinates of the faces along an axis, name -> their shape."""
    i = grid.index(axis)
    lines = {a: grid.centres(a, like) for a in grid.axes}
    xp = array_namespace(like)
    first = xp.full_like(lines[axis][:1], grid.lower[i])
    lines[axis] = xp.concat([first, lines[axis] + 0.5 * grid.spacing[axis]])
    shape = tuple(n + (k == i + len(grid.cells)) for k, n in enumerate(grid.cells))
    return {a: xp.broadcast_to(along(xp, x, grid.index(a)), shape) for a, x in lines.items()}


def _slope(name: str, fields: Mapping[str, Array]) -> tuple[str, str]:
    field, _, axis = name.partition("_")
    if field not in fields or len(axis) != 1:
        raise KeyError(f"{name}: a flux reads fields, their first derivatives and coefficients")
    return field, axis


def diagonal(apply: Callable[[Array], Array], like: Array, grid: Grid) -> Array:
    """Return the diagonal of a linear map that reaches the next cells only.

    Cells of one parity do not see each other: two probes an axis and field. Where an odd number of
    cells closes on itself two of them do, so that the diagonal is approximate there.

    Args:
        apply: of arrays (*batch, fields, *cells).
        like: such an array.
        grid: the grid.
    """
    xp, d = array_namespace(like), len(grid.cells)
    shape = like.shape[-d - 1 :]
    device = getattr(like, "device", None)
    lines = [along(xp, xp.arange(n, device=device), i - d - 1) for i, n in enumerate(shape)]
    which, *index = lines
    total = 0.0 * like
    for field in range(shape[0]):
        for parity in itertools.product((0, 1), repeat=d):
            mask = which == field
            for i, odd in zip(index, parity, strict=True):
                mask = mask & (i % 2 == odd)
            probe = xp.astype(mask, like.dtype)
            total = total + probe * apply(probe + 0.0 * like)
    return total
