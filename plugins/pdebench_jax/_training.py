"""What JAX brings to the shared loop: arrays, optax optimisers, scans, nested autodiff."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from pdebench_lite.problem import Arrays
from pdebench_lite.runner.run import Run
from pdebench_methods.training import Loss


class JaxTools:
    """Arrays on the device of the run, and compiled optimisers."""

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
        """Apply a step n times by `lax.scan`."""
        state, _ = jax.lax.scan(
            lambda s, k: (step(s, k), None), state, jnp.arange(n, dtype=self.dtype)
        )
        return state

    def minimiser(
        self,
        optimizer: str,
        loss: Loss,
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
        learning_rate: float,
    ) -> "OptaxMinimiser":
        """Make an optimiser; its compiled steps are kept for later stages with the same shapes."""
        start = {name: self.asarray(values) for name, values in parameters.items()}
        inputs = {name: self.asarray(values) for name, values in data.items()}
        shapes = tuple((name, values.shape) for name, values in sorted(inputs.items()))
        key = (optimizer, learning_rate, shapes)
        init, advance = (
            _lbfgs(loss) if optimizer == "lbfgs" else _first_order(optimizer, loss, learning_rate)
        )
        state = init(start)
        if key not in self._compiled:
            self._compiled[key] = jax.jit(advance).lower(start, state, inputs, 1).compile()
        return OptaxMinimiser(self._compiled[key], start, state, inputs)

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

    def __init__(self, advance: Any, parameters: Any, state: Any, data: Any) -> None:
        self._advance, self._parameters, self._state, self._data = advance, parameters, state, data

    def advance(self, steps: int) -> tuple[jax.Array, int, int]:
        """Do that many steps; returns loss before the last one, steps, evaluations."""
        self._parameters, self._state, loss, evaluations = self._advance(
            self._parameters, self._state, self._data, steps
        )
        return loss, steps, int(evaluations)

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the parameters as of now."""
        return {name: np.asarray(values) for name, values in self._parameters.items()}


def _loop(
    body: Callable[[Any, Any, Any], tuple[Any, Any, Any, Any]],
) -> Callable[[Any, Any, Any, Any], tuple[Any, Any, Any, Any]]:
    """Repeat an update a number of times that is known only when called."""

    def advance(parameters: Any, state: Any, data: Any, steps: Any) -> tuple[Any, Any, Any, Any]:
        def once(_: Any, carry: Any) -> Any:
            parameters, state, _, evaluations = carry
            parameters, state, loss, more = body(parameters, state, data)
            return parameters, state, loss, evaluations + more

        dtype = jax.tree.leaves(parameters)[0].dtype
        zero = (jnp.zeros((), dtype), jnp.zeros((), jnp.int32))
        return jax.lax.fori_loop(0, steps, once, (parameters, state, *zero))

    return advance


def _first_order(name: str, loss: Loss, learning_rate: float) -> tuple[Any, Any]:
    rule = optax.sgd(learning_rate) if name == "gd" else optax.adam(learning_rate)

    def body(parameters: Any, state: Any, data: Any) -> tuple[Any, Any, Any, Any]:
        value, gradient = jax.value_and_grad(loss)(parameters, data)
        updates, state = rule.update(gradient, state, parameters)
        return optax.apply_updates(parameters, updates), state, value, jnp.int32(1)

    return rule.init, _loop(body)


def _lbfgs(loss: Loss) -> tuple[Any, Any]:
    rule = optax.lbfgs(memory_size=50)

    def body(parameters: Any, state: Any, data: Any) -> tuple[Any, Any, Any, Any]:
        at = lambda p: loss(p, data)  # noqa: E731
        value, gradient = optax.value_and_grad_from_state(at)(parameters, state=state)
        updates, state = rule.update(
            gradient, state, parameters, value=value, grad=gradient, value_fn=at
        )
        searched = optax.tree.get(state, "info").num_linesearch_steps
        return optax.apply_updates(parameters, updates), state, value, searched.astype(jnp.int32)

    return rule.init, _loop(body)
