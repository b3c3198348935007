"""Solver of `diffphys` in PyTorch."""

from typing import Any

import numpy as np
import torch

from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.host import FlatObjective
from pdebench_methods.objectives import solver_in_the_loop
from pdebench_methods.objectives.diffphys import Fitting, fitting
from pdebench_methods.training import Minimiser, Stage, split, train
from pdebench_torch._cuda_graph import Tensors
from pdebench_torch._stationary import MACHINE, forward_jacobian
from pdebench_torch._training import TorchFlatObjective, TorchTools


class DiffphysTools(TorchTools):
    """The common tools, and the Gauss–Newton search that the objective brings."""

    compiles = False
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
        return _InReverse(self, objective, parameters, *split(data))


class _InReverse(TorchFlatObjective):
    """Residuals whose Jacobian comes row by row where they are fewer than the parameters.

    A copy of the rollout for each residual runs as a leading axis, so that one reverse pass gives
    all rows. That takes a fraction of the time of `torch.func.jacfwd`, whose cost is in dispatching
    the many small operations of a step.
    """

    def _linearised(self, at: Tensors, data: Tensors) -> tuple[torch.Tensor, ...]:
        if self._objective.implicit:
            return forward_jacobian(lambda copies: self._of(copies, data), at["x"])
        (r,) = self._residual(at, data)
        if r.numel() > at["x"].numel():
            return super()._linearised(at, data)
        with torch.enable_grad():
            copies = at["x"].detach().repeat(r.numel(), 1).requires_grad_()
            (rows,) = torch.autograd.grad(self._of(copies, data).diagonal().sum(), copies)
        return r, rows

    def _named(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the named parameters; leading axes are kept."""
        sizes = [where.stop - where.start for where, _ in self._places.values()]
        return dict(zip(self._places, torch.split(x, sizes, dim=-1), strict=True))


def solve(view: View, run: Run) -> Solution:
    """Fit unknowns through the solver, or learn to correct it over a family."""
    tools = DiffphysTools(run)
    if run.config.mode == "solver-in-the-loop":
        return solver_in_the_loop.solve(view, run, tools)
    with run.phase("data"):
        objective = fitting(view, run, tools)
    return train(run, objective, tools)
