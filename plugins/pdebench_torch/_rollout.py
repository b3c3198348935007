"""Rollouts whose reverse pass keeps few states."""

from collections.abc import Callable
from math import ceil, sqrt
from typing import Any

from torch.utils.checkpoint import checkpoint

from pdebench_lite.problem import Arrays

WHOLE = 64
"""Steps up to which every state is kept: less to compute, and little to hold."""


def frames(
    step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int, count: int
) -> list[Arrays]:
    """Return the states after n, 2n, …, count·n steps of `repeat`."""
    states = []
    for first in range(0, n * count, n):
        state = repeat(lambda s, k, first=first: step(s, first + k), state, n)  # type: ignore[misc]
        states.append(state)
    return states


def repeat(step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int) -> Arrays:
    """Apply `state = step(state, k)` for k = 0 … n − 1.

    Where gradients are wanted, a long rollout is cut into about √n segments, of which the reverse
    pass keeps the first states and computes the others again: memory O(√n), at the price of one
    more forward pass. Griewank & Walther 2000, doi:10.1145/347837.347846, with one level.
    """

    def loop(state: Arrays, first: int, count: int) -> Arrays:
        for k in range(first, first + count):
            state = step(state, k)
        return state

    if n <= WHOLE:
        return loop(state, 0, n)
    state = loop(state, 0, 1)  # what the step closes over may want gradients too
    if not any(values.requires_grad for values in state.values()):
        return loop(state, 1, n - 1)
    length = ceil(sqrt(n))
    for first in range(1, n, length):
        state = checkpoint(
            loop, state, first, min(length, n - first),
            use_reentrant=False, preserve_rng_state=False,
        )  # fmt: skip
    return state
