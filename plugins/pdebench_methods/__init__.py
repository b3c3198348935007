"""The methods that ship with pdebench-lite, described without a backend.

One module per method: its settings, what it supports, its citation, and its objective in array-API
arithmetic, so that torch and JAX train the same thing. `training` is the loop that they share.
"""

from collections.abc import Sequence

from pdebench_lite import hookimpl
from pdebench_lite.registry.method import Method


@hookimpl
def pdebench_methods() -> Sequence[Method]:
    """Return the methods."""
    from pdebench_methods.descriptions import CNN, DIFFPHYS, FNO, MLP, PINN

    return (MLP, PINN, DIFFPHYS, CNN, FNO)
