"""The objective of evolutions: how far the rolled-out state is from what was observed."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from math import ceil
from typing import Any

import numpy as np

from pdebench_lite.numerics import Stencil
from pdebench_lite.problem import Arrays, Scheme, Unknown
from pdebench_lite.problem.observations import by_time
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.diffphys import DiffphysSettings
from pdebench_methods.objectives.diffphys.discretisation import (
    MAGNITUDE,
    REFINEMENT,
    Discretisation,
    equal_steps,
    first_cells,
    may_refine,
    time_step,
)
from pdebench_methods.objectives.diffphys.ends import is_rate, rates
from pdebench_methods.objectives.diffphys.fitting import DiffphysTools, Fitting
from pdebench_methods.objectives.diffphys.observing import observe, observed_nodes
from pdebench_methods.solutions import TrajectoryInterpolant

_CHEAP = 1 << 21  # cells × parameters × steps up to which a coarser Jacobian would save little


class DiffphysObjective(Fitting):
    """Mean squared misfit of the rolled-out state to the observations, plus weight · ‖prior‖²."""

    warps = True

    def __init__(self, view: View, run: Run, tools: DiffphysTools) -> None:
        s: DiffphysSettings = run.config
        time = view.domain.time
        assert time is not None
        self.start = time.lower
        orders = view.schemes()
        self._scheme_name = s.scheme or max(orders, key=lambda scheme: orders[scheme])
        self.scheme: Scheme = view.solver(self._scheme_name)
        self.order = self.scheme.order
        observations = by_time(view.observations(), time.name)
        self.times = [float(o.points[time.name][0]) for o in observations]
        dimensions = len(view.domain.space)
        self.linearises = dimensions == 1
        cells = s.cells or first_cells(self.scheme, observations, dimensions)
        super().__init__(view, run, tools, observations, cells, rates(view))
        steps = self._steps(cells)  # refuses unstable ones
        if not s.cells and self.scheme.cells is None:
            parameters = sum(values.size for values in self.initial().values())
            cheap = cells**dimensions * parameters * steps <= _CHEAP
            coarsening = 2 if dimensions > 1 else REFINEMENT
            if cells % coarsening == 0 and not cheap:
                self.jacobian_cells = cells // coarsening
        self._plan()

    # ---- discretisation ----------------------------------------------------------------------

    @lru_cache(maxsize=8)  # noqa: B019 - one objective lives as long as its process
    def discretisation(self, cells: int) -> Discretisation:
        """Return the scheme on a grid, with its time step."""
        grid = self.domain.grid(cells)
        steps = self.settings.steps * cells // self.cells
        coefficients = [u for u in self.unknowns if u.kind == "coefficient"]
        guesses = {u.name: np.full(grid.cells if u.axes else (), u.guess) for u in coefficients}
        largest = {u.name: MAGNITUDE * guesses[u.name] for u in coefficients if u.positive}
        known = self.known_start(cells)
        sought = {u.field: np.full(grid.cells, u.guess) for u in self._initials()}
        state = {**known, **sought}
        dt = time_step(
            self.scheme, grid, self.domain, state, guesses, largest, self.observations, steps
        )
        if not self.settings.steps and cells > self.cells:
            dt = min(dt, self.discretisation(self.cells).dt * self.cells / cells)
        return Discretisation(self.scheme, grid, dt)

    def _steps(self, cells: int) -> int:
        """Return the number of time steps to the last observation."""
        edges, dt = [self.start, *self.times], self.discretisation(cells).dt
        return sum(equal_steps(end - begin, dt)[0] for begin, end in itertools.pairwise(edges))

    @lru_cache(maxsize=8)  # noqa: B019
    def known_start(self, cells: int) -> dict[str, np.ndarray]:
        """Return the initial state on a grid where the task gives it, else nothing."""
        if not self._view.given("initial_state"):
            return {}
        known = self._view.start(self.domain.grid(cells).points())
        return {k: np.asarray(v, float) for k, v in known.items()}

    def _initials(self) -> list[Unknown]:
        return [u for u in self.unknowns if u.kind == "initial"]

    def unit(self, unknown: Unknown) -> float:
        """Return one over the time that was watched for a rate."""
        return 1.0 / (self.times[-1] - self.start) if is_rate(unknown) else 1.0

    def given(self, cells: int) -> dict[str, np.ndarray]:
        """Return the initial state, `start=field`, where the task gives it."""
        return {f"start={name}": values for name, values in self.known_start(cells).items()}

    @lru_cache(maxsize=8)  # noqa: B019
    def nodes(self, cells: int) -> list[Stencil]:
        """Return which cells each observation reads."""
        grid = self.discretisation(cells).grid
        return [observed_nodes(o, self.domain, grid) for o in self.observations]

    def may_refine(self, cells: int) -> bool:
        """Say whether a finer grid may follow one of so many cells."""
        return not self.settings.cells and may_refine(self.scheme, cells)

    @property
    def exact(self) -> bool:
        """Whether the grid of the scheme is part of the problem."""
        return self.scheme.cells is not None

    def costs(self, cells: int) -> Mapping[str, int]:
        """Return the time steps of a rollout."""
        return {"solver_steps": self._steps(cells)}

    # ---- the rollout -------------------------------------------------------------------------

    def _split(self, values: Arrays) -> tuple[Arrays, Arrays]:
        """Separate unknowns on the grid into initial state and coefficients."""
        fields = {u.field: values[u.name] for u in self._initials()}
        sought = {u.name: values[u.name] for u in self.unknowns if u.kind == "coefficient"}
        return fields, sought

    def seen(self, values: Arrays, data: Mapping[str, Any], cells: int) -> list[Any]:
        """Return what each observation sees of the rolled-out state, (*batch, n)."""
        state, sought = self._split(values)
        state = {**{f: data[f"start={f}"] for f in self.known_start(cells)}, **state}
        at, found = self.discretisation(cells), []
        frames = zip(self.observations, self._frames(at, state, sought), strict=True)
        for i, (o, frame) in enumerate(frames):
            values = at.shown(frame, sought, self.times[i], (o.field,))[o.field]
            nodes, weights = data[f"nodes{i}"], data[f"weights{i}"]
            found.append(observe(values, nodes, weights, len(self.domain.space)))
        return found

    def _frames(self, at: Discretisation, state: Arrays, sought: Arrays) -> Iterator[Arrays]:
        """Yield the state at the time of each observation."""

        def stepping(begin: float, dt: float) -> Callable[[Arrays, Any], Arrays]:
            prepared = at.scheme.prepared(sought, dt, at.grid)
            return lambda s, k: at.scheme.step(s, prepared, begin + k * dt, dt, at.grid)

        edges = [self.start, *self.times]
        spans = [equal_steps(end - begin, at.dt) for begin, end in itertools.pairwise(edges)]
        counts = {n for n, _ in spans}
        lengths = np.diff(edges)
        if len(spans) > 1 and len(counts) == 1 and np.ptp(lengths) <= 1e-9 * lengths[0]:
            (n,) = counts  # one program for all spans, which is compiled once
            dt = (edges[-1] - edges[0]) / (n * len(spans))
            yield from self._tools.frames(stepping(self.start, dt), state, n, len(spans))
            return
        for begin, (n, dt) in zip(edges, spans, strict=False):
            state = self._tools.repeat(stepping(begin, dt), state, n) if n else state
            yield state

    def observed(self, parameters: dict[str, np.ndarray], cells: int) -> list[np.ndarray]:
        """Return what each observation sees, (n,), in NumPy."""
        times, names = np.asarray([self.start, *self.times]), {o.field for o in self.observations}
        states = self._trajectory(parameters, cells, times, tuple(names))
        seen = zip(self.observations, self.nodes(cells), strict=True)
        return [
            observe(states[o.field][..., i + 1], *at, len(self.domain.space))
            for i, (o, at) in enumerate(seen)
        ]

    def _trajectory(
        self,
        parameters: dict[str, np.ndarray],
        cells: int,
        times: np.ndarray,
        fields: tuple[str, ...],
    ) -> dict[str, np.ndarray]:
        """Roll out in NumPy; fields of shape (*cells, times)."""
        state, sought = self._split(self._on_grid(parameters, self._functions(cells), cells))
        state = {**self.known_start(cells), **state}
        return self.discretisation(cells).march(state, sought, times, fields)

    def solution(self, parameters: dict[str, np.ndarray], memo: Mapping[str, Any]) -> Solution:
        """Return the rolled-out trajectory (cubic spline in space and time) and the unknowns."""
        assert self.domain.time is not None
        cells = memo.get("cells", self.cells)
        at = self.discretisation(cells)
        steps = ceil(self.domain.time.length / at.dt - 1e-9)
        times = self.start + at.dt * np.arange(steps + 1)
        states = self._trajectory(parameters, cells, times, self.fields)
        found = self.found(parameters, memo)
        return replace(
            found,
            predict=TrajectoryInterpolant(self.domain, at.grid, times, states),
            details={"scheme": self._scheme_name, "dt": at.dt, **found.details},
        )
