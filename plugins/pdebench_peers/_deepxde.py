"""Solver of `deepxde`: states the task in DeepXDE, trains with its optimisers, reports.

Periodicity is a penalty on the values and, on PyTorch, on the slopes too: DeepXDE's `PeriodicBC`
takes no derivative on JAX, and JAX has no L-BFGS there either.
"""

import io
import os
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import numpy as np

from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View
from pdebench_peers._statement import Statement
from pdebench_peers.deepxde import DISTRIBUTION, DOCUMENTED

_CHUNK = 50  # L-BFGS iterations between reports
_NEVER = 1 << 60


def library(backend: str, dtype: str, device: str = "cpu", seed: int = 0) -> Any:
    """Import DeepXDE; it reads its backend from the environment and prints while it does so."""
    os.environ["DDE_BACKEND"] = "pytorch" if backend == "torch" else backend
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        import deepxde

        deepxde.config.set_default_float(dtype)
    if backend == "torch":
        import torch

        torch.set_default_device(device)  # DeepXDE takes any GPU that it sees
    deepxde.config.set_random_seed(seed)
    return deepxde


def equation(dde: Any, statement: Statement) -> Any:
    """Return the residuals as DeepXDE wants them: of points and outputs, (n,) each."""
    pair = dde.backend.backend_name == "jax"  # there y and its derivatives are (values, function)

    def pde(x: Any, y: Any) -> list[Any]:
        def derivative(field: int, suffix: str) -> Any:
            at = [statement.axes.index(axis) for axis in suffix]
            if not at:
                return (y[0] if pair else y)[:, field]
            if len(at) == 1:
                found = dde.grad.jacobian(y, x, i=field, j=at[0])
            else:
                found = dde.grad.hessian(y, x, component=field, i=at[0], j=at[1])
            return (found[0] if pair else found)[:, 0]

        return statement.residuals(x, derivative)

    return pde


def _model(dde: Any, statement: Statement) -> tuple[Any, Any]:
    """Return DeepXDE's model and the weights of its loss terms."""
    recipe, space = statement.recipe, statement.space
    geometry = dde.geometry.GeometryXTime(
        dde.geometry.Interval(space.lower, space.upper),
        dde.geometry.TimeDomain(statement.time.lower, statement.time.upper),
    )
    everywhere = lambda x, on_it: on_it  # noqa: E731
    orders = (0, 1) if dde.backend.backend_name == "pytorch" else (0,)
    soft: list[Any] = []
    for i in range(len(statement.fields)):
        if not recipe.hard:
            soft += [
                dde.icbc.PeriodicBC(geometry, 0, everywhere, derivative_order=order, component=i)
                for order in orders
            ]
        if statement.initial_state:
            soft.append(dde.icbc.IC(geometry, _start(statement, i), everywhere, component=i))
    observed = statement.observed()
    data = dde.data.TimePDE(
        geometry,
        equation(dde, statement),
        [*soft, *(dde.icbc.PointSetBC(x, values, i) for i, x, values, _ in observed)],
        num_domain=recipe.points,
        num_boundary=recipe.sides,
        num_initial=recipe.initial,
    )
    net = dde.nn.FNN(statement.sizes, "tanh", "Glorot normal")
    if statement.embedding:
        net.apply_feature_transform(statement.features)
    if statement.ansatz:
        net.apply_output_transform(statement.imposed)
    ones = [1.0] * (statement.count + len(soft))
    return dde.Model(data, net), [*ones, *(weight for *_, weight in observed)]


def _start(statement: Statement, field: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: statement.initial(x)[:, field : field + 1]  # DeepXDE counts arguments: x alone


def _layers(model: Any) -> list[tuple[Any, Any]]:
    """Return weight (out, in) and bias of every layer."""
    if hasattr(model.net, "linears"):
        from pdebench_peers._torch import layers

        return list(layers(model.net))
    named = model.params[0]["params"]
    dense = [named[f"denses_{i}"] for i in range(len(named))]
    return [(np.asarray(x["kernel"]).T, x["bias"]) for x in dense]


def solve(view: View, run: Run) -> Solution:
    """Train as configured: Adam, then L-BFGS on PyTorch, until the recipe or the budget ends."""
    dde = library(run.backend, run.dtype, run.device, int(run.rng("seed").integers(2**31)))
    recipe = run.config.recipe(DOCUMENTED)
    with run.phase("data"):
        statement = Statement(view, view.domain.names, recipe)
        model, weights = _model(dde, statement)

    def candidate() -> Solution:
        return statement.solution(model.predict, _layers(model), "DeepXDE", DISTRIBUTION)

    reports = _reporter(dde, run, candidate)
    endless = recipe.hard and run.backend == "jax"  # no second optimiser there
    adam_steps = _NEVER if endless else recipe.adam_steps

    def adam(steps: int) -> None:
        model.train(iterations=steps, display_every=steps, callbacks=[reports], verbose=0)

    with run.phase("compile"):
        model.compile("adam", lr=1e-3, loss_weights=weights, verbose=0)
    if run.report(0, None, candidate):
        return candidate()
    with run.phase("compile"):
        adam(1)
    if adam_steps > 1 and not model.stop_training:
        adam(adam_steps - 1)
    if run.backend == "torch" and not model.stop_training:
        dde.optimizers.set_LBFGS_options(maxiter=_NEVER if recipe.hard else 15000)
        dde.optimizers.LBFGS_options.update(iter_per_step=_CHUNK, fun_per_step=2 * _CHUNK)
        model.compile("L-BFGS", loss_weights=weights, verbose=0)
        reports.before = run.steps
        model.train(callbacks=[reports], verbose=0)
    return candidate()


def _reporter(dde: Any, run: Run, candidate: Callable[[], Solution]) -> Any:
    """Return a callback of DeepXDE that reports after every call of the optimiser."""

    class Reporter(dde.callbacks.Callback):
        before: int | None = None  # steps before L-BFGS

        def on_epoch_begin(self) -> None:
            if self.before is not None and run.max_steps is not None:
                group = self.model.opt.param_groups[0]
                group["max_iter"] = min(_CHUNK, run.max_steps - run.steps)

        def on_epoch_end(self) -> None:
            state, loss, evaluations = self.model.train_state, None, None
            if self.before is not None:
                loss = float(np.sum(state.loss_train))
                counts = self.model.opt.state_dict()["state"][0]
                evaluations = self.before + counts["func_evals"]
            self.model.stop_training |= run.report(state.step, loss, candidate, evaluations)

    return Reporter()
