"""Networks of JAX as users write them with flax or equinox, which need not be installed."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

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
