"""What JAX brings to the shared loop: arrays, optax optimisers, scans, nested autodiff."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import MappingProxyType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from pdebench_jax._blocks import halves, value_and_gradient
from pdebench_jax._jet_activation import activate
from pdebench_jax._own_network import own_network
from pdebench_jax._rollout import frames, repeat
from pdebench_lite.problem import Arrays
from pdebench_lite.runner.processors import usable_processors
from pdebench_lite.runner.run import Run
from pdebench_methods.host import HostMinimiser, search, slices
from pdebench_methods.networks import propagate
from pdebench_methods.settings import component
from pdebench_methods.training import (
    Loss,
    Minimiser,
    Objective,
    OwnNetwork,
    Stage,
    Static,
    bound,
    key_of,
)


class JaxTools:
    """Arrays on the device of the run, and compiled optimisers."""

    backend = "jax"
    propagate = staticmethod(partial(propagate, activate))
    activate = staticmethod(activate)

    def __init__(self, run: Run) -> None:
        self.dtype = jnp.dtype(run.dtype)
        self._compiled: dict[Any, Any] = {}

    def asarray(self, values: np.ndarray) -> jax.Array:
        """Move an array to the device, in the dtype of the run."""
        return jnp.asarray(values, dtype=self.dtype)

    def to_numpy(self, values: jax.Array) -> np.ndarray:
        """Bring an array to the host."""
        return np.asarray(values)

    def drive(self, chunks: Iterator[None]) -> None:
        """Exhaust the training loop."""
        for _ in chunks:
            continue

    def repeat(self, step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int) -> Arrays:
        """Apply a step n times; the reverse pass of many steps keeps few states."""
        return repeat(step, state, n, self.dtype)

    def frames(
        self, step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int, count: int
    ) -> list[Arrays]:
        """Return the states after n, 2n, …, count·n steps."""
        return frames(step, state, n, count, self.dtype)

    def minimiser(
        self,
        stage: Stage,
        objective: Objective,
        parameters: dict[str, np.ndarray],
        learning_rate: float,
    ) -> Minimiser:
        """Make an optimiser; its compiled steps are kept for later stages with the same shapes."""
        described, config = component("optimizer", stage.optimizer)
        made = described.load(self.backend)
        if self.backend not in described.objects:
            flat = JaxFlatObjective(self, objective, parameters, stage.data, stage.static)
            rate = stage.rate * learning_rate
            return HostMinimiser(
                flat, parameters, lambda x: search(described, made, flat, x, rate, config),
                learning_rate,
            )  # fmt: skip
        start, inputs = self.on_device(parameters), self.on_device(stage.data)
        shapes = tuple((name, values.shape) for name, values in sorted(inputs.items()))
        rule = made(learning_rate, config)
        state, rate = rule.init(start), self.asarray(np.asarray(stage.rate))
        key = (stage.optimizer, learning_rate, shapes, key_of(stage.static))
        if key not in self._compiled:
            advance = _loop(_body(rule, state, bound(objective, stage.static)))
            lowered = jax.jit(advance).lower(start, state, inputs, rate, 1)
            self._compiled[key] = lowered.compile()
        return OptaxMinimiser(self, self._compiled[key], start, state, inputs, rate)

    def evaluate(
        self,
        function: Callable[[Any, Any], Any],
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
        static: Static = MappingProxyType({}),
    ) -> np.ndarray:
        """Return a function of parameters and data, compiled when first asked for.

        It finds static values among the data.
        """
        whole = function if not static else lambda p, d: function(p, {**d, **static})
        compiled = self.compiled((function, key_of(static)), whole)
        return self.to_numpy(compiled(self.on_device(parameters), self.on_device(data)))

    def on_device(self, arrays: Mapping[str, np.ndarray]) -> dict[str, jax.Array]:
        """Move named arrays to the device, in the dtype of the run."""
        return {name: self.asarray(values) for name, values in arrays.items()}

    def compiled(self, key: Any, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `jax.jit` of a function; the same one for the same key."""
        if key not in self._compiled:
            self._compiled[key] = jax.jit(function)
        return self._compiled[key]

    def own_network(
        self, make: Callable[..., Any], inputs: int, outputs: int, seed: int
    ) -> OwnNetwork:
        """Return a network that a user's callable makes, its weights drawn from the seed."""
        return own_network(make, inputs, outputs, seed, self.dtype)

    def jacobian(
        self,
        function: Callable[[Any, Any], Any],
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return a function of parameters and data, (m,), and its derivatives, (m, *shape)."""
        both = self.compiled(("jacobian", function), jax.jacrev(_twice(function), has_aux=True))
        rows, values = both(self.on_device(parameters), self.on_device(data))
        return self.to_numpy(values), {name: self.to_numpy(row) for name, row in rows.items()}

    def nested_derivatives(
        self,
        function: Callable[[Arrays], dict[str, Any]],
        points: Arrays,
        wanted: Mapping[str, tuple[str, ...]],
    ) -> Arrays:
        """Return named derivatives of a function of points by nested forward differentiation.

        The function acts on each point alone, so a tangent of ones along an axis gives the partial
        derivative at every point at once.
        """
        named: Arrays = {}
        for name, suffixes in wanted.items():
            for suffix in suffixes:
                value = _differentiate(partial(_entry, function, name), suffix)(points)
                named[f"{name}_{suffix}" if suffix else name] = value
        return named


def _entry(function: Callable[[Arrays], dict[str, Any]], name: str, points: Arrays) -> Any:
    return function(points)[name]


def _differentiate(function: Callable[[Arrays], Any], suffix: str) -> Callable[[Arrays], Any]:
    for axis in suffix:
        function = _along(function, axis)
    return function


def _along(function: Callable[[Arrays], Any], axis: str) -> Callable[[Arrays], Any]:
    def derivative(points: Arrays) -> Any:
        x = points[axis]
        return jax.jvp(lambda x: function({**points, axis: x}), (x,), (jnp.ones_like(x),))[1]

    return derivative


class OptaxMinimiser:
    """An optax optimiser whose steps run in one compiled loop on the device."""

    def __init__(
        self, tools: JaxTools, advance: Any, parameters: Any, state: Any, data: Any, rate: Any
    ) -> None:
        self._tools, self._advance, self._rate = tools, advance, rate
        self._parameters, self._state, self._data = parameters, state, data

    def advance(self, steps: int) -> tuple[jax.Array, int, int]:
        """Do that many steps; returns loss before the last one, steps, evaluations."""
        self._parameters, self._state, loss, evaluations = self._advance(
            self._parameters, self._state, self._data, self._rate, steps
        )
        return loss, steps, int(evaluations)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the parameters as of now."""
        return {name: np.asarray(values) for name, values in self._parameters.items()}

    def feed(self, data: dict[str, np.ndarray], rate: float = 1.0) -> None:
        """Go on with other data of the same shapes, and another factor on the learning rate."""
        self._data = self._tools.on_device(data)
        self._rate = self._tools.asarray(np.asarray(rate))

    def state(self) -> dict[str, np.ndarray]:
        """Return parameters and the leaves of optax' state by their index."""
        leaves = jax.tree.leaves((self._parameters, self._state))
        return {str(i): np.asarray(leaf) for i, leaf in enumerate(leaves)}

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state."""
        leaves, tree = jax.tree.flatten((self._parameters, self._state))
        restored = [jnp.asarray(state[str(i)], leaf.dtype) for i, leaf in enumerate(leaves)]
        self._parameters, self._state = jax.tree.unflatten(tree, restored)


def _twice(function: Callable[..., Any]) -> Callable[..., tuple[Any, Any]]:
    """Return a function's value twice: once to be differentiated, once to be kept."""

    def both(*arguments: Any) -> tuple[Any, Any]:
        value = function(*arguments)
        return value, value

    return both


class JaxFlatObjective:
    """An objective as functions of one NumPy vector; see `pdebench_methods.host.FlatObjective`."""

    def __init__(
        self,
        tools: JaxTools,
        objective: Any,
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
        static: Static = MappingProxyType({}),
    ) -> None:
        objective, places, key = bound(objective, static), slices(parameters), key_of(static)

        def named(x: jax.Array) -> dict[str, jax.Array]:
            return {name: x[where].reshape(shape) for name, (where, shape) in places.items()}

        of_named = value_and_gradient(objective)

        def of_flat(x: jax.Array, inputs: Any) -> jax.Array:
            value, gradient = of_named(named(x), inputs)
            return jnp.concatenate([value[None], *(gradient[n].reshape(-1) for n in places)])

        def residuals(x: jax.Array, inputs: Any) -> jax.Array:
            if not hasattr(objective, "terms"):
                return objective.residuals(named(x), inputs)
            found = []
            for term in objective.terms(inputs):
                for gap in term.function(named(x), term.data):
                    found.append(gap * (term.weight / gap.size) ** 0.5)
            return jnp.concatenate(found)

        def linearise(x: jax.Array, inputs: Any) -> tuple[jax.Array, jax.Array]:
            if not hasattr(objective, "terms"):
                jacobian, r = jax.jacfwd(_twice(lambda x: residuals(x, inputs)), has_aux=True)(x)
                return r, jacobian
            found = []
            for term in objective.terms(inputs):
                alone = {k: v for k, v in term.data.items() if v.ndim}
                common = {k: v for k, v in term.data.items() if not v.ndim}

                def at(x: jax.Array, row: Any, term: Any = term, common: Any = common) -> Any:
                    data = {k: v[None] for k, v in row.items()} | common
                    return jnp.concatenate(term.function(named(x), data))

                point_by_point = jax.vmap(
                    lambda x, row, at=at: jax.jacrev(_twice(lambda x: at(x, row)), has_aux=True)(x),
                    (None, 0),
                )
                jacobian, r = point_by_point(x, alone)  # (points, gaps, parameters)
                scale = (term.weight / r.shape[0]) ** 0.5
                found.append((scale * r.reshape(-1), scale * jacobian.reshape(-1, x.size)))
            return jnp.concatenate([r for r, _ in found]), jnp.concatenate([j for _, j in found])

        self._tools = tools
        self._value_and_gradient = tools.compiled(("loss", key), of_flat)
        self._pointwise = hasattr(objective, "terms") and jax.default_backend() == "cpu"
        self._pool = ThreadPoolExecutor(1)
        self._residuals = tools.compiled(("residuals", key), residuals)
        self._linearise = tools.compiled(("linearise", key), linearise)
        self.feed(data)

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient (n,)."""
        point = np.asarray(x, self._tools.dtype)
        other = [self._pool.submit(self._joined, point, half) for half in self._halves[1:]]
        found = [self._joined(point, self._halves[0]), *(half.result() for half in other)]
        mean = sum(found[1:], found[0]) / len(found)
        return float(mean[0]), mean[1:]

    def _joined(self, x: np.ndarray, data: Any) -> np.ndarray:
        """Return the loss and its gradient in one array, which is fetched at once."""
        return np.asarray(self._value_and_gradient(x, data), dtype=np.float64)

    def residuals(self, x: np.ndarray) -> np.ndarray:
        """Return the residuals (m,)."""
        return np.asarray(self._residuals(self._tools.asarray(x), self._data))

    def linearise(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the residuals (m,) and their Jacobian (m, n).

        Where each residual depends on one point, by one reverse pass for all points; otherwise by
        forward tangents, all at once.
        """
        r, jacobian = self._linearise(self._tools.asarray(x), self._data)
        return np.asarray(r), np.asarray(jacobian)

    def feed(self, data: dict[str, np.ndarray]) -> None:
        """Use other data of the same shapes."""
        self._data = self._tools.on_device(data)
        self._halves = halves(self._data) if self._pointwise else [self._data]


def _loop(body: Callable[[Any, Any, Any, Any], tuple[Any, Any, Any, Any]]) -> Callable[..., Any]:
    """Repeat an update a number of times that is known only when called."""

    def advance(parameters: Any, state: Any, data: Any, rate: Any, steps: Any) -> Any:
        def once(_: Any, carry: Any) -> Any:
            parameters, state, _, evaluations = carry
            parameters, state, loss, more = body(parameters, state, data, rate)
            return parameters, state, loss, evaluations + more

        dtype = jax.tree.leaves(parameters)[0].dtype
        zero = (jnp.zeros((), dtype), jnp.zeros((), jnp.int32))
        return jax.lax.fori_loop(0, steps, once, (parameters, state, *zero))

    return advance


def _body(rule: Any, state: Any, objective: Any) -> Callable[..., tuple[Any, Any, Any, Any]]:
    """Return one step of a rule of optax: with a line search of its own, or without."""
    if optax.tree.get(state, "info", None) is not None:
        return _searching(rule, objective.loss)
    value_and_gradient_of = value_and_gradient(objective, usable_processors())

    def body(parameters: Any, state: Any, data: Any, rate: Any) -> tuple[Any, Any, Any, Any]:
        value, gradient = value_and_gradient_of(parameters, data)
        updates, state = rule.update(gradient, state, parameters)
        updates = jax.tree.map(lambda update: rate * update, updates)
        return optax.apply_updates(parameters, updates), state, value, jnp.int32(1)

    return body


def _searching(rule: Any, loss: Loss) -> Callable[..., tuple[Any, Any, Any, Any]]:
    def body(parameters: Any, state: Any, data: Any, rate: Any) -> tuple[Any, Any, Any, Any]:
        at = lambda p: loss(p, data)  # noqa: E731
        value, gradient = optax.value_and_grad_from_state(at)(parameters, state=state)
        updates, state = rule.update(
            gradient, state, parameters, value=value, grad=gradient, value_fn=at
        )
        searched = optax.tree.get(state, "info").num_linesearch_steps
        return optax.apply_updates(parameters, updates), state, value, searched.astype(jnp.int32)

    return body
