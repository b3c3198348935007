"""Advection in non-conservative form, ∂q/∂t + u·∇q = 0.

These steps carry values, not integrals: for a shock of Burgers' equation they give the wrong speed.
Use `finite_volume` there. On an axis that is not periodic, conditions say what enters: a
characteristic that comes from outside brings the value on the face. The velocity is extrapolated.
"""

import math
from collections.abc import Mapping
from typing import Literal

from jaxtyping import Float

from ._namespace import Array, along, arange, array_namespace
from .boundary import Conditions, Extrapolation, inner, pad
from .grid import Grid
from .interpolation import Order, Stencil, extended, interpolate, node_values, read, stencil

Trace = Literal["euler", "midpoint", "rk4"]
Velocity = Mapping[str, Float[Array, "..."]] | Float[Array, "..."]


def semi_lagrangian(
    q: Float[Array, "..."],
    velocity: Velocity,
    dt: float | Array,
    grid: Grid,
    order: Order = "linear",
    trace: Trace = "midpoint",
    conditions: Conditions | None = None,
) -> Float[Array, "..."]:
    """Carry q along the flow: q(x, t + dt) = q(x − ∫u dt, t). Stable for any time step.

    Error O(hᵖ/dt + dtʳ) at a fixed time, p = 2 (linear) or 4 (cubic), r = 1 (Euler), 2 (midpoint)
    or, in a steady flow, 4 (rk4). Source: Staniforth & Côté 1991,
    DOI 10.1175/1520-0493(1991)119<2206:SLISFA>2.0.CO;2.

    Args:
        q: what is carried, shape `(*batch, *cells)`.
        velocity: axis name → array, shape `(*batch, *cells)`, one for every axis of the grid,
            in length per time; in one dimension the bare array will do.
        dt: time step, of any sign.
        grid: grid.
        order: interpolation, `"linear"` or `"cubic"`; of the velocity too.
        trace: how the departure point is found: `"euler"`, x − dt·u(x), as PhiFlow does;
            `"midpoint"`, x − dt·u(x − ½dt·u(x)); or `"rk4"`, classical Runge–Kutta.
        conditions: what holds for q on the ends of axes that are not periodic; see `boundary`.

    Returns:
        q one step later, shape `(*batch, *cells)`; batch axes broadcast.

    Raises:
        ValueError: unknown order, trace or axis, shapes off the grid, an axis neither periodic nor
            with a condition.
    """
    positions = _departure(_components(q, velocity, grid), dt, grid, order, trace)
    return _on_grid(interpolate(q, positions, grid, order, conditions), grid)


def departure(
    velocity: Velocity, dt: float, grid: Grid, order: Order = "linear", trace: Trace = "midpoint"
) -> Stencil:
    """Return what all semi-Lagrangian steps of one length in a steady velocity have in common.

    Those are the nodes around the departure points, and their weights. Arguments as for
    `semi_lagrangian`; all axes of the grid are periodic.

    Raises:
        ValueError: unknown order, trace or axis, shapes off the grid, an axis that is not periodic.
    """
    if not all(grid.periodic):
        raise ValueError(f"departure is for periodic grids; {grid.axes} are {grid.periodic}")
    given = velocity if isinstance(velocity, Mapping) else {grid.axis(): velocity}
    first = next(iter(given.values()))
    positions = _departure(_components(first, given, grid), dt, grid, order, trace)
    return stencil(positions, grid.cells, order)


def carried(q: Float[Array, "..."], at: Stencil, grid: Grid) -> Float[Array, "..."]:
    """Return q one semi-Lagrangian step later, shape `(*batch, *cells)`; `at` is `departure`'s."""
    grid.check_shape(q)
    return _on_grid(read(q, at, len(grid.axes)), grid)


def maccormack(
    q: Float[Array, "..."],
    velocity: Velocity,
    dt: float | Array,
    grid: Grid,
    limit: bool = True,
    trace: Trace = "midpoint",
    conditions: Conditions | None = None,
) -> Float[Array, "..."]:
    """Carry q by the unconditionally stable MacCormack method: second order in space and time.

    A linear semi-Lagrangian step forward and one back; half of what the round trip lost is added:
    q̂ = A(q), q ← q̂ + ½(q − Aᴿ(q̂)). Where one of the two traces leaves the domain, the round trip
    tells nothing and q̂ is kept. Source: Selle, Fedkiw, Kim, Liu & Rossignac 2008,
    DOI 10.1007/s10915-007-9166-4.

    Args:
        q: what is carried, shape `(*batch, *cells)`.
        velocity: as for `semi_lagrangian`.
        dt: time step, of any sign.
        grid: grid.
        limit: clamp the result to the nodes between which the first step interpolated, so that no
            new extrema arise; costs accuracy at smooth extrema.
        trace: as for `semi_lagrangian`.
        conditions: as for `semi_lagrangian`.

    Returns:
        q one step later, shape `(*batch, *cells)`; batch axes broadcast.

    Raises:
        ValueError: as for `semi_lagrangian`.
    """
    xp = array_namespace(q)
    components = _components(q, velocity, grid)
    positions = _departure(components, dt, grid, "linear", trace)
    around, within = extended(q, positions, grid, "linear", conditions)
    d = len(positions)
    at = stencil(within, tuple(around.shape[-d:]), "linear")
    forward = _on_grid(read(around, at, d), grid)
    back_positions = _departure(components, -dt, grid, "linear", trace)
    back = _on_grid(interpolate(forward, back_positions, grid, "linear", conditions), grid)
    corrected = forward + (q - back) / 2
    if limit:
        nodes = node_values(around, at, d)
        low, high = xp.min(nodes, axis=-2), xp.max(nodes, axis=-2)
        corrected = xp.minimum(xp.maximum(corrected, _on_grid(low, grid)), _on_grid(high, grid))
    for axis, *traced in zip(grid.axes, positions, back_positions, strict=True):
        if not grid.periodic[grid.index(axis)]:
            for position in traced:
                last = grid.cells[grid.index(axis)] - 0.5
                within = _on_grid((position >= -0.5) & (position <= last), grid)
                corrected = xp.where(within, corrected, forward)
    return corrected


