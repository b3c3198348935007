"""Objective of `diffphys`: unknowns are fitted through an unrolled solver."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil, pi
from typing import Any, Protocol

import numpy as np

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.method import Solution
from pdebench_lite.physics import Grid, array_namespace, interpolate_periodic
from pdebench_lite.problem import Arrays, Axis, Domain, Observation, Scheme, Unknown
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View
from pdebench_methods.diffphys import DiffphysSettings
from pdebench_methods.solutions import TrajectoryInterpolant
from pdebench_methods.training import Stage, Tools

_COURANT = 0.9  # of the stability bound, for a state somewhat larger than what was observed
_HEADROOM = 1.25
_BLURS = (0.2, 0.1, 0.05, 0.025, 0.0125, 0.0)  # of the domain's length
_WEIGHTS = tuple(10.0**-k for k in range(1, 13))


class DiffphysTools(Tools, Protocol):
    """What a backend brings beside the common tools."""

    def repeat(self, step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int) -> Arrays:
        """Apply `state = step(state, i)` for i = 0 … n − 1, differentiably."""


@dataclass(frozen=True)
class Basis:
    """Trigonometric functions on space axes, each scaled by the prior standard deviation 1/(1+k²).

    A periodic axis has 1, cos and sin; any other has cosines of half the frequency. In the
    coefficients of these scaled functions the prior on smoothness is the identity, which is also
    what conditions the optimisation.
    """

    axes: tuple[Axis, ...]
    modes: int

    def matrix(self, points: dict[str, Any]) -> np.ndarray:
        """Return the functions at points, shape (n, functions); n = 1 without axes."""
        n = np.size(points[self.axes[0].name]) if self.axes else 1
        matrix, roughness = np.ones((n, 1)), np.zeros(1)
        for axis in self.axes:
            k = np.arange(1, self.modes + 1)
            turn = (2 * pi if axis.periodic else pi) / axis.length
            phase = turn * np.outer(np.ravel(points[axis.name]) - axis.lower, k)
            waves = [np.cos(phase), np.sin(phase)] if axis.periodic else [np.cos(phase)]
            columns = np.concatenate([np.ones((n, 1)), *waves], axis=1)
            squares = np.concatenate([np.zeros(1), *[k**2.0] * len(waves)])
            matrix = (matrix[:, :, None] * columns[:, None, :]).reshape(n, -1)
            roughness = (roughness[:, None] + squares[None, :]).ravel()
        return matrix / (1.0 + roughness)


class DiffphysObjective:
    """Mean squared misfit of the rolled-out state to the observations, plus weight · ‖prior‖²."""

    def __init__(self, view: View, run: Run, tools: DiffphysTools) -> None:
        self.settings: DiffphysSettings = run.config
        s, self._tools = self.settings, tools
        self.domain: Domain = view.domain
        assert self.domain.time is not None
        self.start = self.domain.time.lower
        self.fields, self.unknowns = view.fields, view.unknowns
        orders = view.schemes()
        name = s.scheme or max(orders, key=lambda scheme: orders[scheme])
        self.scheme: Scheme = view.solver(name)
        self._scheme_name = name
        self.grid = self.domain.grid(s.cells)
        self.observations = _by_time(view.observations(), self.domain.time.name)
        self.bases = {
            u.name: Basis(tuple(self.domain[a] for a in u.axes), min(s.modes, s.cells // 2 - 1))
            for u in self.unknowns
        }
        centres = {a: np.ravel(v) for a, v in self.grid.points().items()}
        self._matrices = {n: basis.matrix(centres) for n, basis in self.bases.items()}
        self._fine_grid = self.domain.grid(2 * s.cells)
        self._known_start: dict[Grid, dict[str, np.ndarray]] = {}
        for grid in (self.grid, self._fine_grid) if view.given("initial_state") else ():
            known = view.initial_state(grid.points())
            self._known_start[grid] = {k: np.asarray(v) for k, v in known.items()}
        self.dt, self.times = self._time_grid()
        self._positions = [self._cells(o) for o in self.observations]
        self.scales = [float(np.mean(o.values**2)) or 1.0 for o in self.observations]

    @property
    def _start(self) -> dict[str, np.ndarray]:
        """The initial state on the solver's grid where the task gives it, else nothing."""
        return self._known_start.get(self.grid, {})

    # ---- discretisation ----------------------------------------------------------------------

    def _time_grid(self) -> tuple[float, list[float]]:
        """Choose the step, and list the observations' times; refuse unstable steps.

        Raises:
            UnsupportedError: the configured steps violate the stability bound.
        """
        times = [float(o.points[self.domain.time.name][0]) for o in self.observations]  # type: ignore[union-attr]
        span = times[-1] - self.start
        bound = self._stability_bound(_HEADROOM)
        if self.settings.steps:
            dt, limit = span / self.settings.steps, self._stability_bound(1.0)
            if dt > limit:
                raise UnsupportedError(
                    f"steps={self.settings.steps} is a step of {dt:.3g}, above the stability bound "
                    f"{limit:.3g} on {self.settings.cells} cells; use steps={ceil(span / limit)} "
                    "or more, or steps=0 to have them chosen"
                )
        else:
            dt = span / max(32, ceil(span / (_COURANT * bound)))
        return dt, times

    def _stability_bound(self, headroom: float) -> float:
        """Largest stable step for a state as large as what was observed."""
        state = {f: np.zeros(self.grid.cells) for f in self.fields} | self._start
        for o in self.observations:
            state[o.field] = np.full(self.grid.cells, headroom * float(np.max(np.abs(o.values))))
        sought = {u.name: self._guess(u) for u in self.unknowns if u.kind == "coefficient"}
        return self.scheme.max_dt(state, sought, self.grid)

    def _guess(self, unknown: Unknown) -> np.ndarray:
        shape = self.grid.cells if unknown.axes else ()
        return np.full(shape, unknown.guess)

    def _cells(self, o: Observation) -> list[np.ndarray]:
        """Positions of observations on the grid, in cells."""
        h = self.grid.spacing
        return [
            (np.asarray(o.points[a.name]) - a.lower) / h[a.name] - 0.5 for a in self.domain.space
        ]

    # ---- the objective -----------------------------------------------------------------------

    def initial(self) -> dict[str, np.ndarray]:
        """Start from the guess: zero, unless the task says otherwise."""
        start = {}
        for u in self.unknowns:
            start[u.name] = np.zeros(self._matrices[u.name].shape[1])
            start[u.name][0] = u.guess
        return start

    def _split(self, values: Arrays) -> tuple[Arrays, Arrays]:
        """Separate unknowns on the grid into initial state and coefficients."""
        fields = {u.field: values[u.name] for u in self.unknowns if u.kind == "initial"}
        sought = {u.name: values[u.name] for u in self.unknowns if u.kind == "coefficient"}
        return fields, sought

    def on_grid(self, parameters: dict[str, Any], matrices: dict[str, Any]) -> Arrays:
        """Return the unknowns on the grid of the solver (a number as a 0-d array)."""
        values = {}
        for u in self.unknowns:
            flat = matrices[u.name] @ parameters[u.name]
            values[u.name] = flat.reshape(self.grid.cells if u.axes else ())
        return values

    def loss(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return Σ mean (blurred misfit)² / mean(values²) + weight · Σ coefficients²."""
        misfits = self._misfits(parameters, data)
        xp = array_namespace(misfits[0])
        total = data["weight"] * sum(xp.sum(parameters[u.name] ** 2) for u in self.unknowns)
        for i, misfit in enumerate(misfits):
            blurred = data[f"blur{i}"] @ misfit if f"blur{i}" in data else misfit
            total = total + xp.mean(blurred * blurred) / self.scales[i]
        return total

    def _misfits(self, parameters: dict[str, Any], data: dict[str, Any]) -> list[Any]:
        matrices = {u.name: data[f"basis={u.name}"] for u in self.unknowns}
        state, sought = self._split(self.on_grid(parameters, matrices))
        state = {**{f: data[f"start={f}"] for f in self._start}, **state}
        misfits, edges = [], itertools.pairwise([self.start, *self.times])
        for i, (o, (begin, end)) in enumerate(zip(self.observations, edges, strict=True)):
            n, dt = _equal_steps(end - begin, self.dt)

            def step(s: Arrays, k: Any, begin: float = begin, dt: float = dt) -> Arrays:
                return self.scheme.step(s, sought, begin + k * dt, dt, self.grid)

            state = self._tools.repeat(step, state, n) if n else state
            positions = [data[f"where{i}.{j}"] for j in range(len(self.domain.space))]
            seen = interpolate_periodic(state[o.field], positions, order="cubic")
            misfits.append(seen - data[f"values{i}"])
        return misfits

    def _data(self, weight: float, blur: float) -> dict[str, np.ndarray]:
        data: dict[str, np.ndarray] = {"weight": np.asarray(weight)}
        data |= {f"basis={name}": matrix for name, matrix in self._matrices.items()}
        data |= {f"start={name}": values for name, values in self._start.items()}
        for i, o in enumerate(self.observations):
            data[f"values{i}"] = o.values
            data |= {f"where{i}.{j}": p for j, p in enumerate(self._positions[i])}
            if self._blurs:
                data[f"blur{i}"] = _blur_matrix(o, self.domain, blur)
        return data

    # ---- the stages --------------------------------------------------------------------------

    @property
    def _blurs(self) -> tuple[float, ...]:
        wanted = self.settings.coarse_to_fine
        if wanted == "auto":
            wanted = any(u.kind == "coefficient" and u.axes for u in self.unknowns)
        return _BLURS if wanted else ()

    def next_stage(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> Stage | None:
        """Return the next stage: blurred targets first, then smaller and smaller weights.

        With `weight=auto` the weight falls tenfold per stage until the misfit is explained by the
        noise and the solver's own error, both known without the truth (Morozov's discrepancy
        principle; Engl, Hanke & Neubauer 1996, sect. 4.3). When the misfit falls by less than half
        before that, the weight before is taken: what is left is no noise but the solver's error.
        """
        s = self.settings
        if memo.get("last"):
            return None
        index = memo["stage"] = memo.get("stage", -1) + 1
        fixed = None if s.weight == "auto" else float(s.weight)
        if s.optimizer != "lbfgs":
            memo |= {"last": True, "weight": _WEIGHTS[-1] if fixed is None else fixed}
            return Stage(s.optimizer, self._data(memo["weight"], 0.0))
        blurs = self._blurs[:-1]
        if index < len(blurs):
            memo["weight"] = _WEIGHTS[index] if fixed is None else fixed
            return Stage("lbfgs", self._data(memo["weight"], blurs[index]), s.stage_steps, 1e-3)
        explained = index > len(blurs) and fixed is None and self._explained(current, memo)
        if fixed is None and not explained and index < len(_WEIGHTS):
            memo["weight"] = _WEIGHTS[index]
            return Stage("lbfgs", self._data(memo["weight"], 0.0), s.stage_steps, 1e-2)
        memo["last"] = True
        if fixed is not None:
            memo["weight"] = fixed
        return Stage("lbfgs", self._data(memo["weight"], 0.0), None, 1e-6)

    def _explained(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> bool:
        """Say whether the weight needs to fall no further; may raise it by one stage."""
        before = memo.get("misfit", float("inf"))
        memo["misfit"], level = self._discrepancy(current)
        if memo["misfit"] <= level:
            return True
        if memo["misfit"] > 0.5 * before:
            memo["weight"] = min(10.0 * memo["weight"], _WEIGHTS[0])
            return True
        return False

    def _discrepancy(self, parameters: dict[str, np.ndarray]) -> tuple[float, float]:
        """Return the mean squared misfit and the level that noise and the solver's error explain.

        The solver's error is that of Richardson: its difference to the same rollout on half the
        spacing and step, times 2ᵖ/(2ᵖ − 1) for a scheme of order p.
        """
        coarse = self._observed(parameters, self.grid, self.dt)
        fine = self._observed(parameters, self._fine_grid, self.dt / 2)
        factor = 2.0**self.scheme.order / (2.0**self.scheme.order - 1.0)
        misfit = level = 0.0
        for o, a, b in zip(self.observations, coarse, fine, strict=True):
            misfit += float(np.mean((a - o.values) ** 2))
            level += o.noise**2 + float(np.mean((factor * (a - b)) ** 2))
        return misfit, level

    # ---- the solution ------------------------------------------------------------------------

    def _observed(
        self, parameters: dict[str, np.ndarray], grid: Grid, dt: float
    ) -> list[np.ndarray]:
        times = np.asarray([self.start, *self.times])
        states = self._trajectory(parameters, grid, dt, times)
        seen = []
        for i, o in enumerate(self.observations):
            positions = [
                (np.asarray(o.points[a.name]) - a.lower) / grid.spacing[a.name] - 0.5
                for a in self.domain.space
            ]
            seen.append(interpolate_periodic(states[o.field][..., i + 1], positions, order="cubic"))
        return seen

    def _trajectory(
        self, parameters: dict[str, np.ndarray], grid: Grid, dt: float, times: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Roll out in NumPy with the given grid and step; arrays of shape (*cells, times)."""
        centres = {a: np.ravel(v) for a, v in grid.points().items()}
        values = {}
        for u in self.unknowns:
            flat = self.bases[u.name].matrix(centres if u.axes else {}) @ parameters[u.name]
            values[u.name] = flat.reshape(grid.cells if u.axes else ())
        state, sought = self._split(values)
        state = {**self._known_start.get(grid, {}), **state}
        states, t = [state], float(times[0])
        for end in times[1:]:
            n, h = _equal_steps(float(end) - t, dt)
            for k in range(n):
                state = self.scheme.step(state, sought, t + k * h, h, grid)
            t = float(end)
            states.append(state)
        return {name: np.stack([s[name] for s in states], axis=-1) for name in state}

    def solution(self, parameters: dict[str, np.ndarray], memo: Mapping[str, Any]) -> Solution:
        """Return the rolled-out trajectory (cubic spline in space and time) and the unknowns."""
        assert self.domain.time is not None
        steps = ceil(self.domain.time.length / self.dt - 1e-9)
        times = self.start + self.dt * np.arange(steps + 1)
        states = self._trajectory(parameters, self.grid, self.dt, times)
        found = {u.name: self._function(u, parameters[u.name]) for u in self.unknowns}
        details: dict[str, Any] = {
            "scheme": self._scheme_name,
            "cells": self.grid.cells[0],
            "dt": self.dt,
            "weight": memo.get("weight"),
        }
        return Solution(
            predict=TrajectoryInterpolant(self.domain, self.grid, times, states),
            unknowns=found,
            weights=parameters,
            parameters=sum(int(v.size) for v in parameters.values()),
            details=details,
        )

    def _function(
        self, unknown: Unknown, coefficients: np.ndarray
    ) -> Callable[[dict[str, Any]], np.ndarray]:
        basis = self.bases[unknown.name]
        return lambda points: basis.matrix(points if unknown.axes else {}) @ coefficients


