"""The methods that ship with pdebench-lite, described without a backend.

One module per method: its settings, what it supports, its citation, and its objective in array-API
arithmetic, so that torch and JAX train the same thing. `training` is the loop that they share.
"""

from collections.abc import Sequence

from pdebench_lite import hookimpl
from pdebench_lite.registry.component import Network, Optimizer, Sampler, Weighting
from pdebench_lite.registry.method import Method


@hookimpl
def pdebench_methods() -> Sequence[Method]:
    """Return the methods."""
    from pdebench_methods.descriptions import CNN, DIFFPHYS, FNO, MLP, PINN

    return (MLP, PINN, DIFFPHYS, CNN, FNO)


@hookimpl
def pdebench_optimizers() -> Sequence[Optimizer]:
    """Return the optimisers."""
    from pdebench_methods.components import OPTIMIZERS

    return OPTIMIZERS


@hookimpl
def pdebench_networks() -> Sequence[Network]:
    """Return the networks."""
    from pdebench_methods.components import NETWORKS

    return NETWORKS


@hookimpl
def pdebench_weightings() -> Sequence[Weighting]:
    """Return the weightings."""
    from pdebench_methods.components import WEIGHTINGS

    return WEIGHTINGS


@hookimpl
def pdebench_samplers() -> Sequence[Sampler]:
    """Return the samplers."""
    from pdebench_methods.components import SAMPLERS

    return SAMPLERS
