"""Solver of `fem`: Newton's method, and in time a stiffly accurate Runge–Kutta method."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import SuperLU, splu

from pdebench_classical._fem_space import Space
from pdebench_classical._fem_weak import WeakForm
from pdebench_classical.fem import FemSettings, cells_of
from pdebench_lite.errors import DivergedError
from pdebench_lite.problem import Arrays
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

# Hairer & Wanner 1996, Solving Ordinary Differential Equations II, table IV.6.5: five stages,
# order 4, L-stable, the last stage is the new state; `_THIRD` are the weights of order 3.
_GAMMA = 0.25
_STAGES = (
    (),
    (1 / 2,),
    (17 / 50, -1 / 25),
    (371 / 1360, -137 / 2720, 15 / 544),
    (25 / 24, -49 / 48, 125 / 16, -85 / 12),
)
_TIMES = (1 / 4, 3 / 4, 11 / 20, 1 / 2, 1.0)
_THIRD = (59 / 48, -17 / 96, 225 / 32, -85 / 12, 0.0)
_STEPS = 64
_ITERATIONS = 50
_SMALL = 1e-12  # change of a Newton step, relative to the state, at which it ends
_SHARE = 0.05  # by which an old Jacobian must shrink the change, or a new one is made


def solve(view: View, run: Run) -> Solution:
    """Solve a stationary problem, or step a diffusive one from its known initial state.

    Raises:
        DivergedError: Newton's method does not converge.
    """
    config: FemSettings = run.config
    domain = view.domain
    with run.phase("data"):
        cells = cells_of(domain, config)
        view.conditions()  # read from the domain below, noted here
        space = Space(domain, config.order, cells, config.grading)
        weak = WeakForm(space, domain, view.fields, view.weak(), view.coefficients(), view.gauged)
        newton = _Newton(weak)
    about: dict[str, Any] = {"order": config.order, "cells": cells, "elements": len(space.nodes)}
    free = int(weak.free.sum())
    reader = _Reader(view, space)

    if domain.time is None:
        values = weak.impose(np.zeros(weak.free.shape), None)
        for step, iterate in enumerate(newton.stationary(values), start=1):
            solution = reader.solution(partial(_constant, iterate), free, about)
            run.count(solver_steps=1)
            if run.report(step, None, partial(_constant, solution)):
                break
        return solution

    steps = config.steps or _STEPS
    marching = _Marching(weak, newton, view, domain.time.lower, domain.time.length / steps)
    about |= {"steps": steps, "stepper": "SDIRK4", "dt": marching.dt}

    def evolving() -> Solution:
        return reader.solution(marching.at, free, {**about, "time_error": marching.error})

    for step in range(1, steps + 1):
        marching.advance()
        run.count(solver_steps=1)
        if run.report(step, None, evolving):
            break
    return evolving()


def _constant(value: Any, t: float = 0.0) -> Any:
    """Return a value, whatever the time."""
    return value


class _Newton:
    """Newton's method on the free unknowns, the factors of the Jacobian kept while they serve."""

    def __init__(self, weak: WeakForm) -> None:
        self._weak = weak
        self._free = np.flatnonzero(weak.free.ravel())
        self._factors: SuperLU | None = None

    def _factorised(self, matrix: sparse.csr_array) -> SuperLU:
        inner = sparse.csc_array(matrix[self._free][:, self._free])
        try:
            return splu(inner, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
        except RuntimeError as error:  # "Factor is exactly singular"
            raise DivergedError(
                "the equation and its conditions fix no single solution: the matrix is singular; "
                "where a field is known up to a constant, state Field(…, gauge=True)"
            ) from error

    def stationary(self, values: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the iterates; steps that enlarge the residual are halved."""
        before = np.inf
        for _ in range(_ITERATIONS):
            residual, matrix = self._weak.assemble(values, None)
            assert matrix is not None
            size = float(np.linalg.norm(residual[self._free]))
            step = self._step(self._factorised(matrix), residual)
            share = 1.0
            for _ in range(_ITERATIONS):
                trial = values + share * step
                after, _ = self._weak.assemble(trial, None, jacobian=False)
                if np.linalg.norm(after[self._free]) <= max(size, 1e-14):
                    break
                share /= 2
            values = trial
            yield values
            change = _relative(step, values)
            if change < _SMALL or (change < 1e-8 and change > before / 4):
                return
            # one step solves a linear equation; a second one only removes its rounding errors
            if self._weak.linear:
                return
            before = change
        raise DivergedError(f"Newton's method has not converged in {_ITERATIONS} steps")

    def _step(self, factors: SuperLU, residual: np.ndarray) -> np.ndarray:
        step = np.zeros(residual.size)
        step[self._free] = -factors.solve(residual[self._free])
        return step.reshape(self._weak.free.shape)

    def stage(self, values: np.ndarray, base: np.ndarray, t: float, weight: float) -> np.ndarray:
        """Solve weight·M (y − base) + R(y, t) = 0 for y; starts at `values`."""
        mass, before, fresh = self._weak.mass, np.inf, False
        for _ in range(_ITERATIONS):
            need = self._factors is None
            residual, matrix = self._weak.assemble(values, t, jacobian=need)
            residual = residual + weight * (mass @ (values - base).ravel())
            if matrix is not None:
                self._factors, fresh = self._factorised(matrix + weight * mass), True
            assert self._factors is not None
            step = self._step(self._factors, residual)
            values = values + step
            change = _relative(step, values)
            if change < _SMALL or (change < 1e-9 and change > before / 4):
                return values
            if change > _SHARE * before and not fresh:
                self._factors = None
            before, fresh = change, False
        raise DivergedError(f"Newton's method has not converged at t={t:.6g}; take more steps")


def _relative(step: np.ndarray, values: np.ndarray) -> float:
    size = float(np.max(np.abs(values)))
    found = float(np.max(np.abs(step)) / size) if size else float(np.max(np.abs(step)))
    if not np.isfinite(found):
        raise DivergedError("Newton's method met a number that is not finite")
    return found


class _Marching:
    """States at equal steps in time, and between them by polynomials through six of them."""

    def __init__(
        self, weak: WeakForm, newton: _Newton, view: View, begin: float, dt: float
    ) -> None:
        self._weak, self._newton, self._begin, self.dt = weak, newton, begin, dt
        points = dict(zip((a.name for a in view.domain.space), weak.space.at.T, strict=True))
        start = view.start(points)
        values = np.stack(
            [np.broadcast_to(np.asarray(start[f], float), weak.space.size) for f in view.fields]
        )
        self._kept = [values]
        self.error = 0.0

    def advance(self) -> None:
        """Take one step."""
        start, dt = self._kept[-1], self.dt
        t = self._begin + (len(self._kept) - 1) * dt
        slopes: list[np.ndarray] = []
        y = start
        for earlier, share in zip(_STAGES, _TIMES, strict=True):
            base = start + dt * sum((a * k for a, k in zip(earlier, slopes, strict=True)), 0.0)
            moment = t + share * dt
            y = self._newton.stage(self._weak.impose(y, moment), base, moment, 1 / (_GAMMA * dt))
            slopes.append((y - base) / (_GAMMA * dt))
        last = (*_STAGES[-1], _GAMMA)
        gaps = sum((b - c) * k for b, c, k in zip(last, _THIRD, slopes, strict=True))
        size = float(np.sqrt(np.mean(y**2))) or 1.0
        self.error += float(np.sqrt(np.mean((dt * gaps) ** 2))) / size
        self._kept.append(y)

    def at(self, t: float) -> np.ndarray:
        """Return the state at a time; beyond the last step that one is held."""
        place = min((t - self._begin) / self.dt, len(self._kept) - 1.0)
        count = min(6, len(self._kept))
        first = int(np.clip(np.floor(place) - count // 2 + 1, 0, len(self._kept) - count))
        nodes = np.arange(first, first + count)
        shares = [
            np.prod([(place - m) / (k - m) for m in nodes if m != k]) for k in nodes
        ]  # Lagrange
        return np.asarray(sum(w * self._kept[k] for w, k in zip(shares, nodes, strict=True)))


class _Reader:
    """Answers at points and on grids."""

    def __init__(self, view: View, space: Space) -> None:
        self._domain, self._fields, self._space = view.domain, view.fields, space
        self._located: tuple[bytes, np.ndarray, np.ndarray] = (b"", np.empty(0), np.empty(0))

    def solution(
        self, state: Callable[[float], np.ndarray], parameters: int, details: dict[str, Any]
    ) -> Solution:
        """Return a solution that reads the states of a function of time."""
        time = self._domain.time
        names = [a.name for a in self._domain.space]

        def predict(points: Arrays) -> dict[str, np.ndarray]:
            at = np.stack([np.asarray(points[a], float) for a in names], axis=1)
            if time is None:
                return self._named(self._values(state(0.0), at))
            t = np.asarray(points[time.name], float)
            found = np.empty((len(self._fields), t.size))
            for moment in np.unique(t):
                here = t == moment
                found[:, here] = self._values(state(float(moment)), at[here])
            return self._named(found)

        def on_grid(axes: Arrays) -> dict[str, np.ndarray]:
            at = [np.asarray(axes[a], float) for a in names]
            moments = [0.0] if time is None else [float(t) for t in np.asarray(axes[time.name])]
            frames = [[self._space.on_axes(at, row) for row in state(moment)] for moment in moments]
            found = np.moveaxis(np.array(frames), 0, -1)
            return self._named(found[..., 0] if time is None else found)

        return Solution(
            predict=predict,
            on_grid=on_grid if self._domain.is_box else None,
            parameters=parameters,
            details=details,
        )

    def _named(self, values: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(self._fields, values, strict=True))

    def _values(self, values: np.ndarray, at: np.ndarray) -> np.ndarray:
        """Return the fields at points, (fields, n); the same points are looked for once."""
        key = at.tobytes()
        if self._located[0] != key:
            self._located = (key, *self._space.locate(at))
        _, cells, functions = self._located
        return np.einsum("na,fna->fn", functions, values[:, self._space.numbers[cells]])
