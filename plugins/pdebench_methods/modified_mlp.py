"""Network `modified-mlp`: two encodings of the inputs gate every hidden layer."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pdebench_methods.networks import Layer, glorot
from pdebench_methods.settings import NetworkSettings


class ModifiedMlp:
    """U = φ(W_u x + b_u), V = φ(W_v x + b_v); h ← z ⊙ U + (1 − z) ⊙ V, z = φ(W h + b), a layer.

    Wang, Teng & Perdikaris 2021, doi:10.1137/20M1318043, the "improved fully-connected
    architecture"; which of U and V is the first is a matter of names. As in jaxpi
    (`archs.ModifiedMlp`), the first layer is gated too. It has 2·(inputs + 1)·width parameters more
    than `mlp`.

    Args:
        shape: width, depth, activation.
        config: none.
    """

    def __init__(self, shape: NetworkSettings, config: Any = None) -> None:
        self._shape = shape

    def initial(self, rng: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        """Draw the weights as those of `mlp` are drawn."""
        width, depth = self._shape.width, self._shape.depth
        sizes = {"u": (inputs, width), "v": (inputs, width)}
        sizes |= {str(i): (width if i else inputs, width) for i in range(depth)}
        sizes["out"] = (width, outputs)
        drawn = {f"{name}.weight": glorot(rng, *size) for name, size in sizes.items()}
        return drawn | {f"{name}.bias": np.zeros(size[1]) for name, size in sizes.items()}

    def silenced(self, drawn: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the last layer's weights as zeros; its biases are."""
        return {"out.weight": np.zeros_like(drawn["out.weight"])}

    def __call__(self, weights: Mapping[str, Any], x: Any, layer: Layer) -> Any:
        """Return outputs × points."""

        def dense(name: str, h: Any) -> Any:
            return layer.linear(weights[f"{name}.weight"], h, weights[f"{name}.bias"])

        def hidden(name: str, h: Any) -> Any:
            return layer.activate(self._shape.activation, dense(name, h))

        u, v, h = hidden("u", x), hidden("v", x), x
        for i in range(self._shape.depth):
            h = v + hidden(str(i), h) * (u - v)
        return dense("out", h)