def _equal_steps(span: float, dt: float) -> tuple[int, float]:
    """Return number and length of the fewest equal steps of at most dt that fill a span."""
    n = ceil(span / dt - 1e-9)
    return n, dt if abs(n * dt - span) <= 1e-9 * dt else span / n


def _by_time(observations: tuple[Observation, ...], time: str) -> list[Observation]:
    """Split observations by time and sort them."""
    split = []
    for o in observations:
        for t in np.unique(o.points[time]):
            here = np.asarray(o.points[time]) == t
            points = {a: np.asarray(p)[here] for a, p in o.points.items()}
            split.append(Observation(o.field, points, np.asarray(o.values)[here], o.noise))
    return sorted(split, key=lambda o: float(o.points[time][0]))


def _blur_matrix(o: Observation, domain: Domain, blur: float) -> np.ndarray:
    """Return the Gaussian average over observed points, width in domain lengths; 0: identity."""
    n = o.values.size
    if blur == 0:
        return np.eye(n)
    exponent = np.zeros((n, n))
    for axis in domain.space:
        x = np.asarray(o.points[axis.name])
        gap = x[:, None] - x[None, :]
        if axis.periodic:
            gap = (gap + 0.5 * axis.length) % axis.length - 0.5 * axis.length
        exponent += (gap / (blur * axis.length)) ** 2
    weights = np.exp(-0.5 * exponent)
    return weights / weights.sum(axis=1, keepdims=True)
