"""Linear solves whose derivatives are solves too: what finite volumes need of JAX."""

from collections.abc import Callable
from typing import Any

import jax

from pdebench_lite.numerics.krylov import Linear, Machine


def _jvp(function: Callable[[Any], Any], at: Any, along: Any) -> Any:
    return jax.jvp(function, (at,), (along,))[1]


def _inverse(apply: Linear, b: Any, solve: Callable[[Linear, Any], Any], symmetric: bool) -> Any:
    """Return A⁻¹b; a loop of unknown length has no reverse pass, a linear solve has one."""
    return jax.lax.custom_linear_solve(apply, b, solve, transpose_solve=solve, symmetric=symmetric)


def _constant(values: Any) -> Any:
    return jax.lax.stop_gradient(values) if hasattr(values, "shape") else values


MACHINE = Machine(jax.lax.while_loop, _jvp, _inverse, _constant)
