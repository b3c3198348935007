"""The grid, the step and the scheme on which unknowns are rolled out."""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.numerics import Grid
from pdebench_lite.problem import Arrays, Domain, Observation, Scheme

_COURANT = 0.9  # of the stability bound, for a state somewhat larger than what was observed
_HEADROOM = 1.25
MAGNITUDE = 10.0
"""How much larger than its guess a positive coefficient may become, and the steps be stable."""

_FEWEST_STEPS = 32
_MOST_CELLS = 2048  # along an axis, where the number is chosen and not given
REFINEMENT = 3  # an odd factor keeps the old cell centres among the new ones


def _nearest(o: Observation, grid: Grid) -> np.ndarray:
    """Return the observed value that is nearest to each cell, as large as the largest of all."""
    from scipy.spatial import cKDTree

    places = np.stack([np.asarray(o.points[a]) / grid.spacing[a] for a in grid.axes], axis=-1)
    centres = np.stack([v / grid.spacing[a] for a, v in grid.points().items()], axis=-1)
    values = np.asarray(o.values)[cKDTree(places).query(centres)[1]]
    size = float(np.max(np.abs(values)))
    return values * (float(np.max(np.abs(o.values))) / size) if size else values


def equal_steps(span: float, dt: float) -> tuple[int, float]:
    """Return number and length of the fewest equal steps of at most dt that fill a span."""
    n = ceil(span / dt - 1e-9)
    return n, dt if abs(n * dt - span) <= 1e-9 * dt else span / n


@dataclass(frozen=True)
class Discretisation:
    """A scheme on a grid with a time step.

    Attributes:
        scheme: the scheme.
        grid: cells.
        dt: largest time step.
    """

    scheme: Scheme
    grid: Grid
    dt: float

    def march(
        self, state: Arrays, sought: Arrays, times: np.ndarray, fields: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """Roll out in NumPy through ascending times; fields of shape (*cells, times)."""
        t, length, prepared = float(times[0]), 0.0, sought
        states = [self.shown(state, sought, t, fields)]
        for end in times[1:]:
            n, h = equal_steps(float(end) - t, self.dt)
            if h != length:
                prepared, length = self.scheme.prepared(sought, h, self.grid), h
            for k in range(n):
                state = self.scheme.step(state, prepared, t + k * h, h, self.grid)
            t = float(end)
            states.append(self.shown(state, sought, t, fields))
        return {name: np.stack([s[name] for s in states], axis=-1) for name in fields}

    def shown(self, state: Arrays, sought: Arrays, t: float, fields: tuple[str, ...]) -> Arrays:
        """Return the fields of a state, those that are not stepped but follow from it too."""
        if self.scheme.diagnose is not None and not all(name in state for name in fields):
            state = {**state, **self.scheme.diagnose(state, sought, t, self.grid)}
        return {name: state[name] for name in fields}


def first_cells(scheme: Scheme, observations: list[Observation], dimensions: int) -> int:
    """Return cells an axis to start with: those observed, or thrice as many if they are few.

    Cells at the observed points need no interpolation, which would be less accurate than the
    schemes are.
    """
    if scheme.cells is not None:
        return scheme.cells
    observed = max(8, round(max(o.values.size for o in observations) ** (1 / dimensions)))
    return observed * REFINEMENT if dimensions == 1 and observed < 256 else observed


def may_refine(scheme: Scheme, cells: int) -> bool:
    """Say whether a finer grid may be taken where cells are chosen by the method."""
    return scheme.cells is None and cells * REFINEMENT <= _MOST_CELLS


def time_step(
    scheme: Scheme, grid: Grid, domain: Domain, state: dict[str, Any], sought: Arrays,
    largest: Arrays, observations: list[Observation], steps: int,
) -> float:  # fmt: skip
    """Choose the time step: the scheme's own, the configured one, or by stability.

    Args:
        scheme: the scheme.
        grid: the grid.
        domain: gives the start of time.
        state: the initial state on the grid, name -> array. A field that was observed is taken to
            look as it did then, a tenth or more larger, whatever its guess.
        sought: guesses of the coefficients on the grid.
        largest: those of them that may become larger, as large as that.
        observations: sorted by time.
        steps: number of steps to the last observation, 0 to choose.

    Raises:
        UnsupportedError: the configured steps violate the stability bound.
    """
    assert domain.time is not None
    if scheme.dt is not None:
        return scheme.dt
    span = float(observations[-1].points[domain.time.name][0]) - domain.time.lower

    seen = {o.field: _nearest(o, grid) for o in reversed(observations) if o.field in state}

    def bound(headroom: float, coefficients: Arrays) -> float:
        full = state | {k: headroom * v for k, v in seen.items()}
        return scheme.max_dt(full, coefficients, grid)

    if not steps:
        return span / max(
            _FEWEST_STEPS, ceil(span / (_COURANT * bound(_HEADROOM, sought | largest)))
        )
    dt, limit = span / steps, bound(1.0, sought)
    if dt > limit:
        raise UnsupportedError(
            f"steps={steps} is a step of {dt:.3g}, above the stability bound {limit:.3g} on "
            f"{grid.cells[0]} cells; use steps={ceil(span / limit)} or more, or steps=0 to have "
            "them chosen"
        )
    return dt
