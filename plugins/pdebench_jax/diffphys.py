"""Solver of `diffphys` in JAX."""

from typing import Any

import numpy as np

from pdebench_jax._stationary import MACHINE
from pdebench_jax._training import JaxFlatObjective, JaxTools
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.host import FlatObjective
from pdebench_methods.objectives import solver_in_the_loop
from pdebench_methods.objectives.diffphys import Fitting, fitting
from pdebench_methods.training import Minimiser, Stage, split, train


class DiffphysTools(JaxTools):
    """The common tools, and the Gauss–Newton search that the objective brings."""

    compiles = True
    machine = MACHINE

    def minimiser(
        self,
        stage: Stage,
        objective: Any,
        parameters: dict[str, np.ndarray],
        learning_rate: float,
    ) -> Minimiser:
        """Make the optimiser of a stage and compile its first step."""
        if stage.described.needs != "objective":
            return super().minimiser(stage, objective, parameters, learning_rate)
        return objective.gauss_newton(parameters, stage.inputs)

    def flat_objective(
        self,
        objective: Fitting,
        parameters: dict[str, np.ndarray],
        data: dict[str, Any],
    ) -> FlatObjective:
        """Return the residuals and their Jacobian as functions of one vector."""
        return JaxFlatObjective(self, objective, parameters, *split(data))


def solve(view: View, run: Run) -> Solution:
    """Fit unknowns through the solver, or learn to correct it over a family."""
    tools = DiffphysTools(run)
    if run.config.mode == "solver-in-the-loop":
        return solver_in_the_loop.solve(view, run, tools)
    with run.phase("data"):
        objective = fitting(view, run, tools)
    return train(run, objective, tools)
