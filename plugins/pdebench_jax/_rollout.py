"""Rollouts whose reverse pass keeps few states."""

from collections.abc import Callable
from math import ceil, sqrt
from typing import Any

import jax
import jax.numpy as jnp

from pdebench_lite.problem import Arrays

WHOLE = 64
"""Steps up to which every state is kept: less to compute, and little to hold."""


def frames(
    step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int, count: int, dtype: Any
) -> list[Arrays]:
    """Return the states after n, 2n, …, count·n steps of `repeat`, by a scan over them."""

    def span(state: Arrays, first: Any) -> tuple[Arrays, Arrays]:
        state = repeat(lambda s, k: step(s, first + k), state, n, dtype)
        return state, state

    _, stacked = jax.lax.scan(span, state, n * jnp.arange(count, dtype=dtype))
    return [{name: values[i] for name, values in stacked.items()} for i in range(count)]


def repeat(step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int, dtype: Any) -> Arrays:
    """Apply `state = step(state, k)` for k = 0 … n − 1 by `lax.scan`.

    A long rollout is cut into about √n segments, of which the reverse pass keeps the first states
    and computes the others again: memory O(√n), at the price of one more forward pass. Griewank
    & Walther 2000, doi:10.1145/347837.347846, with one level.
    """

    def scan(state: Arrays, first: Any, count: int) -> Arrays:
        ks = first + jnp.arange(count, dtype=dtype)
        return jax.lax.scan(lambda s, k: (step(s, k), None), state, ks)[0]

    if n <= WHOLE:
        return scan(state, jnp.zeros((), dtype), n)
    length = ceil(sqrt(n))
    segment = jax.checkpoint(lambda s, first: scan(s, first, length))
    starts = length * jnp.arange(n // length, dtype=dtype)
    state, _ = jax.lax.scan(lambda s, first: (segment(s, first), None), state, starts)
    done = n // length * length
    return scan(state, jnp.asarray(done, dtype), n - done) if done < n else state
