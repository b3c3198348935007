"""Settings that methods share; light, because listing the methods reads them."""

from typing import Literal, TypeAlias

from pydantic import Field

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.selectors import Settings

Activation: TypeAlias = Literal["tanh", "sin", "sigmoid", "silu", "gelu", "softplus"]
Optimizer: TypeAlias = Literal[
    "auto", "gd", "adam", "lbfgs", "ssbroyden", "lm", "adam+lbfgs", "adam+ssbroyden", "adam+lm"
]

DENSE_UP_TO = 5000
"""Parameters up to which an optimiser may hold a matrix of parameters × parameters (200 MB)."""


class NetworkSettings(Settings):
    """Shape of the network; depth 1 is the form of the universal approximation theorem."""

    width: int = Field(20, ge=1, le=4096, description="neurons per hidden layer")
    depth: int = Field(3, ge=1, le=64, description="hidden layers")
    activation: Activation = Field("tanh", description="activation function")


class TrainingSettings(Settings):
    """Optimiser and its settings, common to all trained methods."""

    optimizer: Optimizer = Field(
        "auto",
        description="gd, adam, lbfgs, ssbroyden (self-scaled Broyden), lm (Levenberg–Marquardt), "
        "or adam+ one of the last three; auto: ssbroyden up to 5000 parameters, then adam+lbfgs",
    )
    learning_rate: float = Field(5e-3, gt=0, description="of gd and adam")
    adam_steps: int = Field(300, ge=1, description="adam steps before the second optimiser")

    def optimizers(self, parameters: int) -> list[str]:
        """Return the optimisers one after the other, for so many parameters.

        Raises:
            UnsupportedError: a dense matrix of that many parameters was asked for.
        """
        name = self.optimizer
        if name == "auto":
            name = "ssbroyden" if parameters <= DENSE_UP_TO else "adam+lbfgs"
        names = name.split("+")
        if names[-1] in ("ssbroyden", "lm") and parameters > DENSE_UP_TO:
            raise UnsupportedError(
                f"optimizer={name} holds a matrix of {parameters} × {parameters} parameters, which "
                f"ends at {DENSE_UP_TO}; use optimizer=adam+lbfgs or a smaller network"
            )
        return names
