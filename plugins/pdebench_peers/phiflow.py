"""Adapter `phiflow`: an initial state fitted by gradients through PhiFlow's Burgers step.

PhiFlow's operators are what is measured here, so the step is stated in them; the problem gives its
domain, viscosity and snapshot. As documented: 128 cells on [−1, 1], dt = 1/32, 50 steps of gradient
descent from u = 0; nothing else regularises the initial state.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np
from scipy.optimize import minimize

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.method import Solution
from pdebench_lite.problem import Axis
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View
from pdebench_methods.solutions import TrajectoryInterpolant
from pdebench_peers._progress import loaded_backend

flow: Any = importlib.import_module(f"phi.{loaded_backend()}.flow")

CELLS = {"documentation": 128, "matched": 256}
DT_PER_SPACING = 2.0
GD_STEPS, LEARNING_RATE = 50, 5.0


@dataclass
class Simulation:
    """Burgers' equation in PhiFlow: explicit diffusion, then semi-Lagrangian advection.

    Attributes:
        space: the periodic axis.
        cells: cells on it.
        nu: viscosity.
        dt: time step; diffusion takes substeps where its stability bound ½ h²/ν asks for them.
    """

    space: Axis
    cells: int
    nu: float
    dt: float

    def grid(self, values: Any) -> Any:
        """Return cell values as a periodic grid; made anew in every trace, as PhiFlow caches it."""
        box = flow.Box(x=(self.space.lower, self.space.upper))
        return flow.CenteredGrid(values, flow.extrapolation.PERIODIC, box, x=self.cells)

    def step(self, u: Any) -> Any:
        """Advance a grid by dt."""
        substeps = max(1, ceil(2.0 * self.nu * self.dt / (self.space.length / self.cells) ** 2))
        u = flow.diffuse.explicit(u, self.nu, self.dt, substeps=substeps)
        return flow.advect.semi_lagrangian(u, u, self.dt)

    def misfit(self, x: np.ndarray, observed: np.ndarray, steps: int) -> Callable[[Any], Any]:
        """Return cell values -> mean squared misfit at points x after so many steps."""
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
        return flow.math.jit_compile(lambda values: self.step(self.grid(values)).values)

    def trajectory(self, values: np.ndarray, steps: int) -> np.ndarray:
        """Return the states of a rollout, shape (cells, steps + 1)."""
        states = [wrap(values)]
        for _ in range(steps):
            states.append(self._advance(states[-1]))
        return np.stack([state.numpy("x") for state in states], -1).astype(np.float64)


def wrap(values: np.ndarray) -> Any:
    """Return cell values as PhiFlow's tensor."""
    return flow.math.tensor(values, flow.spatial("x"))


def solve(view: View, run: Run) -> Solution:
    """Fit the initial state: 50 steps of gradient descent, or with `matched` L-BFGS-B.

    Raises:
        UnsupportedError: PhiFlow fails on this backend.
    """
    (space,), time = view.domain.space, view.domain.time
    assert time is not None
    flow.math.set_global_precision(int(run.dtype.removeprefix("float")))
    with run.phase("data"):
        (seen,) = view.observations()
        cells = run.config.cells or CELLS[run.config.preset]
        span = float(seen.points[time.name][0]) - time.lower
        steps = max(1, round(span / (DT_PER_SPACING * space.length / cells)))
        nu: Any = view.coefficients()["nu"]
        simulation = Simulation(space, cells, float(nu), dt := span / steps)
        loss = simulation.misfit(np.asarray(seen.points[space.name]), seen.values, steps)
    gradient = flow.math.jit_compile(flow.math.gradient(loss, "values"))
    best, step, calls = np.zeros(cells), 0, 0
    details = run.config.library.details() | {"cells": cells, "dt": dt}
    moments = time.lower + dt * np.arange(ceil(time.length / dt - 1e-9) + 1)

    def evaluate(values: np.ndarray) -> tuple[float, np.ndarray]:
        nonlocal calls
        calls += 1
        value, slope = gradient(wrap(values))
        return float(value), slope.numpy("x").astype(np.float64)

    def candidate() -> Solution:
        states = {seen.field: simulation.trajectory(best, moments.size - 1)}
        predict = TrajectoryInterpolant(view.domain, view.domain.grid(cells), moments, states)
        return Solution(predict, weights={"initial": best}, parameters=cells, details=details)

    def report(values: np.ndarray, value: float) -> bool:
        nonlocal best, step
        best, step = values, step + 1
        return run.report(step, value, candidate, calls)

    def callback(intermediate_result: Any) -> None:
        if report(intermediate_result.x, float(intermediate_result.fun)):
            raise StopIteration

    with run.phase("compile"):
        try:
            value, slope = evaluate(best)
        except RuntimeError as error:
            line = f"fails in 1-D on {run.backend}: {' '.join(str(error).split())}"
            reason = f"PhiFlow {details['version']} {line}; use --backend jax"
            raise UnsupportedError(reason) from error
    if run.report(0, value, candidate):
        return candidate()
    if run.config.preset == "matched":  # by SciPy, as PhiFlow's `minimize`, which cannot report
        endless: Any = {"maxiter": 1 << 30, "maxfun": 1 << 30, "ftol": 0.0, "gtol": 0.0}
        minimize(evaluate, best, jac=True, method="L-BFGS-B", callback=callback, options=endless)
        return candidate()
    while step < GD_STEPS and not report(best - LEARNING_RATE * slope, value):
        value, slope = evaluate(best)
    return candidate()
