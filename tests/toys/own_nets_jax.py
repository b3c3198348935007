"""Networks of JAX as users write them with flax or equinox, which need not be installed."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

Layers = dict[str, dict[str, jax.Array]]


def _layers(key: jax.Array, inputs: int, outputs: int) -> Layers:
    sizes, keys = [inputs, 5, 5, outputs], jax.random.split(key, 3)
    return {
        str(i): {"weight": jax.random.normal(k, (m, n)) / n**0.5, "bias": jnp.zeros(m)}
        for i, (n, m, k) in enumerate(zip(sizes[:-1], sizes[1:], keys, strict=True))
    }


def _through(layers: Layers, x: jax.Array) -> jax.Array:
    for i in range(2):
        x = jnp.tanh(x @ layers[str(i)]["weight"].T + layers[str(i)]["bias"])
    return x @ layers["2"]["weight"].T + layers["2"]["bias"]


@dataclass
class Tanh:
    """Two layers of five tanh, what `width=5,depth=2` is, with flax' pair of functions.

    The collection `scales` is not trained.
    """

    inputs: int
    outputs: int

    def init(self, key: jax.Array, x: jax.Array) -> dict[str, Any]:
        return {
            "params": {"layers": _layers(key, x.shape[-1], self.outputs)},
            "scales": {"one": jnp.ones(())},
        }

    def apply(self, variables: dict[str, Any], x: jax.Array) -> jax.Array:
        return _through(variables["params"]["layers"], x * variables["scales"]["one"])


@jax.tree_util.register_dataclass
@dataclass
class _Pytree:
    layers: Layers
    calls: int

    def __call__(self, x: jax.Array) -> jax.Array:
        return _through(self.layers, x)


def pytree(inputs: int, outputs: int, *, key: jax.Array) -> _Pytree:
    """The same as a pytree that is called with one point, as equinox has it."""
    return _Pytree(_layers(key, inputs, outputs), 1)


@dataclass
class _Other(Tanh):
    shift: str = ""

    def apply(self, variables: dict[str, Any], x: jax.Array) -> jax.Array:
        if self.shift == "mean":
            return super().apply(variables, x - x.mean(0))
        if self.shift == "outputs":
            return super().apply(variables, x)[:, :0]
        return super().apply(variables, x).astype(jnp.float32)


def across(inputs: int, outputs: int) -> Tanh:
    """A network whose answer at a point depends on the others."""
    return _Other(inputs, outputs, "mean")


def transposed(inputs: int, outputs: int) -> Tanh:
    """No output at all."""
    return _Other(inputs, outputs, "outputs")


def single(inputs: int, outputs: int) -> Tanh:
    """A network that computes in float32, whatever the run does."""
    return _Other(inputs, outputs)


def weightless(inputs: int, outputs: int) -> _Pytree:
    """Nothing to train."""
    return _Pytree({}, 1)


def other_library(inputs: int, outputs: int) -> Any:
    """A module of torch, or anything else."""
    return lambda x: x


def broken(inputs: int, outputs: int) -> Tanh:
    """Code with an error in it."""
    raise KeyError("layers")


number = 3


# ---- derivatives that are lost, and networks of which nothing is -----------------------------


@dataclass
class _Changed(Tanh):
    """What `Tanh` is, called as `change(network, x)`, with another activation if one is given."""

    change: Any
    activation: Any = jnp.tanh

    def apply(self, variables: dict[str, Any], x: jax.Array) -> jax.Array:
        layers = variables["params"]["layers"]

        def net(x: jax.Array) -> jax.Array:
            for i in range(2):
                x = self.activation(x @ layers[str(i)]["weight"].T + layers[str(i)]["bias"])
            return x @ layers["2"]["weight"].T + layers["2"]["bias"]

        return self.change(net, x)


def _tanh(change: Any) -> Any:
    return lambda inputs, outputs: _Changed(inputs, outputs, change)


def _activated(activation: Any) -> Any:
    return lambda inputs, outputs: _Changed(inputs, outputs, lambda net, x: net(x), activation)


def _steps(x: jax.Array) -> jax.Array:
    return jnp.round(10.0 * x) / 10.0


def _single(net: Any, x: jax.Array) -> jax.Array:
    return net(x.astype(jnp.float32).astype(x.dtype))


@jax.custom_jvp
def _wrong(x: jax.Array) -> jax.Array:
    return jnp.tanh(x)


@_wrong.defjvp
def _wrong_jvp(primals: Any, tangents: Any) -> Any:
    y = jnp.tanh(primals[0])
    return y, tangents[0] * (1.0 - jax.lax.stop_gradient(y) ** 2)


stop = jax.lax.stop_gradient
detached_input = _tanh(lambda net, x: net(stop(x)))
detached_last_input = _tanh(lambda net, x: net(jnp.concat([x[:, :-1], stop(x[:, -1:])], axis=1)))
through_numpy = _tanh(lambda net, x: net(np.tanh(np.asarray(x))))
rounded = _tanh(lambda net, x: net(_steps(x)))
straight_through = _tanh(lambda net, x: net(x + stop(_steps(x) - x)))
tuple_of_answers = _tanh(lambda net, x: (net(x), None))
in_single_precision = _tanh(_single)
branches = _tanh(lambda net, x: net(x) if x[0, 0] > 0 else net(-x))
compiled = _tanh(lambda net, x: jax.jit(net)(x))
detached_within = _activated(lambda x: jnp.tanh(stop(x)))
once = _activated(_wrong)
relu = _activated(jax.nn.relu)
fast_sine = _activated(lambda x: jnp.sin(10.0 * x))
kinks = _activated(jax.nn.elu)


@dataclass
class _Table:
    outputs: int

    def init(self, key: jax.Array, x: jax.Array) -> dict[str, jax.Array]:
        return {"values": jax.random.normal(key, (8, self.outputs))}

    def apply(self, variables: dict[str, Any], x: jax.Array) -> jax.Array:
        return variables["values"][jnp.clip(4.0 * x[:, 0] + 4.0, 0, 7).astype(int)]


def table(inputs: int, outputs: int) -> _Table:
    """A value for each of eight parts of the first axis."""
    return _Table(outputs)


@jax.tree_util.register_dataclass
@dataclass
class _Features:
    """Fixed frequencies: held by `stop_gradient`, of NumPy, and whole numbers."""

    stopped: jax.Array
    numpy: np.ndarray
    whole: jax.Array
    last: jax.Array

    def __call__(self, x: jax.Array) -> jax.Array:
        waves = jnp.sin(self.whole * (x @ stop(self.stopped) @ self.numpy))
        return waves @ self.last


def fixed_features(inputs: int, outputs: int, *, key: jax.Array) -> _Features:
    """A pytree of which only the last layer is trained."""
    first, second = jax.random.split(key)
    shape = (inputs, 8), (8, outputs)
    waves, last = jax.random.normal(first, shape[0]), jax.random.normal(second, shape[1])
    return _Features(waves, np.eye(8), jnp.arange(1, 9), last)


def from_zero(inputs: int, outputs: int, *, key: jax.Array) -> _Pytree:
    """A last layer that begins at zero, so that every derivative does."""
    layers = _layers(key, inputs, outputs)
    layers["2"]["weight"] = jnp.zeros_like(layers["2"]["weight"])
    return _Pytree(layers, 1)
