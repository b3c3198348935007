"""Network `fourier-features`: random waves of the inputs, then fully connected layers."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pydantic import Field

from pdebench_lite.numerics import array_namespace
from pdebench_lite.selectors import Settings
from pdebench_methods.networks import FullyConnected, Layer
from pdebench_methods.settings import NetworkSettings


class FourierSettings(Settings):
    """Settings of `fourier-features`."""

    waves: int = Field(16, ge=1, le=4096, description="random waves, each as a cosine and a sine")
    scale: float = Field(
        1.0,
        gt=0,
        description="standard deviation of the wave numbers; every axis is scaled to the domain, "
        "so 1 is about one radian from its middle to an end",
    )


class FourierFeatures:
    """γ(x) = (cos Bx, sin Bx), B ~ N(0, scale²), then the layers of `mlp`.

    Tancik et al. 2020 (NeurIPS, arXiv:2006.10739, eq. 5, where Bx is 2πBx); for the scale and
    PDEs: Wang, Wang & Perdikaris 2021, doi:10.1016/j.cma.2021.113938. x are the features of the
    method: coordinates scaled by the domain, or a sine and a cosine where they are periodic, so
    that what is periodic stays so. B is trained with the rest, as in jaxpi (`archs.FourierEmbs`).

    Args:
        shape: width, depth, activation of the layers.
        config: number and scale of the waves.
    """

    def __init__(self, shape: NetworkSettings, config: FourierSettings) -> None:
        self._layers, self._config = FullyConnected(shape), config

    def initial(self, rng: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        """Draw the waves, `waves` (waves, inputs), and the layers."""
        waves = self._config.scale * rng.normal(size=(self._config.waves, inputs))
        return {"waves": waves} | self._layers.initial(rng, 2 * self._config.waves, outputs)

    def silenced(self, drawn: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the last layer's weights as zeros; its biases are."""
        return self._layers.silenced({k: v for k, v in drawn.items() if k != "waves"})

    def __call__(self, weights: Mapping[str, Any], x: Any, layer: Layer) -> Any:
        """Return outputs × points."""
        waves, xp = weights["waves"], array_namespace(weights["waves"])
        zero = xp.zeros_like(waves[:, 0])
        phase = layer.linear(xp.concat([waves, waves]), x, xp.concat([zero + 0.5 * np.pi, zero]))
        layers = {name: values for name, values in weights.items() if name != "waves"}
        return self._layers(layers, layer.activate("sin", phase), layer)  # cos y = sin(y + π/2)
