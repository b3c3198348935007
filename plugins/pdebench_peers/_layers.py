"""Linear layers of torch, equinox and flax: begun as those of `pinn`, read out for the record.

`pinn` begins with Glorot & Bengio 2010 (AISTATS 9, eq. 16, uniform) and biases of zero.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def glorot_torch(layers: Iterable[Any]) -> None:
    """Draw the weights of modules of torch again; those that have none are passed over."""
    from torch.nn import init

    for layer in layers:
        if hasattr(layer, "weight"):
            init.xavier_uniform_(layer.weight)
            init.zeros_(layer.bias)


def glorot_equinox(inputs: int, outputs: int, key: Any) -> Any:
    """Return a linear layer of equinox, drawn with a key of JAX."""
    import equinox as eqx

    layer = eqx.nn.Linear(inputs, outputs, key=key)  # uniform, up to 1/√inputs
    weight = layer.weight * (6 * inputs / (inputs + outputs)) ** 0.5
    start = weight, 0.0 * layer.bias
    return eqx.tree_at(lambda layer: (layer.weight, layer.bias), layer, start)


def weights_of(layers: Iterable[Any]) -> dict[str, np.ndarray]:
    """Return the weights of a network under the names that `pinn` gives to its own.

    Args:
        layers: modules of torch or equinox, or parameters of flax's `Dense`, in their order; those
            without weights, such as activations, are passed over.

    Returns:
        `fields.{layer}.weight` (out, in) and `fields.{layer}.bias` (out,), on the host.
    """
    found: dict[str, np.ndarray] = {}
    for layer in layers:
        if isinstance(layer, Mapping):
            weight, bias = layer["kernel"].T, layer["bias"]
        elif hasattr(layer, "weight"):
            weight, bias = layer.weight, layer.bias
        else:
            continue
        i = len(found) // 2
        found[f"fields.{i}.weight"], found[f"fields.{i}.bias"] = on_host(weight), on_host(bias)
    return found


def on_host(values: Any) -> np.ndarray:
    """Return a copy of an array of any backend and device as NumPy's."""
    return np.array(values.detach().cpu() if hasattr(values, "detach") else values)
