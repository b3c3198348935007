"""Periodic convolutional networks in array-API arithmetic, channels × instances × cells.

Initial weights are drawn in NumPy and handed to both backends, so that torch and JAX start alike.
"""

from math import sqrt
from typing import Any

import numpy as np

from pdebench_lite.numerics import array_namespace
from pdebench_methods.networks import Parameters


def initial_layer(
    rng: np.random.Generator, name: str, inputs: int, outputs: int, kernel: int, gain: float = 1.0
) -> dict[str, np.ndarray]:
    """Draw a layer by He et al. 2015, doi:10.1109/ICCV.2015.123, eq. 10; the bias is zero.

    Returns:
        `{name}.weight` (outputs, kernel·inputs) and `{name}.bias` (outputs,), float64.
    """
    spread = gain * sqrt(2.0 / (kernel * inputs))
    return {
        f"{name}.weight": spread * rng.standard_normal((outputs, kernel * inputs)),
        f"{name}.bias": np.zeros(outputs),
    }


def convolve(parameters: Parameters, name: str, x: Any) -> Any:
    """Apply one periodic layer: (inputs, instances, cells) -> (outputs, instances, cells)."""
    xp = array_namespace(x)
    weight, bias = parameters[f"{name}.weight"], parameters[f"{name}.bias"]
    inputs, instances, cells = x.shape
    kernel = weight.shape[1] // inputs
    if kernel > 1:
        reach = kernel // 2
        padded = xp.concat([x[..., cells - reach :], x, x[..., :reach]], axis=-1)
        x = xp.concat([padded[..., j : j + cells] for j in range(kernel)])
    flat = weight @ xp.reshape(x, (-1, instances * cells)) + bias[:, None]
    return xp.reshape(flat, (-1, instances, cells))


def silu(x: Any) -> Any:
    """Return x/(1 + e^{−x}), by tanh, which does not overflow."""
    return 0.5 * x * (1.0 + array_namespace(x).tanh(0.5 * x))


class Stack:
    """Layers of one width after each other, all of them periodic, the last one linear.

    Args:
        name: prefix of its parameters.
        inputs, outputs: channels.
        channels: of the hidden layers.
        layers: number of hidden layers.
        kernel: cells.
        gain: factor on the last layer's first weights; small: it begins near zero.
    """

    def __init__(
        self, name: str, inputs: int, outputs: int, channels: int, layers: int, kernel: int,
        gain: float = 1.0,
    ) -> None:  # fmt: skip
        sizes = [inputs, *[channels] * layers, outputs]
        self._layers = [f"{name}.{i}" for i in range(layers + 1)]
        self._sizes, self._kernel, self._gain = sizes, kernel, gain

    def initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the weights."""
        drawn: dict[str, np.ndarray] = {}
        for i, layer in enumerate(self._layers):
            gain = self._gain if i + 1 == len(self._layers) else 1.0
            n, m = self._sizes[i : i + 2]
            drawn |= initial_layer(rng, layer, n, m, self._kernel, gain)
        return drawn

    def __call__(self, parameters: Parameters, x: Any) -> Any:
        """Apply it: (inputs, instances, cells) -> (outputs, instances, cells)."""
        for layer in self._layers[:-1]:
            x = silu(convolve(parameters, layer, x))
        return convolve(parameters, self._layers[-1], x)


class UNet:
    """Periodic U-Net: layers on grids halved again and again, joined on the way back.

    Ronneberger, Fischer & Brox 2015, doi:10.1007/978-3-319-24574-4_28, figure 1, with one layer
    for two, as many channels on every level, averages for maxima, repetition for up-convolution.

    Args:
        inputs, outputs: channels.
        channels: of the hidden layers.
        levels: halvings; the cells are a multiple of 2^levels.
        kernel: cells.
    """

    def __init__(self, inputs: int, outputs: int, channels: int, levels: int, kernel: int) -> None:
        self._levels = levels
        self._layers = {
            **{
                f"down{i}": (channels if i else inputs, channels, kernel) for i in range(levels + 1)
            },
            **{f"up{i}": (2 * channels, channels, kernel) for i in range(levels)},
            "out": (channels, outputs, 1),
        }

    def initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the weights."""
        drawn: dict[str, np.ndarray] = {}
        for name, (n, m, kernel) in self._layers.items():
            drawn |= initial_layer(rng, name, n, m, kernel)
        return drawn

    def __call__(self, parameters: Parameters, x: Any) -> Any:
        """Apply it: (inputs, instances, cells) -> (outputs, instances, cells)."""
        kept = []
        for i in range(self._levels + 1):
            x = silu(convolve(parameters, f"down{i}", x))
            if i < self._levels:
                kept.append(x)
                x = _halve(x)
        for i in reversed(range(self._levels)):
            x = array_namespace(x).concat([_double(x), kept[i]])
            x = silu(convolve(parameters, f"up{i}", x))
        return convolve(parameters, "out", x)


def _halve(x: Any) -> Any:
    return 0.5 * (x[..., ::2] + x[..., 1::2])


def _double(x: Any) -> Any:
    xp = array_namespace(x)
    return xp.reshape(xp.stack([x, x], axis=-1), (*x.shape[:-1], 2 * x.shape[-1]))
