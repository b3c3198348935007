"""Activations of jets in JAX, with the reverse pass of `pdebench_methods.jet_activation`."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from pdebench_lite.numerics import jets
from pdebench_lite.numerics.jets import Index, Jet, Space
from pdebench_methods.jet_activation import WITH_REVERSE, forward, indices, reverse


def activate(name: str, x: Jet) -> Jet:
    """Apply an activation to a jet, values and gradients as `jets` has them.

    Args:
        name: a function of `jets`; where no reverse pass is written for it, it is applied as it is.
        x: pre-activations of any shape; each coefficient of that shape, or broadcasting to it.
    """
    present, coefficients = tuple(x.coefficients), tuple(x.coefficients.values())
    if name not in WITH_REVERSE or any(isinstance(c, float) for c in coefficients):
        whole: Jet = getattr(jets, name)(x)
        return whole
    out = _activation(name, x.space, present, coefficients)
    return Jet(x.space, dict(zip(indices(x.space, present), out, strict=True)))


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _activation(
    name: str, space: Space, present: tuple[Index, ...], x: tuple[jax.Array, ...]
) -> tuple[jax.Array, ...]:
    return tuple(jnp.broadcast_to(c, x[0].shape) for c in forward(name, space, present, x))


def _forward(
    name: str, space: Space, present: tuple[Index, ...], x: tuple[jax.Array, ...]
) -> tuple[Any, Any]:
    y = _activation(name, space, present, x)
    return y, (y, tuple(jnp.empty(c.shape) for c in x))


def _reverse(
    name: str, space: Space, present: tuple[Index, ...], kept: Any, gradients: Sequence[Any]
) -> tuple[Any]:
    y, like = kept
    found = reverse(name, space, present, y, gradients, _multiply_add)
    return (tuple(_sum_to(found[b], c.shape) for b, c in zip(present, like, strict=True)),)


def _multiply_add(total: Any, a: Any, b: Any, factor: float) -> Any:
    return total + factor * (a * b)


def _sum_to(values: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Sum over the axes along which an array of that shape was broadcast."""
    axes = [i for i, n in enumerate(shape) if n != values.shape[i]]
    return jnp.sum(values, axis=tuple(axes), keepdims=True) if axes else values


_activation.defvjp(_forward, _reverse)