def upwind(
    q: Float[Array, "..."],
    velocity: Velocity,
    dt: float | Array,
    grid: Grid,
    conditions: Conditions | None = None,
) -> Float[Array, "..."]:
    """Take one explicit step of first-order upwind differences, q − dt·(u⁺ D⁻q + u⁻ D⁺q).

    Stable while dt·Σ|u|/h ≤ 1 (summed over the axes). Source: Courant, Isaacson & Rees 1952,
    DOI 10.1002/cpa.3160050303.

    Args:
        q: what is carried, shape `(*batch, *cells)`.
        velocity: as for `semi_lagrangian`.
        dt: time step.
        grid: grid.
        conditions: as for `semi_lagrangian`; the cell beyond a face holds its value.

    Returns:
        q one step later, shape `(*batch, *cells)`; batch axes broadcast.

    Raises:
        ValueError: unknown axis, shapes off the grid, an axis neither periodic nor with a
            condition.
    """
    xp = array_namespace(q)
    result = q
    for axis, u in _components(q, velocity, grid).items():
        i, h = grid.index(axis), grid.spacing[axis]
        padded = pad(q, grid, axis, 1, conditions, degree=0)
        backward = (q - inner(padded, i, 1, -1)) / h
        forward = (inner(padded, i, 1, 1) - q) / h
        rightward, leftward = (u + xp.abs(u)) / 2, (u - xp.abs(u)) / 2
        result = result - dt * (rightward * backward + leftward * forward)
    return result


def _components(q: Array, velocity: Velocity, grid: Grid) -> dict[str, Array]:
    """Return the velocity as a dict in the order of the grid's axes, checked."""
    given = velocity if isinstance(velocity, Mapping) else {grid.axis(): velocity}
    if set(given) != set(grid.axes):
        raise ValueError(f"velocity needs the axes {grid.axes}, got {tuple(given)}")
    grid.check_shape(q, *given.values())
    return {axis: given[axis] for axis in grid.axes}


def _departure(
    velocity: Mapping[str, Array], dt: float | Array, grid: Grid, order: Order, trace: str
) -> list[Array]:
    """Return where the values that arrive at the centres started, in cells: d × (*batch, m)."""
    free = {a: Extrapolation() for a in grid.axes}

    def upstream(slope: Mapping[str, Array], time: float | Array) -> dict[str, Array]:
        """Return the velocity at x − time·slope, on the grid."""
        there, d = _shifted(slope, time, grid), len(grid.axes)
        padded = {a: extended(u, there, grid, order, free) for a, u in velocity.items()}
        around, within = next(iter(padded.values()))  # the points are the same for all components
        at = stencil(within, tuple(around.shape[-d:]), order)
        return {a: _on_grid(read(around, at, d), grid) for a, (around, _) in padded.items()}

    if trace == "euler":
        return _shifted(velocity, dt, grid)
    if trace == "midpoint":
        return _shifted(upstream(velocity, dt / 2), dt, grid)
    if trace == "rk4":
        second = upstream(velocity, dt / 2)
        third = upstream(second, dt / 2)
        fourth = upstream(third, dt)
        mean = {a: (u + 2 * second[a] + 2 * third[a] + fourth[a]) / 6 for a, u in velocity.items()}
        return _shifted(mean, dt, grid)
    raise ValueError(f"trace must be 'euler', 'midpoint' or 'rk4', got {trace!r}")


def _shifted(velocity: Mapping[str, Array], dt: float | Array, grid: Grid) -> list[Array]:
    """Return i − dt·u/h for each axis, in cells, with the grid's axes made one."""
    positions = []
    for axis, u in velocity.items():
        xp, i = array_namespace(u), grid.index(axis)
        centre = along(xp, arange(xp, grid.cells[i], u), i)
        shifted = centre - (dt / grid.spacing[axis]) * u
        batch = tuple(shifted.shape[: -len(grid.cells)])
        positions.append(xp.reshape(shifted, (*batch, math.prod(grid.cells))))
    return positions


def _on_grid(points: Array, grid: Grid) -> Array:
    """Give points, shape (*batch, m), the shape (*batch, *cells)."""
    return array_namespace(points).reshape(points, (*points.shape[:-1], *grid.cells))
