"""Solver of `pina`: states the task in PINA, trains by its Trainer, reports.

PINA states periodicity by an embedding of its own (`PeriodicBoundaryEmbedding`, its tutorial on
periodic conditions), so the documented recipe has it in the place of Dirichlet penalties.
"""

import importlib.metadata
import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from pina import Condition, LabelTensor, Trainer
from pina.callback import SwitchOptimizer
from pina.domain import CartesianDomain
from pina.equation import Equation
from pina.model import FeedForward
from pina.model.block import PeriodicBoundaryEmbedding
from pina.operator import grad
from pina.optim import TorchOptimizer
from pina.problem import SpatialProblem, TimeDependentProblem
from pina.solver import PhysicsInformedSingleModelSolver
from pina.weighting import ScalarWeighting

from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View
from pdebench_peers._statement import Statement
from pdebench_peers._torch import LBFGS, Counts, layers
from pdebench_peers.pina import DISTRIBUTION, DOCUMENTED
from pdebench_peers.settings import Recipe


def equation(statement: Statement) -> Equation:
    """Return the residuals as PINA wants them: of labelled points and outputs, (n, residuals)."""

    def residual(input_: Any, output_: Any) -> torch.Tensor:
        taken: dict[tuple[int, str], Any] = {}

        def labelled(field: int, suffix: str) -> Any:
            if not suffix:
                return output_.extract([statement.fields[field]])
            if (field, suffix) not in taken:  # u_x serves u_xx too
                lower = labelled(field, suffix[:-1])
                taken[field, suffix] = grad(lower, input_, d=[suffix[-1]])
            return taken[field, suffix]

        columns = _plain(input_.extract(list(statement.axes)))
        found = statement.residuals(columns, lambda f, s: _plain(labelled(f, s))[:, 0])
        return torch.stack(found, -1)

    return Equation(residual)


def _plain(tensor: Any) -> torch.Tensor:
    return tensor.as_subclass(torch.Tensor)


def _problem(statement: Statement, recipe: Recipe) -> Any:
    """Return PINA's problem with its points drawn."""
    space, time = (
        CartesianDomain({axis.name: [axis.lower, axis.upper]})
        for axis in (statement.space, statement.time)
    )
    start = CartesianDomain({statement.time.name: statement.time.lower})

    def initial_gap(input_: Any, output_: Any) -> torch.Tensor:
        columns = _plain(input_.extract(list(statement.axes)))
        return _plain(output_) - statement.initial(columns)

    inside = {"inside": space.update(time)}
    stated: dict[str, Any] = {"residual": Condition(domain="inside", equation=equation(statement))}
    if statement.initial_state:
        inside["start"] = space.update(start)
        stated["initial"] = Condition(domain="start", equation=Equation(initial_gap))
    for field, points, values, _ in statement.observed():
        stated[f"observed{field}"] = Condition(
            input=LabelTensor(torch.as_tensor(points), list(statement.axes)),
            target=LabelTensor(torch.as_tensor(values), [statement.fields[field]]),
        )

    names = list(statement.fields)

    class Stated(TimeDependentProblem, SpatialProblem):
        output_variables = names
        spatial_domain, temporal_domain = space, time
        domains, conditions = inside, stated

    problem: Any = Stated()
    if recipe.hard:
        problem.discretise_domain(recipe.points, "lh", domains=["inside"])
    else:  # as documented: ten times more points in time than in space
        nx = max(1, round((recipe.points / 10) ** 0.5))
        rules = {space.variables[0]: nx, time.variables[0]: max(1, recipe.points // nx)}
        problem.discretise_domain(
            domains=["inside"],
            sample_rules={axis: {"n": n, "mode": "grid"} for axis, n in rules.items()},
        )
    if statement.initial_state:
        problem.discretise_domain(recipe.initial, "random", domains=["start"])
    return problem


class Network(torch.nn.Module):
    """PINA's feed-forward network between the task's embedding and ansatz, or PINA's embedding."""

    def __init__(self, statement: Statement, recipe: Recipe) -> None:
        super().__init__()
        self.statement, self.hard = statement, recipe.hard
        space = statement.space
        self.periodic = PeriodicBoundaryEmbedding(1, {space.name: space.length})
        self.layers = FeedForward(
            statement.inputs if recipe.hard else 4,  # 1, cos, sin, and time
            len(statement.fields),
            layers=list(recipe.hidden),
            func=torch.nn.Tanh if recipe.hard else torch.nn.Softplus,
        )

    def forward(self, x: Any) -> torch.Tensor:
        """Return the fields, (n, fields), at labelled points."""
        columns = _plain(x)
        if not self.hard:
            features = [_plain(self.periodic(x)), _plain(x.extract([self.statement.time.name]))]
            return self.layers(torch.cat(features, -1))
        outputs = self.layers(self.statement.features(columns))
        return self.statement.imposed(columns, outputs)


class _Reports(Callback):
    """Reports after every epoch, which is one call of the optimiser, and stops in time."""

    def __init__(self, run: Run, candidate: Callable[[], Solution]) -> None:
        self.run, self.candidate, self.counts = run, candidate, Counts(run)

    def on_train_epoch_start(self, trainer: Any, solver: Any) -> None:
        self.counts.before_call(trainer.optimizers[0])

    def on_train_epoch_end(self, trainer: Any, solver: Any) -> None:
        converged = self.counts.after_call(trainer.optimizers[0])
        loss = trainer.callback_metrics["train_loss"]
        stop = self.run.report(self.counts.steps, loss, self.candidate, self.counts.evaluations)
        trainer.should_stop |= stop or converged


def solve(view: View, run: Run) -> Solution:
    """Train as configured: Adam, with `matched` then L-BFGS, until recipe or budget ends."""
    recipe = run.config.recipe(DOCUMENTED)
    torch.manual_seed(int(run.rng("seed").integers(2**31)))
    with run.phase("data"):
        statement = Statement(view, view.domain.names, recipe)
        if not recipe.hard:
            view.embedding()  # PINA's own is used: the record says that periodicity is built in
        problem, network = _problem(statement, recipe), Network(statement, recipe)
    observed = {f"observed{field}": weight for field, _, _, weight in statement.observed()}
    solver = PhysicsInformedSingleModelSolver(
        problem,
        network,
        TorchOptimizer(torch.optim.Adam, lr=1e-3 if recipe.hard else 6e-3),
        weighting=ScalarWeighting(observed),
    )
    details = {"library": "PINA", "version": importlib.metadata.version(DISTRIBUTION)}

    def predict(columns: np.ndarray) -> np.ndarray:
        points = LabelTensor(
            torch.as_tensor(columns, dtype=getattr(torch, run.dtype), device=run.device),
            list(statement.axes),
        )
        with torch.no_grad():
            return network.to(run.device)(points).cpu().numpy()

    def candidate() -> Solution:
        return statement.solution(predict, list(layers(network.layers)), details)

    if run.report(0, None, candidate):
        return candidate()
    callbacks: list[Callback] = [_Reports(run, candidate)]
    if recipe.hard:
        second = TorchOptimizer(torch.optim.LBFGS, **LBFGS)
        callbacks.append(SwitchOptimizer(second, recipe.adam_steps))
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    cuda = run.device.startswith("cuda")
    trainer = Trainer(
        solver,
        max_epochs=-1 if recipe.hard else recipe.adam_steps,
        accelerator="gpu" if cuda else "cpu",
        devices=[int(run.device.partition(":")[2] or 0)] if cuda else 1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=callbacks,
    )
    trainer.train()
    return candidate()
