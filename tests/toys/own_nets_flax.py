"""Networks of flax as users write them: modules of nnx and linen with more than parameters."""

from typing import Any

import jax
import jax.numpy as jnp
from flax import linen, nnx


def _sequence(*layers: Any) -> Any:
    def make(inputs: int, outputs: int, rngs: nnx.Rngs) -> nnx.Module:
        first, last = nnx.Linear(inputs, 8, rngs=rngs), nnx.Linear(8, outputs, rngs=rngs)
        return nnx.Sequential(first, *(layer(rngs) for layer in layers), jnp.tanh, last)

    return make


plain = _sequence()
batch_norm = _sequence(lambda rngs: nnx.BatchNorm(8, rngs=rngs))
dropout = _sequence(lambda rngs: nnx.Dropout(0.5, rngs=rngs))


def _evaluated(make: Any) -> Any:
    def made(inputs: int, outputs: int, rngs: nnx.Rngs) -> nnx.Module:
        module = make(inputs, outputs, rngs)
        module.eval()
        return module

    return made


batch_norm_evaluated = _evaluated(batch_norm)
dropout_evaluated = _evaluated(dropout)


class Features(nnx.Module):
    """Fixed frequencies, in a variable that is not a parameter."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> None:
        self.waves = nnx.Cache(jax.random.normal(rngs.params(), (inputs, 8)))
        self.last = nnx.Linear(8, outputs, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(jnp.sin(x @ self.waves[...]))


class _Normalised(linen.Module):
    outputs: int
    evaluated: bool

    @linen.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        h = linen.BatchNorm(use_running_average=self.evaluated)(linen.Dense(8)(x))
        return linen.Dense(self.outputs)(jnp.tanh(h))


def linen_batch_norm(inputs: int, outputs: int) -> linen.Module:
    """Normalisation over the batch."""
    return _Normalised(outputs, evaluated=False)


def linen_evaluated(inputs: int, outputs: int) -> linen.Module:
    """Normalisation by running means that stay where they are."""
    return _Normalised(outputs, evaluated=True)
