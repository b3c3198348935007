"""Solver of `deepxde`: states the task in DeepXDE, trains with its optimisers, reports.

Periodicity is a penalty on the values and, on PyTorch, on the slopes too: DeepXDE's `PeriodicBC`
takes no derivative on JAX, and JAX has no L-BFGS there either.
"""

import io
import os
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import numpy as np

from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View
from pdebench_peers._statement import Statement
from pdebench_peers.deepxde import DOCUMENTED
from pdebench_peers.settings import Recipe

_CHUNK = 100  # L-BFGS iterations between reports, at most


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


def _model(dde: Any, statement: Statement, recipe: Recipe) -> tuple[Any, Any]:
    """Return DeepXDE's model and the weights of its loss terms."""
    space, stack = statement.space, _stack(dde)
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
    sizes = [statement.inputs, *recipe.hidden, len(statement.fields)]
    net = dde.nn.FNN(sizes, "tanh", "Glorot normal")
    if statement.embedding:
        net.apply_feature_transform(lambda x: stack(statement.features(x)))
    if statement.ansatz:
        net.apply_output_transform(lambda x, y: stack(statement.imposed(x, y)))
    ones = [1.0] * (statement.count + len(soft))
    return dde.Model(data, net), [*ones, *(weight for *_, weight in observed)]


def _start(statement: Statement, field: int) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: statement.initial(x)[field][:, None]  # DeepXDE counts arguments: x alone


def _stack(dde: Any) -> Any:
    if dde.backend.backend_name == "jax":
        import jax.numpy as jnp

        return lambda columns: jnp.stack(columns, -1)
    import torch

    return lambda columns: torch.stack(columns, -1)


def _weights(model: Any) -> dict[str, np.ndarray]:
    """Return the layers of a DeepXDE network, (out, in) and (out,)."""
    layers: dict[str, np.ndarray] = {}
    if hasattr(model.net, "linears"):
        for i, layer in enumerate(model.net.linears):
            layers[f"{i}.weight"] = layer.weight.detach().cpu().numpy().copy()
            layers[f"{i}.bias"] = layer.bias.detach().cpu().numpy().copy()
        return layers
    for name, layer in model.params[0]["params"].items():
        i = name.removeprefix("denses_")
        layers[f"{i}.weight"] = np.asarray(layer["kernel"]).T
        layers[f"{i}.bias"] = np.asarray(layer["bias"])
    return layers


def solve(view: View, run: Run) -> Solution:
    """Train as configured: Adam, then L-BFGS on PyTorch, until the recipe or the budget ends."""
    dde = library(run.backend, run.dtype, run.device, int(run.rng("seed").integers(2**31)))
    recipe = run.config.recipe(DOCUMENTED)
    with run.phase("data"):
        statement = Statement(view, view.domain.names, recipe)
        model, weights = _model(dde, statement, recipe)
    details = {"library": "DeepXDE", "version": dde.__version__}

    def candidate() -> Solution:
        return statement.solution(model.predict, _weights(model), details)

    reports = _reporter(dde, run, candidate)

    def adam(steps: int) -> None:
        model.train(iterations=steps, display_every=steps, callbacks=[reports], verbose=0)

    with run.phase("compile"):
        model.compile("adam", lr=1e-3, loss_weights=weights, verbose=0)
    if not run.report(0, None, candidate):
        with run.phase("compile"):
            adam(1)
        if recipe.adam_steps > 1 and not model.stop_training:
            adam(recipe.adam_steps - 1)
        if run.backend == "torch" and not model.stop_training:
            options = dde.optimizers.LBFGS_options
            options.update(iter_per_step=_CHUNK, fun_per_step=2 * _CHUNK)
            model.compile("L-BFGS", loss_weights=weights, verbose=0)
            reports.lbfgs_from(run.steps)
            model.train(callbacks=[reports], verbose=0)
    return candidate()


def _reporter(dde: Any, run: Run, candidate: Callable[[], Solution]) -> Any:
    """Return a callback of DeepXDE that reports, stops in time, and sizes calls of L-BFGS."""

    class Reporter(dde.callbacks.Callback):
        def __init__(self) -> None:
            super().__init__()
            self.before: int | None = None  # steps before L-BFGS
            self.since, self.pace = 0.0, 0.0

        def lbfgs_from(self, steps: int) -> None:
            self.before = steps

        def on_epoch_begin(self) -> None:
            if self.before is None:
                return
            left = _CHUNK if run.max_steps is None else run.max_steps - run.steps
            if self.pace:  # as many as fit in half of the time left
                left = min(left, max(2, int(0.5 * min(run.time_left, 1e9) / self.pace)))
            group = self.model.opt.param_groups[0]
            group["max_iter"] = min(left, _CHUNK)
            self.since = time.perf_counter()

        def on_epoch_end(self) -> None:
            state, loss, evaluations = self.model.train_state, None, None
            if self.before is not None:
                counts = self.model.opt.state_dict()["state"][0]
                self.pace = (time.perf_counter() - self.since) / self.model.opt.param_groups[0][
                    "max_iter"
                ]
                loss = float(np.sum(state.loss_train))
                evaluations = self.before + counts["func_evals"]
            self.model.stop_training |= run.report(state.step, loss, candidate, evaluations)

    return Reporter()
