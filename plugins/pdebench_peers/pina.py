"""Adapter `pina`: states the task in PINA, trains by its Trainer, reports.

PINA states periodicity by an embedding of its own (`PeriodicBoundaryEmbedding`, its tutorial on
periodic conditions), so the documented recipe has it in the place of Dirichlet penalties. Sought
coefficients are parameters of the network: those of PINA's `InverseProblem` would stay where they
are when its `SwitchOptimizer` brings L-BFGS in. Nor do they have bounds, which that class wants and
no task states.
"""

from collections.abc import Mapping
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

from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_peers._layers import glorot_torch
from pdebench_peers._statement import Statement
from pdebench_peers._training import Training, seed_of

_LBFGS = {"history_size": 100, "line_search_fn": "strong_wolfe", "max_eval": 1 << 60}
_ENDLESS = {"tolerance_grad": 0.0, "tolerance_change": 0.0}
_REFINE_EVERY = 25  # epochs: 25 steps of Adam, 500 of L-BFGS
_QUIET = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")


def _labelled(values: Any, labels: Any) -> LabelTensor:
    return LabelTensor(torch.as_tensor(values, dtype=torch.get_default_dtype()), list(labels))


def equation(statement: Statement, raw: Mapping[str, Any]) -> Equation:
    """Return the residuals as PINA wants them: of labelled points and outputs, (n, residuals)."""

    def residual(at: LabelTensor, outputs: LabelTensor) -> torch.Tensor:
        derivative = statement.one_by_one(
            lambda field: outputs.extract([statement.fields[field]]),
            lambda lower, axis: grad(lower, at, d=[axis]),
        )
        columns = at.extract(list(statement.axes)).tensor
        found = statement.residuals(columns, lambda *d: derivative(*d).tensor[:, 0], raw)
        return torch.stack(found, -1)

    return Equation(residual)


def _problem(statement: Statement, raw: Mapping[str, Any]) -> Any:
    """Return PINA's problem with its points drawn."""
    fields, axes, recipe = list(statement.fields), list(statement.axes), statement.recipe
    x, t = statement.space, statement.time
    space, time = (CartesianDomain({a.name: [a.lower, a.upper]}) for a in (x, t))
    domains = {"inside": space.update(time)}
    conditions = {"residual": Condition(domain="inside", equation=equation(statement, raw))}
    if statement.initial_state:
        gap = Equation(lambda at, u: u.tensor - statement.initial(at.extract(axes).tensor))
        domains["start"] = space.update(CartesianDomain({t.name: t.lower}))
        conditions["initial"] = Condition(domain="start", equation=gap)
    for o in statement.observed():
        target = _labelled(o.values, [fields[o.field]])
        conditions[o.name] = Condition(input=_labelled(o.points, axes), target=target)
    words = {"spatial_domain": space, "temporal_domain": time, "output_variables": fields}
    words |= {"domains": domains, "conditions": conditions}
    stated = type("Stated", (TimeDependentProblem, SpatialProblem), words)()
    if recipe.hard:
        stated.discretise_domain(recipe.points, "lh", domains=["inside"])
    else:  # as documented: ten times more points in time than in space, or as many
        nx = max(1, round((recipe.points / (1 if statement.sought else 10)) ** 0.5))
        counts = {x.name: nx, t.name: max(1, recipe.points // nx)}
        rules = {axis: {"n": n, "mode": "grid"} for axis, n in counts.items()}
        stated.discretise_domain(domains=["inside"], sample_rules=rules)
    if statement.initial_state:
        stated.discretise_domain(recipe.initial, "random", domains=["start"])
    return stated


class Network(torch.nn.Module):
    """PINA's feed-forward network between the task's embedding and ansatz, or PINA's embedding."""

    def __init__(self, statement: Statement, sought: torch.nn.ParameterDict) -> None:
        super().__init__()
        self.statement, self.hard, space = statement, statement.recipe.hard, statement.space
        inputs, *hidden, fields = statement.sizes
        self.sought = sought
        if self.hard:
            self.layers = FeedForward(inputs, fields, layers=hidden, func=torch.nn.Tanh)
            glorot_torch(self.layers.model)
        else:  # the inputs are 1, cos, sin and time
            self.periodic = PeriodicBoundaryEmbedding(1, {space.name: space.length})
            self.layers = FeedForward(4, fields, layers=hidden, func=torch.nn.Softplus)

    def forward(self, at: LabelTensor) -> torch.Tensor:
        """Return the fields, (n, fields)."""
        if self.hard:
            outputs = self.layers(self.statement.features(at.tensor))
            return self.statement.imposed(at.tensor, outputs)
        time = at.extract([self.statement.time.name])
        return self.layers(torch.cat([self.periodic(at).tensor, time.tensor], -1))


def solve(view: View, run: Run) -> Solution:
    """Train as configured: Adam, with `matched` then L-BFGS, until recipe or budget ends."""
    recipe, device = run.config.recipe(view.unknowns), torch.device(run.device)
    torch.set_default_device("cpu")  # Lightning moves to the device what it trains
    torch.manual_seed(seed_of(run))
    with run.phase("data"):
        statement = Statement(view, view.domain.names, recipe)
        if not recipe.hard:
            view.embedding()  # PINA's own is used: the record says that periodicity is built in
        start = {name: torch.tensor(value) for name, value in statement.start.items()}
        raw = torch.nn.ParameterDict(start)
        stated, network = _problem(statement, raw), Network(statement, raw)
    adam = TorchOptimizer(torch.optim.Adam, lr=recipe.learning_rate)
    weights = ScalarWeighting({o.name: o.weight for o in statement.observed()})
    solver = PhysicsInformedSingleModelSolver(stated, network, adam, weighting=weights)

    @torch.no_grad()
    def predict(columns: Any) -> Any:
        return network.to(device)(_labelled(columns, statement.axes).to(device))

    def after(trainer: Trainer, _: Any) -> None:
        loss = trainer.callback_metrics["train_loss"]
        trainer.should_stop |= training.after(loss, trainer.optimizers[0])

    training = Training(run, statement, predict, lambda: network.layers.model, lambda: raw)
    before = lambda trainer, _: training.before(trainer.optimizers[0])  # noqa: E731
    callbacks = [LambdaCallback(on_train_epoch_start=before, on_train_epoch_end=after)]
    if recipe.hard:
        lbfgs = TorchOptimizer(torch.optim.LBFGS, **_LBFGS, **_ENDLESS)
        refinement = R3Refinement(_REFINE_EVERY, condition_to_update="residual")
        callbacks = [SwitchOptimizer(lbfgs, recipe.steps), refinement, *callbacks]
    if not training.begin():
        devices = [device.index or 0] if device.type == "cuda" else 1
        where = {"accelerator": device.type, "devices": devices, **dict.fromkeys(_QUIET, False)}
        epochs = -1 if recipe.hard else recipe.steps
        Trainer(solver, max_epochs=epochs, callbacks=callbacks, **where).train()
    return training.solution()
