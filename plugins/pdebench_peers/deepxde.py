"""Adapter `deepxde`: states the task in DeepXDE, trains with its optimisers, reports.

Periodicity is a penalty on the values and, on PyTorch, on the slopes too: DeepXDE's `PeriodicBC`
takes no derivative on JAX, and JAX has no L-BFGS there either. Its Nyström–Newton-CG, on PyTorch,
took 36 steps in 80 s after 90 s of `matched`, and the error stayed where L-BFGS had left it.
Redrawing points every 500 steps did not help L-BFGS (3.2e-3 after 2640 steps of seed 0, 1.5e-3 with
fixed points); Adam, all that there is on JAX, gains by it and a decaying rate (6.2e-3 after 6451
steps of seed 0, 2.3e-2 without).
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View
from pdebench_peers._statement import Statement
from pdebench_peers._training import LBFGS_CALL, Training, loaded_backend, seed_of
from pdebench_peers.settings import Recipe

ON_TORCH = loaded_backend() == "torch"
os.environ["DDE_BACKEND"] = "pytorch" if ON_TORCH else "jax"
import deepxde as dde  # noqa: E402

_NEVER = 1 << 60
_REDRAW = 500  # steps of Adam
_DECAY = ("exponential", 1000, 0.7)


def equation(statement: Statement) -> Callable[[Any, Any], list[Any]]:
    """Return the residuals as DeepXDE wants them: of points and outputs, (n,) each."""

    def values(found: Any) -> Any:  # on JAX outputs and derivatives are (values, function)
        return found[0] if isinstance(found, tuple) else found

    def pde(x: Any, y: Any) -> list[Any]:
        def derivative(field: int, suffix: str) -> Any:
            at = [statement.axes.index(axis) for axis in suffix]
            if not at:
                return values(y)[:, field]
            if len(at) == 1:
                return values(dde.grad.jacobian(y, x, i=field, j=at[0]))[:, 0]
            return values(dde.grad.hessian(y, x, component=field, i=at[0], j=at[1]))[:, 0]

        return statement.residuals(x, derivative)

    return pde


def _by_adam(recipe: Recipe) -> bool:
    """Say whether Adam goes on until the budget ends."""
    return recipe.hard and not ON_TORCH


def _model(statement: Statement) -> tuple[Any, list[float]]:
    """Return DeepXDE's model and the weights of its loss terms."""
    recipe, space, time = statement.recipe, statement.space, statement.time
    geometry = dde.geometry.GeometryXTime(
        dde.geometry.Interval(space.lower, space.upper),
        dde.geometry.TimeDomain(time.lower, time.upper),
    )
    on = lambda _, on_it: on_it  # noqa: E731

    def start(field: int) -> Callable[[np.ndarray], np.ndarray]:
        return lambda x: statement.initial(x)[:, field : field + 1]

    terms: list[Any] = []
    for i in range(len(statement.fields)):
        for order in () if recipe.hard else (0, 1) if ON_TORCH else (0,):
            terms.append(dde.icbc.PeriodicBC(geometry, 0, on, order, component=i))
        if statement.initial_state:
            terms.append(dde.icbc.IC(geometry, start(i), on, component=i))
    seen = statement.observed()
    weights = [1.0] * (statement.count + len(terms)) + [o.weight for o in seen]
    terms += [dde.icbc.PointSetBC(o.points, o.values, o.field) for o in seen]
    data = dde.data.TimePDE(
        geometry, equation(statement), terms, num_domain=recipe.points, num_boundary=recipe.sides,
        num_initial=recipe.initial,  # redrawn, Hammersley's points would be the same
        train_distribution="pseudo" if _by_adam(recipe) else "Hammersley",
    )  # fmt: skip
    net = dde.nn.FNN(statement.sizes, "tanh", f"Glorot {'uniform' if recipe.hard else 'normal'}")
    if statement.embedding:
        net.apply_feature_transform(statement.features)
    if statement.ansatz:
        net.apply_output_transform(statement.imposed)
    return dde.Model(data, net), weights


def solve(view: View, run: Run) -> Solution:
    """Train as configured: Adam, then L-BFGS on PyTorch, until the recipe or the budget ends."""
    recipe = run.config.recipe
    dde.config.set_default_float(run.dtype)
    if ON_TORCH:
        dde.backend.torch.set_default_device(run.device)  # DeepXDE took any GPU that it saw
    dde.config.set_random_seed(seed_of(run))
    with run.phase("data"):
        statement = Statement(view, view.domain.names, recipe)
        model, weights = _model(statement)

    def layers() -> Any:
        if ON_TORCH:
            return model.net.linears
        named = model.params[0]["params"]
        return [named[f"denses_{i}"] for i in range(len(named))]

    training = Training(run, statement, model.predict, layers)

    class Reports(dde.callbacks.Callback):
        def on_epoch_begin(self) -> None:
            training.before(model.opt)

        def on_epoch_end(self) -> None:
            tested = model.losshistory.steps[-1] == model.train_state.step
            loss = float(np.sum(model.train_state.loss_train)) if tested else None
            model.stop_training |= training.after(loss, model.opt)

    endless = _by_adam(recipe)
    callbacks = [Reports(), *([dde.callbacks.PDEPointResampler(_REDRAW)] if endless else [])]

    def train(iterations: int | None = None) -> bool:
        model.train(iterations, display_every=_NEVER, callbacks=callbacks, verbose=0)
        return not model.stop_training

    decay = _DECAY if endless else None
    with run.phase("compile"):
        model.compile("adam", recipe.learning_rate, loss_weights=weights, decay=decay, verbose=0)
    if training.begin():
        return training.solution()
    with run.phase("compile"):
        going = train(1)
    if going and recipe.steps > 1:
        going = train(_NEVER if endless else recipe.steps - 1)
    if going and ON_TORCH:
        dde.optimizers.set_LBFGS_options(maxiter=_NEVER if recipe.hard else 15000)
        dde.optimizers.LBFGS_options.update(iter_per_step=LBFGS_CALL, fun_per_step=_NEVER)
        model.compile("L-BFGS", loss_weights=weights, verbose=0)
        train()
    return training.solution()
