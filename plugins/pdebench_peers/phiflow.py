"""Adapter `phiflow`: an initial state fitted by gradients through PhiFlow's Burgers step.

PhiFlow's operators are what is measured here, so the step is stated in them; the problem gives its
domain, viscosity and snapshot. As documented: 128 cells on [−1, 1], dt = 1/32, 50 steps of gradient
descent from u = 0; nothing else regularises the initial state. Matched: 256 cells, L-BFGS-B, which
PhiFlow's own `minimize` calls, and a prior on the slope of the initial state.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Any

import numpy as np

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.problem import Axis
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.solutions import TrajectoryInterpolant
from pdebench_peers._descent import Descent
from pdebench_peers._training import loaded_backend

flow: Any = importlib.import_module(f"phi.{loaded_backend()}.flow")

CELLS = {"documentation": 128, "matched": 256}
DT_PER_SPACING = 2.0
GD_STEPS, LEARNING_RATE = 50, 5.0


@dataclass
class Simulation:
    """Burgers' equation in PhiFlow: explicit diffusion, then semi-Lagrangian advection.

    Attributes:
        space, cells: the periodic axis and the number of cells on it.
        nu: viscosity.
        dt: time step; diffusion takes substeps where its stability bound ½ h²/ν asks for them.
    """

    space: Axis
    cells: int
    nu: float
    dt: float

    def grid(self, values: Any) -> Any:
        """Return cell values as a periodic grid; a new one in every trace, as PhiFlow caches it."""
        box = flow.Box(x=(self.space.lower, self.space.upper))
        return flow.CenteredGrid(values, flow.extrapolation.PERIODIC, box, x=self.cells)

    def step(self, u: Any) -> Any:
        """Advance a grid by dt."""
        substeps = max(1, ceil(2.0 * self.nu * self.dt / (self.space.length / self.cells) ** 2))
        u = flow.diffuse.explicit(u, self.nu, self.dt, substeps=substeps)
        return flow.advect.semi_lagrangian(u, u, self.dt)

    def loss(
        self, x: np.ndarray, observed: np.ndarray, steps: int, weight: float = 0.0
    ) -> Callable[[Any], Any]:
        """Return cell values -> mean squared misfit at points x after so many steps.

        To it comes, where a weight is given, weight · (mean squared slope of the values).
        """
        points = flow.math.tensor(x[:, None], flow.instance("points"), flow.channel(vector="x"))
        target = flow.math.tensor(observed, flow.instance("points"))

        def loss(values: Any) -> Any:
            u = self.grid(values)
            for _ in range(steps):
                u = self.step(u)
            seen = flow.field.sample(u, flow.Point(points))
            misfit = flow.math.mean((seen - target) ** 2, "points")
            if not weight:
                return misfit
            slope = flow.field.spatial_gradient(self.grid(values), order=2)
            return misfit + weight * flow.math.mean(slope.values**2, "x,vector")

        return loss

    def trajectory(self, values: np.ndarray, steps: int) -> np.ndarray:
        """Return the states of a rollout, shape (cells, steps + 1)."""
        states = flow.iterate(self._compiled, flow.batch(time=steps), self.grid(wrap(values)))
        return states.values.numpy("x,time").astype(np.float64)

    @cached_property
    def _compiled(self) -> Callable[[Any], Any]:
        return flow.math.jit_compile(self.step)


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
        points, weight = np.asarray(seen.points[space.name]), run.config.prior
        loss = simulation.loss(points, seen.values, steps, weight)
    derivative = flow.math.jit_compile(flow.math.gradient(loss, "values"))
    details = run.config.library.details() | {"cells": cells, "dt": dt, "weight": weight}
    moments = time.lower + dt * np.arange(ceil(time.length / dt - 1e-9) + 1)

    def gradient(values: np.ndarray) -> tuple[float, np.ndarray]:
        value, slope = derivative(wrap(values))
        return float(value), slope.numpy("x").astype(np.float64)

    def solution(values: np.ndarray) -> Solution:
        states = {seen.field: simulation.trajectory(values, moments.size - 1)}
        predict = TrajectoryInterpolant(view.domain, view.domain.grid(cells), moments, states)
        return Solution(predict, weights={"initial": values}, parameters=cells, details=details)

    descent = Descent(run, gradient, np.zeros(cells), solution)
    try:
        stop = descent.begin()
    except RuntimeError as error:
        where = f"PhiFlow {details['version']} fails in 1-D on {run.backend}"
        raise UnsupportedError(f"{where}; use --backend jax; {error}") from error
    if not stop and run.config.preset == "matched":  # PhiFlow's `minimize` is SciPy's, but silent
        descent.by_lbfgs()
    elif not stop:
        descent.by_gradient(GD_STEPS, LEARNING_RATE)
    return descent.solution()
