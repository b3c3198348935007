"""Ways of differentiating a given expression, as methods, each on NumPy, torch and JAX."""

from collections.abc import Sequence

from pdebench_lite import hookimpl
from pdebench_lite.registry.method import Method


@hookimpl
def pdebench_methods() -> Sequence[Method]:
    """Return the methods."""
    from pdebench_differentiation.descriptions import METHODS

    return METHODS
