"""Adapter `pina`: states the task in PINA, trains by its Trainer, reports.

PINA states periodicity by an embedding of its own (`PeriodicBoundaryEmbedding`, its tutorial on
periodic conditions), so the documented recipe has it in the place of Dirichlet penalties.
"""

import logging
from typing import Any

import torch
from lightning.pytorch.callbacks import LambdaCallback
from pina import Condition, LabelTensor, Trainer
from pina.callback import R3Refinement, SwitchOptimizer
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
from pdebench_peers._progress import Progress
from pdebench_peers._statement import Statement

_ENDLESS = {"max_eval": 1 << 60, "tolerance_grad": 0.0, "tolerance_change": 0.0}
_REFINE_EVERY = 25  # epochs: 25 steps of Adam, 500 of L-BFGS
_QUIET = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")


def equation(statement: Statement) -> Equation:
    """Return the residuals as PINA wants them: of labelled points and outputs, (n, residuals)."""

    def residual(at: LabelTensor, outputs: LabelTensor) -> torch.Tensor:
        derivative = statement.one_by_one(
            lambda field: outputs.extract([statement.fields[field]]),
            lambda lower, axis: grad(lower, at, d=[axis]),
        )
        columns = at.extract(list(statement.axes)).tensor
        found = statement.residuals(columns, lambda *d: derivative(*d).tensor[:, 0])
        return torch.stack(found, -1)

    return Equation(residual)


def _problem(statement: Statement) -> Any:
    """Return PINA's problem with its points drawn."""
    names, axes, recipe = list(statement.fields), list(statement.axes), statement.recipe
    x, t = statement.space, statement.time
    space, time = (CartesianDomain({axis.name: [axis.lower, axis.upper]}) for axis in (x, t))

    def initial_gap(at: LabelTensor, outputs: LabelTensor) -> torch.Tensor:
        return outputs.tensor - statement.initial(at.extract(axes).tensor)

    class Stated(TimeDependentProblem, SpatialProblem):
        output_variables = names
        spatial_domain, temporal_domain = space, time
        domains = {"inside": space.update(time)}  # noqa: RUF012
        conditions = {  # noqa: RUF012
            "residual": Condition(domain="inside", equation=equation(statement))
        }

    if statement.initial_state:
        Stated.domains["start"] = space.update(CartesianDomain({t.name: t.lower}))
        Stated.conditions["initial"] = Condition(domain="start", equation=Equation(initial_gap))
    for field, points, values, _ in statement.observed():
        Stated.conditions[f"observed{field}"] = Condition(
            input=LabelTensor(torch.as_tensor(points), axes),
            target=LabelTensor(torch.as_tensor(values), [names[field]]),
        )
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
        for layer in self.linear() if self.hard else ():  # as `pinn` begins
            torch.nn.init.xavier_uniform_(layer.weight)
            torch.nn.init.zeros_(layer.bias)

    def linear(self) -> list[torch.nn.Linear]:
        """Return the layers that have weights."""
        return [x for x in self.layers.modules() if isinstance(x, torch.nn.Linear)]

    def forward(self, at: LabelTensor) -> torch.Tensor:
        """Return the fields, (n, fields)."""
        if self.hard:
            outputs = self.layers(self.statement.features(at.tensor))
            return self.statement.imposed(at.tensor, outputs)
        features = (self.periodic(at), at.extract([self.statement.time.name]))
        return self.layers(torch.cat([feature.tensor for feature in features], -1))


def solve(view: View, run: Run) -> Solution:
    """Train as configured: Adam, with `matched` then L-BFGS, until recipe or budget ends."""
    recipe, device = run.config.recipe, torch.device(run.device)
    torch.set_default_device("cpu")  # Lightning moves to the device what it trains
    torch.manual_seed(int(run.rng("seed").integers(2**31)))
    with run.phase("data"):
        statement = Statement(view, view.domain.names, recipe)
        if not recipe.hard:
            view.embedding()  # PINA's own is used: the record says that periodicity is built in
        problem, network = _problem(statement), Network(statement)
    weights = {f"observed{field}": weight for field, *_, weight in statement.observed()}
    adam = TorchOptimizer(torch.optim.Adam, lr=recipe.learning_rate)
    solver = PhysicsInformedSingleModelSolver(
        problem, network, adam, weighting=ScalarWeighting(weights)
    )

    def predict(columns: Any) -> Any:
        at = torch.as_tensor(columns, dtype=getattr(torch, run.dtype), device=device)
        with torch.no_grad():  # training ends on the host
            return network.to(device)(LabelTensor(at, list(statement.axes))).cpu().numpy()

    def candidate() -> Solution:
        layers = ((x.weight.detach().cpu(), x.bias.detach().cpu()) for x in network.linear())
        return statement.solution(predict, layers, run.config.library)

    def after(trainer: Trainer, module: Any) -> None:
        loss = trainer.callback_metrics["train_loss"]
        trainer.should_stop |= progress.after(trainer.optimizers[0], loss)

    if run.report(0, None, candidate):
        return candidate()
    progress = Progress(run, candidate)
    callbacks = [
        LambdaCallback(
            on_train_epoch_start=lambda trainer, _: progress.before(trainer.optimizers[0]),
            on_train_epoch_end=after,
        )
    ]
    if recipe.hard:
        lbfgs = {"history_size": 100, "line_search_fn": "strong_wolfe", **_ENDLESS}
        second = TorchOptimizer(torch.optim.LBFGS, **lbfgs)
        callbacks[:0] = [
            SwitchOptimizer(second, recipe.steps),
            R3Refinement(_REFINE_EVERY, condition_to_update="residual"),
        ]
    logging.getLogger("lightning.pytorch.utilities.rank_zero").setLevel(logging.WARNING)
    Trainer(
        solver,
        max_epochs=-1 if recipe.hard else recipe.steps,
        accelerator="gpu" if device.type == "cuda" else "cpu",
        devices=[device.index or 0] if device.type == "cuda" else 1,
        callbacks=callbacks,
        **dict.fromkeys(_QUIET, False),
    ).train()
    return candidate()
