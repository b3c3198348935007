"""Solver of `leastsquares`: Gauss–Newton through a marched scheme, Jacobian by differences."""

import contextlib
from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import Any

import numpy as np

from pdebench_classical._forward_map import grown, largest_seen, readings, spans
from pdebench_classical._trajectory import Trajectory
from pdebench_classical.leastsquares import LeastSquaresSettings
from pdebench_lite.problem import Arrays, Scheme, Unknown
from pdebench_lite.problem.observations import by_time
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.search.fourier_prior import FourierPrior
from pdebench_methods.search.regularised_gauss_newton import Level, RegularisedGaussNewton

_FREE = 10.0  # prior deviation of numbers and means, in units of that of the waves
_STEP = 1e-6  # of the differences
_SHARE = 0.8  # of the stability bound


def solve(view: View, run: Run) -> Solution:
    """Minimise mean (misfit/rms of the data)² + weight·Σ coordinates².

    First on half the cells, where the evidence chooses the weight; then, with that weight, on all
    of them. The stated deviations are those of the linearised posterior.
    """
    with run.phase("data"):
        search = _Search(view, run)
    with contextlib.suppress(_Enough):
        search.minimise()
    return search.solution()


class _Search:
    """The two searches, and the best coordinates so far."""

    def __init__(self, view: View, run: Run) -> None:
        config: LeastSquaresSettings = run.config
        self.run = run
        self.coarse = _Model(view, config, config.cells // 2, self._tell)
        self.fine = _Model(view, config, config.cells, self._tell)
        self.model, self.x = self.coarse, self.fine.start()
        self.covariance: np.ndarray | None = None  # unknown before the first step
        self.steps = 0
        self.loss: float | None = None

    def _tell(self) -> None:
        """Report the best coordinates so far.

        Raises:
            _Enough: the run said stop.
        """
        if self.run.report(self.steps, self.loss, self.solution, self.steps):
            raise _Enough

    def minimise(self) -> None:
        """Choose the weight on half the cells, then go on with it on all of them."""
        self._tell()
        coarse, fine, x, weight = self.coarse, self.fine, self.x, 1.0
        for model, chooses in ((coarse, True), (fine, False)):
            search = RegularisedGaussNewton(
                model.linearise,
                model.residuals,
                x,
                level=lambda at: Level(fine.noise, self.solver_error(at)),
                weight=weight,
                floor=1e-14 if chooses else weight,
                chooses=chooses,
            )
            before = 0
            while search.step():
                self.steps += 1
                self.run.count(solver_steps=model.steps, gradients=search.evaluations - before)
                before = search.evaluations
                self.model, self.x, self.loss = model, search.x.copy(), search.loss
                self.covariance = search.covariance()
                self._tell()
            x, weight = search.x, search.weight
            self.model, self.x, self.covariance = model, x, search.covariance()

    def solver_error(self, x: np.ndarray) -> float:
        """Return the sum of squares of the fine grid's error: Richardson's, gap/(2ᵖ − 1)."""
        gap = self.fine(x) - self.coarse(x)
        return float(np.sum((gap / (2.0**self.fine.order - 1.0)) ** 2))

    def solution(self) -> Solution:
        """Return the best fit so far."""
        return self.model.solution(self.x, self.covariance)


class _Enough(Exception):  # noqa: N818 - no error: the run said stop
    """Ends the search."""


class _Model:
    """Coordinates of numbers and initial states -> normalised misfits, on one grid.

    A number that is positive is guess·exp(10 c), any other guess + 10 c, with c a coordinate.
    """

    def __init__(
        self, view: View, config: LeastSquaresSettings, cells: int, tick: Callable[[], None]
    ) -> None:
        """Prepare the march.

        Args:
            view: the task.
            config: the settings.
            cells: of the grid.
            tick: called at each time step; may raise to stop the march.
        """
        time = view.domain.time
        assert time is not None, "an initial state belongs to a problem with time"
        self._view, self.grid, self._tick = view, view.domain.grid(cells), tick
        self._numbers = [u for u in view.unknowns if u.kind == "coefficient"]
        self._sought = [u for u in view.unknowns if u.kind == "initial"]
        orders = view.schemes()
        self._name = config.scheme or max(orders, key=lambda name: orders[name])
        self._scheme, self.order = view.solver(self._name), orders[self._name]
        self.waves = FourierPrior(
            view.domain.space, min(config.modes, config.cells // 8), mean=_FREE
        )
        self._matrix = self._functions(self.grid.points())
        self._known = {}
        if view.given("initial_state"):
            self._known = {
                k: np.asarray(v) for k, v in view.initial_state(self.grid.points()).items()
            }
        seen = by_time(view.observations(), time.name)
        self._seen = readings(seen, self.grid, time.name)
        values = np.concatenate([o.values for o in seen])
        self._norm = float(np.sqrt(np.sum(values**2))) or 1.0
        self._values = values / self._norm
        self.noise = sum(o.values.size * o.noise**2 for o in seen) / self._norm**2
        self._begin = time.lower
        largest = largest_seen(seen, view.fields, self.grid)
        guesses: Arrays = {u.name: u.guess for u in self._numbers}
        limit = _SHARE * self._scheme.max_dt(largest, guesses, self.grid)
        self._dt = min(limit, self.grid.longest_step(time.length))
        self.steps = sum(n for *_, n in self._spans())

    def _functions(self, points: dict[str, Any]) -> np.ndarray:
        return self.waves.matrix(points)

    def start(self) -> np.ndarray:
        """Return the guesses, with the mean of what was first observed as initial state."""
        x = np.zeros(len(self._numbers) + self.waves.size * len(self._sought))
        for i, unknown in enumerate(self._sought):
            if unknown.positive:
                continue  # at the guess
            first = next(j for j, (_, field, _) in enumerate(self._seen) if field == unknown.field)
            sizes = np.cumsum([0, *(len(read) for *_, read in self._seen)])
            mean = float(np.mean(self._values[sizes[first] : sizes[first + 1]])) * self._norm
            x[len(self._numbers) + i * self.waves.size] = mean / _FREE
        return x

    def numbers(self, x: np.ndarray) -> dict[str, float]:
        """Return the sought numbers, which every coefficient of a scheme may be."""
        return {
            u.name: float(u.guess * np.exp(_FREE * c) if u.positive else u.guess + _FREE * c)
            for u, c in zip(self._numbers, x, strict=False)
        }

    def states(self, x: np.ndarray) -> Arrays:
        """Return initial states of shape (…, cells) for coordinates of shape (…, n)."""
        rows = np.split(x[..., len(self._numbers) :], max(1, len(self._sought)), axis=-1)
        found = {
            u.field: grown(u, row @ self._matrix.T)
            for u, row in zip(self._sought, rows, strict=False)
        }
        return {**self._known, **found}

    def _spans(self) -> list[tuple[float, float, int]]:
        """Return (begin, time step, steps) between the times of observations."""
        return spans(self._begin, {t for t, *_ in self._seen}, self._dt)

    def _march(self, state: Arrays, numbers: dict[str, float]) -> np.ndarray:
        """Return what would be observed, over the norm of the data, (…, values)."""
        seen = []
        with np.errstate(all="ignore"):  # a trial too far away is told by its misfit
            ends = sorted({t for t, *_ in self._seen})
            for end, (begin, dt, n) in zip(ends, self._spans(), strict=True):
                for k in range(n):
                    self._tick()
                    state = self._scheme.step(state, dict(numbers), begin + k * dt, dt, self.grid)
                seen += [state[field] @ read.T for t, field, read in self._seen if t == end]
        return np.concatenate(seen, axis=-1) / self._norm

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return what would be observed, over the norm of the data."""
        return self._march(self.states(x), self.numbers(x))

    def residuals(self, x: np.ndarray) -> np.ndarray:
        """Return the misfits over the norm of the data."""
        return self(x) - self._values

    def linearise(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return residuals and Jacobian: forward differences for states, central for numbers.

        All perturbed initial states are marched at once; a scheme that is given a number as a
        constant prepares for it once.
        """
        count = len(self._numbers)
        batch = np.concatenate([x[None], x + _STEP * np.eye(x.size)[count:]])
        seen = self._march(self.states(batch), self.numbers(x)) if self._sought else self(x)[None]
        columns = []
        for i in range(count):
            h = _STEP * np.eye(x.size)[i]
            columns.append((self(x + h) - self(x - h)) / (2 * _STEP))
        J = np.column_stack([*columns, *(seen[1:] - seen[0]) / _STEP])
        return seen[0] - self._values, J

    def solution(self, x: np.ndarray, covariance: np.ndarray | None) -> Solution:
        """Return the fitted numbers and states, and the state marched over the whole time."""
        view, time, numbers = self._view, self._view.domain.time, self.numbers(x)
        assert time is not None
        steps = ceil(time.length / self._dt - 1e-9)
        scheme = _with(self._scheme, numbers)
        march = Trajectory(
            view.domain, scheme, self.grid, self.states(x), time.length / steps, steps,
            view.fields,
        )  # fmt: skip
        for _ in range(steps):
            march.advance()
        unknowns: dict[str, Callable[[Arrays], np.ndarray]] = {}
        deviations: dict[str, Callable[[Arrays], np.ndarray]] = {}
        for i, u in enumerate(self._numbers):
            unknowns[u.name] = _constant(numbers[u.name])
            if covariance is None:
                continue
            spread = _FREE * float(np.sqrt(covariance[i, i]))
            deviations[u.name] = _constant(spread * (numbers[u.name] if u.positive else 1.0))
        for i, u in enumerate(self._sought):
            begin = len(self._numbers) + i * self.waves.size
            part = slice(begin, begin + self.waves.size)
            unknowns[u.name] = found = _combination(self._functions, u, x[part])
            if covariance is not None:
                slope = found if u.positive else _constant(1.0)
                deviations[u.name] = _spread(self._functions, covariance[part, part], slope)
        return Solution(
            predict=march.predict,
            unknowns=unknowns,
            deviations=deviations,
            weights={"coordinates": x},
            parameters=x.size,
            details={"scheme": self._name, "cells": self.grid.cells[0], "dt": self._dt, **numbers},
        )


def _with(scheme: Scheme, numbers: dict[str, float]) -> Scheme:
    def step(state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Any) -> Arrays:
        return scheme.step(state, {**unknowns, **numbers}, t, dt, grid)

    return replace(scheme, step=step)


def _constant(value: float) -> Callable[[Arrays], np.ndarray]:
    return lambda points: np.asarray(value)


def _combination(
    functions: Callable[[Arrays], np.ndarray], unknown: Unknown, row: np.ndarray
) -> Callable[[Arrays], np.ndarray]:
    return lambda points: grown(unknown, functions(points) @ row)


def _spread(
    functions: Callable[[Arrays], np.ndarray],
    covariance: np.ndarray,
    slope: Callable[[Arrays], np.ndarray],
) -> Callable[[Arrays], np.ndarray]:
    def deviation(points: Arrays) -> np.ndarray:
        matrix = functions(points)
        variance = np.einsum("ij,jk,ik->i", matrix, covariance, matrix)
        return slope(points) * np.sqrt(np.maximum(variance, 0.0))

    return deviation
