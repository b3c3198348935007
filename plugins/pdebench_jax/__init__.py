"""The JAX backend. Importing this package does not import JAX."""

from collections.abc import Sequence

from pdebench_lite import hookimpl
from pdebench_lite.registry.method import Backend


@hookimpl
def pdebench_backends() -> Sequence[Backend]:
    """Return the backend."""
    return (Backend("jax", ("jax", "optax"), "jax", "pdebench_jax._runtime"),)
