"""Carrying: a found initial state followed forward on finer and finer grids until two agree.

NumPy only. This is how the harness scores what a method found, whatever the method's own grid.
"""

import itertools
from collections.abc import Callable, Mapping
from math import ceil

import numpy as np

from pdebench_lite.errors import DivergedError
from pdebench_lite.numerics.grid import Grid
from pdebench_lite.numerics.spectral import fourier_basis
from pdebench_lite.problem import Carried, Domain, Function, Scheme

State = dict[str, np.ndarray]
_MOST_STEPS = 200_000


class TooMuchWorkError(DivergedError):
    """A state, such as that of a method that explodes, would take too long to carry."""


def rollout(
    scheme: Scheme, state: State, unknowns: State, times: np.ndarray, grid: Grid, courant: float
) -> State:
    """Advance a state through given times with a scheme, in NumPy.

    Args:
        scheme: the discretisation; its `max_dt` limits the step, and so does the grid.
        state: arrays over the grid at `times[0]`.
        unknowns: every coefficient that the scheme reads.
        times: ascending, shape (n,); between two of them equal steps are taken.
        grid: the grid.
        courant: fraction of the largest stable step that is used.

    Returns:
        Arrays of shape (*cells, n).

    Raises:
        DivergedError: the state is no longer finite.
    """
    states = [state]
    longest = grid.longest_step(float(times[-1] - times[0]))
    for start, end in itertools.pairwise(times):
        limit = min(courant * scheme.max_dt(state, unknowns, grid), longest)
        if not np.isfinite([float(np.max(np.abs(v))) for v in state.values()]).all():
            raise DivergedError(f"the carried state is not finite at t = {start:g}")
        span = float(end - start)
        n = max(1, ceil(span / limit - 1e-9))
        for i in range(n):
            state = scheme.step(state, unknowns, float(start) + i * span / n, span / n, grid)
        states.append(state)
    return {name: np.stack([s[name] for s in states], axis=-1) for name in state}


def refine(
    domain: Domain,
    solve: Callable[[State, Grid], State],
    found: Mapping[str, Function],
    tolerance: float,
    cells: tuple[int, int] = (256, 4096),
) -> Carried:
    """Carry initial states forward on grids that double until two of them agree.

    Args:
        domain: a space with time.
        solve: initial states on a grid, and the grid, -> fields, whose points do not depend on the
            grid; may raise `TooMuchWorkError`.
        found: field -> its initial state as a function on points.
        tolerance: relative L2 difference of two grids at which refinement stops.
        cells: cells an axis to start and to end with.

    Returns:
        The fields of the finest grid; the bound is its difference to the one before (of which the
        error of the finest is a fraction once `solve` converges).

    Raises:
        DivergedError: the state is not finite, or too large to be carried.
    """
    n, last, bound = cells[0], None, float("inf")
    while True:
        grid = domain.grid(n)
        points = {a: v.ravel() for a, v in grid.points().items()}
        start = {k: np.asarray(f(points), float).reshape(grid.cells) for k, f in found.items()}
        if not all(np.isfinite(values).all() for values in start.values()):
            raise DivergedError("the initial state to be carried is not finite")
        try:
            fields = solve(start, grid)
        except TooMuchWorkError:
            if last is None:
                raise
            return Carried(last, bound)
        if last is not None:
            bound = _difference(fields, last)
            if bound <= tolerance or 2 * n > cells[1]:
                return Carried(fields, bound)
        n, last = 2 * n, fields


def carry_initial_state(
    domain: Domain,
    scheme: Scheme,
    found: Mapping[str, Function],
    unknowns: State,
    axes: Mapping[str, np.ndarray],
    tolerance: float,
    cells: tuple[int, int] = (256, 4096),
    courant: float = 1.0,
) -> Carried:
    """Carry initial states forward by a scheme, on grids that double until two of them agree.

    Args:
        domain: a periodic space with time.
        scheme: the discretisation, accurate enough to converge within `cells`.
        found: field -> its initial state as a function on points.
        unknowns: every coefficient that the scheme reads.
        axes: tensor grid of the answer; its first time is the time of the initial state.
        tolerance: as in `refine`.
        cells: as in `refine`.
        courant: fraction of the largest stable step that is used.

    Returns:
        See `refine`.

    Raises:
        DivergedError: the state is not finite, or too large to be carried.
    """
    assert domain.time is not None
    times = np.asarray(axes[domain.time.name])

    def march(start: State, grid: Grid) -> State:
        steps = (times[-1] - times[0]) / (courant * scheme.max_dt(start, unknowns, grid))
        if not steps < _MOST_STEPS:
            size = max(float(np.max(np.abs(v))) for v in start.values())
            raise TooMuchWorkError(
                f"carrying a state of size {size:.3g} would take {steps:.3g} steps"
            )
        states = rollout(scheme, start, unknowns, times, grid, courant)
        return {name: _trigonometric(values, grid, axes) for name, values in states.items()}

    return refine(domain, march, found, tolerance, cells)


def _difference(a: State, b: State) -> float:
    error = sum(float(np.sum((a[k] - b[k]) ** 2)) for k in a)
    scale = sum(float(np.sum(a[k] ** 2)) for k in a)
    return float(np.sqrt(error / scale)) if scale > 0 else float(np.sqrt(error))


def _trigonometric(values: np.ndarray, grid: Grid, axes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Evaluate the trigonometric interpolant of periodic values, shape (*cells, n), on axes."""
    for i, name in enumerate(grid.axes):
        values = np.moveaxis(_matrix(grid, name, axes[name])(np.moveaxis(values, i, 0)), 0, i)
    return values


def _matrix(grid: Grid, name: str, x: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    basis = fourier_basis(grid, name, np.asarray(x))

    def apply(values: np.ndarray) -> np.ndarray:
        spectrum = np.fft.rfft(values, axis=0)
        return np.tensordot(basis, spectrum, axes=1).real

    return apply
