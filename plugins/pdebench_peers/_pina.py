"""Solver of `pina`: states the task in PINA, trains by its Trainer, reports.

PINA states periodicity by an embedding of its own (`PeriodicBoundaryEmbedding`, its tutorial on
periodic conditions), so the documented recipe has it in the place of Dirichlet penalties.
"""

import logging
from typing import Any

import torch
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
from pdebench_peers._torch import LBFGS, layers, reports
from pdebench_peers.pina import DISTRIBUTION, DOCUMENTED

_QUIET = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")


def equation(statement: Statement) -> Equation:
    """Return the residuals as PINA wants them: of labelled points and outputs, (n, residuals)."""

    def residual(at: Any, outputs: Any) -> torch.Tensor:
        labelled = statement.one_by_one(
            lambda field: outputs.extract([statement.fields[field]]),
            lambda lower, axis: grad(lower, at, d=[axis]),
        )
        columns = _plain(at.extract(list(statement.axes)))
        return torch.stack(statement.residuals(columns, lambda *d: _plain(labelled(*d))[:, 0]), -1)

    return Equation(residual)


def _plain(tensor: Any) -> torch.Tensor:
    return tensor.as_subclass(torch.Tensor)


def _problem(statement: Statement) -> Any:
    """Return PINA's problem with its points drawn."""
    names, axes, recipe = list(statement.fields), list(statement.axes), statement.recipe
    x, t = statement.space, statement.time
    space, time = (CartesianDomain({axis.name: [axis.lower, axis.upper]}) for axis in (x, t))

    def initial_gap(at: Any, outputs: Any) -> torch.Tensor:
        return _plain(outputs) - statement.initial(_plain(at.extract(axes)))

    inside = {"inside": space.update(time)}
    stated: dict[str, Any] = {"residual": Condition(domain="inside", equation=equation(statement))}
    if statement.initial_state:
        inside["start"] = space.update(CartesianDomain({t.name: t.lower}))
        stated["initial"] = Condition(domain="start", equation=Equation(initial_gap))
    for field, points, values, _ in statement.observed():
        stated[f"observed{field}"] = Condition(
            input=LabelTensor(torch.as_tensor(points), axes),
            target=LabelTensor(torch.as_tensor(values), [names[field]]),
        )

    class Stated(TimeDependentProblem, SpatialProblem):
        output_variables = names
        spatial_domain, temporal_domain = space, time
        domains, conditions = inside, stated

    problem: Any = Stated()
    if recipe.hard:
        problem.discretise_domain(recipe.points, "lh", domains=["inside"])
    else:  # as documented: ten times more points in time than in space
        nx = max(1, round((recipe.points / 10) ** 0.5))
        counts = {x.name: nx, t.name: max(1, recipe.points // nx)}
        rules = {axis: {"n": n, "mode": "grid"} for axis, n in counts.items()}
        problem.discretise_domain(domains=["inside"], sample_rules=rules)
    if statement.initial_state:
        problem.discretise_domain(recipe.initial, "random", domains=["start"])
    return problem


class Network(torch.nn.Module):
    """PINA's feed-forward network between the task's embedding and ansatz, or PINA's embedding."""

    def __init__(self, statement: Statement) -> None:
        super().__init__()
        self.statement, self.hard, space = statement, statement.recipe.hard, statement.space
        self.periodic = PeriodicBoundaryEmbedding(1, {space.name: space.length})
        inputs, *hidden, fields = statement.sizes
        activation = torch.nn.Tanh if self.hard else torch.nn.Softplus
        inputs = inputs if self.hard else 4  # 1, cos, sin, and time
        self.layers = FeedForward(inputs, fields, layers=hidden, func=activation)

    def forward(self, at: Any) -> torch.Tensor:
        """Return the fields, (n, fields), at labelled points."""
        if self.hard:
            columns = _plain(at)
            return self.statement.imposed(columns, self.layers(self.statement.features(columns)))
        features = (self.periodic(at), at.extract([self.statement.time.name]))
        return self.layers(torch.cat([_plain(feature) for feature in features], -1))


def solve(view: View, run: Run) -> Solution:
    """Train as configured: Adam, with `matched` then L-BFGS, until recipe or budget ends."""
    recipe = run.config.recipe(DOCUMENTED)
    torch.manual_seed(int(run.rng("seed").integers(2**31)))
    with run.phase("data"):
        statement = Statement(view, view.domain.names, recipe)
        if not recipe.hard:
            view.embedding()  # PINA's own is used: the record says that periodicity is built in
        problem, network = _problem(statement), Network(statement)
    adam = TorchOptimizer(torch.optim.Adam, lr=1e-3 if recipe.hard else 6e-3)
    weights = {f"observed{field}": weight for field, *_, weight in statement.observed()}
    scalar = ScalarWeighting(weights)
    solver = PhysicsInformedSingleModelSolver(problem, network, adam, weighting=scalar)

    def predict(columns: Any) -> Any:
        at = torch.as_tensor(columns, dtype=getattr(torch, run.dtype), device=run.device)
        with torch.no_grad():
            return network.to(run.device)(LabelTensor(at, list(statement.axes))).cpu().numpy()

    def candidate() -> Solution:
        return statement.solution(predict, layers(network.layers), "PINA", DISTRIBUTION)

    if run.report(0, None, candidate):
        return candidate()
    callbacks = [reports(run, candidate)]
    if recipe.hard:
        second = TorchOptimizer(torch.optim.LBFGS, **LBFGS)
        callbacks.append(SwitchOptimizer(second, recipe.adam_steps))
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    cuda = run.device.startswith("cuda")
    Trainer(
        solver,
        max_epochs=-1 if recipe.hard else recipe.adam_steps,
        accelerator="gpu" if cuda else "cpu",
        devices=[torch.device(run.device).index or 0] if cuda else 1,
        callbacks=callbacks,
        **dict.fromkeys(_QUIET, False),
    ).train()
    return candidate()
