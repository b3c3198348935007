"""Solver of `etdrk4`: marches the known initial state in NumPy."""

from math import ceil
from typing import Any

import numpy as np

from pdebench_classical.etdrk4 import SCHEME, Etdrk4Settings
from pdebench_lite.errors import UnsupportedError
from pdebench_lite.method import Solution
from pdebench_lite.physics import Grid
from pdebench_lite.problem import Domain, Scheme
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View


def solve(view: View, run: Run) -> Solution:
    """March the known initial state forward.

    Raises:
        UnsupportedError: the configured steps violate the stability bound.
    """
    config: Etdrk4Settings = run.config
    with run.phase("data"):
        scheme, grid = view.solver(SCHEME), view.domain.grid(config.cells)
        state = {k: np.asarray(v, float) for k, v in view.initial_state(grid.points()).items()}
        time = view.domain.time
        assert time is not None
        limit = scheme.max_dt(state, {}, grid)
        steps = config.steps or ceil(time.length / limit)
        dt = time.length / steps
        if dt > limit * (1 + 1e-12):
            raise UnsupportedError(
                f"steps={steps} is a step of {dt:.3g}, above the stability bound {limit:.3g} on "
                f"{config.cells} cells; use steps={ceil(time.length / limit)} or more"
            )
    marched = _Marched(view.domain, scheme, grid, dt, [state])
    with run.phase("train"):
        for step in range(1, steps + 1):
            state = scheme.step(state, {}, time.lower + (step - 1) * dt, dt, grid)
            marched.states.append(state)
            if run.report(step, None, lambda: marched.solution()):
                break
    return marched.solution()


class _Marched:
    """States at equal steps. Between two of them a shorter step is taken; in space the
    trigonometric interpolant is exact for the scheme. So queries add no error of their own."""  # noqa: D205, D209

    def __init__(
        self, domain: Domain, scheme: Scheme, grid: Grid, dt: float, states: list[dict[str, Any]]
    ) -> None:
        self.domain, self.scheme, self.grid, self.dt, self.states = domain, scheme, grid, dt, states

    def solution(self) -> Solution:
        """Return the marched states as a solution; beyond the last one its value is held."""
        details = {"cells": self.grid.cells[0], "dt": self.dt}
        count = self.grid.cells[0]
        return Solution(predict=self._predict, parameters=count, details=details)

    def _predict(self, points: dict[str, Any]) -> dict[str, np.ndarray]:
        (space,), time = self.domain.space, self.domain.time
        assert time is not None
        x, t = np.asarray(points[space.name]), np.asarray(points[time.name])
        answer = {name: np.empty(x.size) for name in self.states[0]}
        waves: tuple[np.ndarray, np.ndarray] | None = None
        for moment in np.unique(t):
            here = t == moment
            if waves is None or not np.array_equal(waves[0], x[here]):
                waves = (x[here], _waves(x[here], self.grid))
            for name, values in self._at(float(moment) - time.lower).items():
                answer[name][here] = (waves[1] @ np.fft.rfft(values)).real
        return answer

    def _at(self, elapsed: float) -> dict[str, Any]:
        k = min(int(elapsed / self.dt + 1e-9), len(self.states) - 1)
        rest = elapsed - k * self.dt
        if rest < 1e-9 * self.dt or k == len(self.states) - 1:
            return self.states[k]
        return self.scheme.step(self.states[k], {}, k * self.dt, rest, self.grid)


def _waves(x: np.ndarray, grid: Grid) -> np.ndarray:
    n, (axis,) = grid.cells[0], grid.axes
    k = np.arange(n // 2 + 1)
    weight = np.where((k == 0) | (2 * k == n), 1.0, 2.0) / n
    first = grid.lower[0] + 0.5 * grid.spacing[axis]
    return np.exp(2j * np.pi / grid.length[axis] * np.outer(x - first, k)) * weight
