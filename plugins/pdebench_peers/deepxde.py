"""Adapter `deepxde`: states the task in DeepXDE, trains with its optimisers, reports.

Periodicity is a penalty on the values and, on PyTorch, on the slopes too: DeepXDE's `PeriodicBC`
takes no derivative on JAX, and JAX has no L-BFGS there either.
"""

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_peers._statement import Statement
from pdebench_peers._training import LBFGS_CALL, Training, loaded_backend, seed_of

ON_TORCH = loaded_backend() == "torch"
os.environ["DDE_BACKEND"] = "pytorch" if ON_TORCH else "jax"
import deepxde as dde  # noqa: E402

_NEVER = 1 << 60
_REDRAW = 500  # steps of Adam
_DECAY = ("exponential", 1000, 0.7)


def equation(statement: Statement, raw: dict[str, Any]) -> Callable[..., list[Any]]:
    """Return the residuals as DeepXDE wants them: of points and outputs, (n,) each.

    What is trained in the place of coefficients, `raw`, is handed in again on JAX.
    """

    def values(found: Any) -> Any:  # on JAX outputs and derivatives are (values, function)
        return found[0] if isinstance(found, tuple) else found

    def pde(x: Any, y: Any, unknowns: Any = None) -> list[Any]:
        def derivative(field: int, suffix: str) -> Any:
            at = [statement.axes.index(axis) for axis in suffix]
            if not at:
                return values(y)[:, field]
            if len(at) == 1:
                return values(dde.grad.jacobian(y, x, i=field, j=at[0]))[:, 0]
            return values(dde.grad.hessian(y, x, component=field, i=at[0], j=at[1]))[:, 0]

        now = raw if unknowns is None else dict(zip(raw, unknowns, strict=True))
        return statement.residuals(x, derivative, now)

    return (lambda x, y: pde(x, y)) if ON_TORCH else pde  # DeepXDE counts the arguments


def _model(statement: Statement, raw: dict[str, Any], redrawn: bool) -> tuple[Any, list[float]]:
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
        geometry, equation(statement, raw), terms,
        num_domain=recipe.points, num_boundary=recipe.sides, num_initial=recipe.initial,
        anchors=None if recipe.hard or not seen else np.concatenate([o.points for o in seen]),
        train_distribution="pseudo" if redrawn else "Hammersley",  # which would be the same again
    )  # fmt: skip
    net = dde.nn.FNN(statement.sizes, "tanh", f"Glorot {recipe.glorot}")
    if statement.embedding:
        net.apply_feature_transform(statement.features)
    if statement.ansatz:
        net.apply_output_transform(statement.imposed)
    return dde.Model(data, net), weights


def solve(view: View, run: Run) -> Solution:
    """Train as configured: Adam, then L-BFGS on PyTorch, until the recipe or the budget ends."""
    recipe = run.config.recipe(view.unknowns)
    endless = recipe.hard and not ON_TORCH  # Adam goes on until the budget ends
    dde.config.set_default_float(run.dtype)
    if ON_TORCH:
        dde.backend.torch.set_default_device(run.device)  # DeepXDE took any GPU that it saw
    dde.config.set_random_seed(seed_of(run))
    with run.phase("data"):
        statement = Statement(view, view.domain.names, recipe)
        real = dde.config.real(dde.backend.lib)
        raw = {name: dde.Variable(start, real) for name, start in statement.start.items()}
        model, weights = _model(statement, raw, endless)
    common = {"loss_weights": weights, "external_trainable_variables": [*raw.values()]}

    def layers() -> Any:
        if ON_TORCH:
            return model.net.linears
        named = model.params[0]["params"]
        return [named[f"denses_{i}"] for i in range(len(named))]

    now = lambda: {k: v if ON_TORCH else v.value for k, v in raw.items()}  # noqa: E731
    training = Training(run, statement, model.predict, layers, now)

    class Reports(dde.callbacks.Callback):
        def on_epoch_begin(self) -> None:
            training.before(model.opt)

        def on_epoch_end(self) -> None:
            tested = model.losshistory.steps[-1] == model.train_state.step
            loss = float(np.sum(model.train_state.loss_train)) if tested else None
            model.stop_training |= training.after(loss, model.opt)

    callbacks = [Reports(), *([dde.callbacks.PDEPointResampler(_REDRAW)] if endless else [])]

    def train(iterations: int | None = None) -> bool:
        model.train(iterations, display_every=_NEVER, callbacks=callbacks, verbose=0)
        return not model.stop_training

    decay = _DECAY if endless else None
    with run.phase("compile"):
        model.compile("adam", recipe.learning_rate, decay=decay, verbose=0, **common)
    if training.begin():
        return training.solution()
    with run.phase("compile"):
        going = train(1)
    if going and recipe.steps > 1:
        going = train(_NEVER if endless else recipe.steps - 1)
    if going and ON_TORCH and recipe.lbfgs:
        dde.optimizers.set_LBFGS_options(maxiter=_NEVER if recipe.hard else 15000)
        dde.optimizers.LBFGS_options.update(iter_per_step=LBFGS_CALL, fun_per_step=_NEVER)
        model.compile("L-BFGS", verbose=0, **common)
        train()
    return training.solution()
