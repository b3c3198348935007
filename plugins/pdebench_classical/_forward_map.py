"""The map from coefficients of an initial state to what was observed, with its exact adjoint."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import ceil
from typing import Any

import numpy as np

from pdebench_classical._tape import linearise
from pdebench_lite.numerics import Grid, fourier_basis
from pdebench_lite.problem import Domain, Observation, Scheme, Unknown
from pdebench_lite.problem.observations import by_time
from pdebench_methods.search.fourier_prior import FourierPrior

State = dict[str, np.ndarray]
_SHARE = 0.9  # of the stability bound
_HEADROOM = 1.25  # a state may be so much larger than what was observed


class ForwardMap:
    """Coefficients of the initial states -> values at the observations, by a marched scheme.

    Attributes:
        values: what was observed, all in one array, in the order of the map's answer.
        noise: the standard deviation of each of them.
        dt: the longest time step.
    """

    def __init__(
        self,
        domain: Domain,
        scheme: Scheme,
        unknowns: tuple[Unknown, ...],
        observations: tuple[Observation, ...],
        cells: int,
        modes: int,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Read what was observed, and choose the time step.

        Args:
            domain: one periodic space axis, and time.
            scheme: the discretisation.
            unknowns: the initial states that are sought.
            observations: what was observed.
            cells: of the grid.
            modes: waves of each initial state.
            tick: called at each time step, forward or back; may raise to stop the march.
        """
        time = domain.time
        assert time is not None, "an initial state belongs to a problem with time"
        self.grid: Grid = domain.grid(cells)
        self.waves = FourierPrior(domain.space, modes, order=2)
        self._fields, self._unknowns = [u.field for u in unknowns], unknowns
        self._scheme, self._begin, self._tick = scheme, time.lower, tick
        self._matrix = self.waves.matrix(self.grid.points())
        seen = by_time(observations, time.name)
        self.values = np.concatenate([o.values for o in seen])
        self.noise = np.concatenate([np.full(o.values.size, o.noise) for o in seen])
        self._seen = readings(seen, self.grid, time.name)
        largest = largest_seen(seen, self._fields, self.grid)
        limit = _SHARE * scheme.max_dt(largest, {}, self.grid)
        self.dt = min(limit, self.grid.longest_step(time.length))

    @property
    def size(self) -> int:
        """Number of coefficients."""
        return self.waves.size * len(self._fields)

    def start(self, coefficients: np.ndarray) -> State:
        """Return the initial states on the grid."""
        rows = coefficients.reshape(len(self._fields), -1)
        return {
            u.field: grown(u, self._matrix @ row)
            for u, row in zip(self._unknowns, rows, strict=True)
        }

    def first(self) -> np.ndarray:
        """Return the coefficients of the guesses."""
        rows = np.zeros((len(self._fields), self.waves.size))
        rows[:, 0] = [0.0 if u.positive else u.guess for u in self._unknowns]
        return rows.ravel()

    def __call__(self, coefficients: np.ndarray) -> np.ndarray:
        """Return what would be observed."""
        return self._observed(self._march(coefficients))

    def pull(self, coefficients: np.ndarray, cotangents: np.ndarray) -> np.ndarray:
        """Return (cotangents)·(derivative of the map): shape (m, values) -> (m, size).

        The states of the march are kept, and every step is traced again on the way back.
        """
        return self._back(self._march(coefficients), cotangents)

    def value_and_pull(self, coefficients: np.ndarray, weigh: Any) -> tuple[np.ndarray, np.ndarray]:
        """Return what would be observed, and the pull of the cotangent `weigh(observed)`."""
        states = self._march(coefficients)
        observed = self._observed(states)
        return observed, self._back(states, np.atleast_2d(weigh(observed)))

    def _times(self) -> list[tuple[float, float, int]]:
        """Return (begin, time step, steps) between the times at which something was observed."""
        return spans(self._begin, {t for t, *_ in self._seen}, self.dt)

    def _march(self, coefficients: np.ndarray) -> list[list[State]]:
        """Return the states of each span between observed times, both ends included."""
        state, spans = self.start(coefficients), []
        for begin, dt, n in self._times():
            states = [state]
            for k in range(n):
                self._tick()
                state = self._scheme.step(state, {}, begin + k * dt, dt, self.grid)
                states.append(state)
            spans.append(states)
        return spans

    def _observed(self, spans: list[list[State]]) -> np.ndarray:
        ends = dict(zip(sorted({t for t, *_ in self._seen}), spans, strict=True))
        return np.concatenate([read @ ends[t][-1][field] for t, field, read in self._seen])

    def _back(self, spans: list[list[State]], cotangents: np.ndarray) -> np.ndarray:
        names, m = self._fields, len(cotangents)
        g = [np.zeros((m, *self.grid.cells)) for _ in names]
        parts = np.split(cotangents, np.cumsum([len(read) for *_, read in self._seen])[:-1], axis=1)
        times = sorted({t for t, *_ in self._seen})
        for end, states, (begin, dt, n) in zip(
            reversed(times), reversed(spans), reversed(self._times()), strict=True
        ):
            for (t, field, read), part in zip(self._seen, parts, strict=True):
                if t == end:
                    g[names.index(field)] = g[names.index(field)] + part @ read
            for k in reversed(range(n)):
                self._tick()

                def step(
                    arrays: list[Any], k: int = k, begin: float = begin, dt: float = dt
                ) -> Any:
                    state = dict(zip(names, arrays, strict=True))
                    after = self._scheme.step(state, {}, begin + k * dt, dt, self.grid)
                    return [after[name] for name in names]

                _, pullback = linearise(step, [states[k][name] for name in names])
                g = pullback(g)
        first = spans[0][0]  # of an exponential the slope is its value
        slopes = [first[u.field] if u.positive else 1.0 for u in self._unknowns]
        pulled = [(one * slope) @ self._matrix for one, slope in zip(g, slopes, strict=True)]
        return np.concatenate(pulled, axis=1)


def grown(unknown: Unknown, sought: np.ndarray) -> np.ndarray:
    """Return an unknown from what is sought in its place: of a positive one log(value/guess)."""
    with np.errstate(over="ignore"):  # a trial too far away is told by its misfit
        return unknown.guess * np.exp(sought) if unknown.positive else sought


def readings(
    observations: list[Observation], grid: Grid, time: str
) -> list[tuple[float, str, np.ndarray]]:
    """Return (time, field, matrix from the grid to the n values, (n, cells)) of each observation.

    The matrix is that of trigonometric interpolation.
    """
    identity = np.fft.rfft(np.eye(grid.cells[0]), axis=0)
    return [
        (
            float(o.points[time][0]),
            o.field,
            np.asarray((fourier_basis(grid, None, o.points[grid.axis()]) @ identity).real),
        )
        for o in observations
    ]


def largest_seen(observations: list[Observation], fields: Sequence[str], grid: Grid) -> State:
    """Return constant states a quarter larger than what was observed; 0 for what never was."""
    largest = {field: np.zeros(grid.cells) for field in fields}
    for o in observations:
        peak = _HEADROOM * float(np.max(np.abs(o.values)))
        largest[o.field] = np.maximum(largest[o.field], peak)
    return largest


def spans(begin: float, times: set[float], dt: float) -> list[tuple[float, float, int]]:
    """Return (begin, time step, steps) between times; the steps of at most dt fill each span."""
    found = []
    for start, end in pairwise([begin, *sorted(times)]):
        n = max(1, ceil((end - start) / dt - 1e-9))
        found.append((start, (end - start) / n, n))
    return found
