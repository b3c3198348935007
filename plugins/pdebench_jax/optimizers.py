"""Optimisers of optax, as `objects["jax"]` of a registered optimiser names them.

Each is called with the learning rate and its own settings, and returns a gradient transformation of
optax.
"""

from typing import Any

import optax


def gd(rate: float, config: Any) -> optax.GradientTransformation:
    """Return gradient descent."""
    return optax.sgd(rate)


def adam(rate: float, config: Any) -> optax.GradientTransformation:
    """Return Adam."""
    return optax.adam(rate)


def lbfgs(rate: float, config: Any) -> optax.GradientTransformation:
    """Return L-BFGS with a line search."""
    return optax.lbfgs(memory_size=50)
