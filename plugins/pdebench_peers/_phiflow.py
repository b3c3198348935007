"""Solver of `phiflow`: an initial state fitted by gradients through PhiFlow's Burgers step.

PhiFlow's operators are what is measured here, so the step is stated in them; the problem gives its
domain, viscosity and snapshot. Nothing regularises the initial state but the number of steps, as in
the documentation.
"""

import importlib
import importlib.metadata
from collections.abc import Callable
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from scipy.optimize import minimize

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View
from pdebench_methods.solutions import TrajectoryInterpolant
from pdebench_peers.phiflow import CELLS, DISTRIBUTION, DT_PER_SPACING, GD_STEPS, LEARNING_RATE


class Simulation:
    """Burgers' equation in PhiFlow: explicit diffusion, then semi-Lagrangian advection.

    Args:
        backend: `jax` or `torch`.
        dtype: precision, which PhiFlow sets globally.
        lower, upper: ends of the periodic space axis.
        cells: cells on it.
        nu: viscosity.
        dt: time step; diffusion takes substeps where its stability bound ½ h²/ν asks for them.
    """

    def __init__(
        self, backend: str, dtype: str, lower: float, upper: float, cells: int, nu: float, dt: float
    ) -> None:
        self.flow: Any = importlib.import_module(f"phi.{backend}.flow")
        self.flow.math.set_global_precision(int(dtype.removeprefix("float")))
        self.lower, self.upper, self.cells, self.nu, self.dt = lower, upper, cells, nu, dt
        self.substeps = max(1, ceil(2.0 * nu * dt / ((upper - lower) / cells) ** 2))

    def wrap(self, values: np.ndarray) -> Any:
        """Return cell values as PhiFlow's tensor."""
        return self.flow.math.tensor(values, self.flow.spatial("x"))

    def grid(self, values: Any) -> Any:
        """Return cell values as a periodic grid; made anew in every trace, as PhiFlow caches it."""
        flow = self.flow
        box = flow.Box(x=(self.lower, self.upper))
        return flow.CenteredGrid(values, flow.extrapolation.PERIODIC, box, x=self.cells)

    def step(self, u: Any) -> Any:
        """Advance a grid by dt."""
        flow = self.flow
        u = flow.diffuse.explicit(u, self.nu, self.dt, substeps=self.substeps)
        return flow.advect.semi_lagrangian(u, u, self.dt)

    def misfit(self, x: np.ndarray, observed: np.ndarray, steps: int) -> Callable[[Any], Any]:
        """Return cell values -> mean squared misfit at points x after so many steps."""
        flow = self.flow
        points = flow.math.tensor(x[:, None], flow.instance("points"), flow.channel(vector="x"))
        target = flow.math.tensor(observed, flow.instance("points"))

        def loss(values: Any) -> Any:
            u = self.grid(values)
            for _ in range(steps):
                u = self.step(u)
            seen = flow.field.sample(u, flow.Point(points))
            return flow.math.mean((seen - target) ** 2, "points")

        return loss

    @cached_property
    def _advance(self) -> Callable[[Any], Any]:
        return self.flow.math.jit_compile(lambda values: self.step(self.grid(values)).values)

    def trajectory(self, values: np.ndarray, steps: int) -> np.ndarray:
        """Return the states of a rollout, shape (cells, steps + 1)."""
        states = [self.wrap(values)]
        for _ in range(steps):
            states.append(self._advance(states[-1]))
        return np.stack([state.numpy("x") for state in states], -1).astype(np.float64)


def solve(view: View, run: Run) -> Solution:
    """Fit the initial state: 50 steps of gradient descent, or with `matched` L-BFGS-B.

    Raises:
        UnsupportedError: PhiFlow fails on this backend.
    """
    matched = run.config.preset == "matched"
    (space,), time = view.domain.space, view.domain.time
    assert time is not None
    with run.phase("data"):
        (seen,) = view.observations()
        cells = run.config.cells or CELLS[run.config.preset]
        span = float(seen.points[time.name][0]) - time.lower
        steps = max(1, round(span / (DT_PER_SPACING * space.length / cells)))
        nu: Any = view.coefficients()["nu"]
        dt = span / steps
        simulation = Simulation(
            run.backend, run.dtype, space.lower, space.upper, cells, float(nu), dt
        )
        loss = simulation.misfit(np.asarray(seen.points[space.name]), seen.values, steps)
    math = simulation.flow.math
    gradient = math.jit_compile(math.gradient(loss, "values"))
    best = np.zeros(cells)
    version = importlib.metadata.version(DISTRIBUTION)
    details = {"library": "PhiFlow", "version": version, "cells": cells, "dt": dt}
    moments = time.lower + dt * np.arange(ceil(time.length / dt - 1e-9) + 1)
    calls = 0

    def evaluate(values: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal calls
        calls += 1
        value, slope = gradient(simulation.wrap(values))
        return float(value), slope.numpy("x").astype(np.float64)

    def candidate() -> Solution:
        states = {seen.field: simulation.trajectory(best, moments.size - 1)}
        predict = TrajectoryInterpolant(view.domain, view.domain.grid(cells), moments, states)
        return Solution(predict, weights={"initial": best}, parameters=cells, details=details)

    with run.phase("compile"):
        try:
            value, slope = evaluate(best)
        except RuntimeError as error:
            line = " ".join(str(error).split())
            reason = f"PhiFlow {version} fails in 1-D on {run.backend}: {line}; use --backend jax"
            raise UnsupportedError(reason) from error
    step, stop = 0, run.report(0, value, candidate)

    def report(intermediate_result: Any) -> None:
        nonlocal best, step
        best, step = intermediate_result.x, step + 1
        if run.report(step, float(intermediate_result.fun), candidate, calls):
            raise StopIteration

    if matched and not stop:  # SciPy's is what PhiFlow's `minimize` calls, without the reports
        minimize(
            evaluate, best, jac=True, method="L-BFGS-B", callback=report,
            options={"maxiter": 1 << 30, "maxfun": 1 << 30, "ftol": 0.0, "gtol": 0.0},
        )  # fmt: skip
    while not (stop or matched) and step < GD_STEPS:
        best, step = best - LEARNING_RATE * slope, step + 1
        stop = run.report(step, value, candidate, calls)
        value, slope = evaluate(best)
    return candidate()
