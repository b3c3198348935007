"""Settings that methods share; light, because listing the methods reads them."""

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.registry import own_code
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings

Activation: TypeAlias = Literal["tanh", "sin", "sigmoid", "silu", "gelu", "softplus"]
Optimizer: TypeAlias = Literal[
    "auto", "gd", "adam", "lbfgs", "ssbroyden", "lm", "adam+lbfgs", "adam+ssbroyden", "adam+lm"
]

DENSE_UP_TO = 5000
"""Parameters up to which an optimiser may hold a matrix of parameters × parameters (200 MB)."""


SHAPE = ("width", "depth", "activation")
"""Settings of the fully connected network, which a network of one's own takes the place of."""


class NetworkSettings(Settings):
    """Shape of the network; depth 1 is the form of the universal approximation theorem."""

    width: int = Field(20, ge=1, le=4096, description="neurons per hidden layer")
    depth: int = Field(3, ge=1, le=64, description="hidden layers")
    activation: Activation = Field("tanh", description="activation function")
    network: str = Field(
        "",
        description="your own, package.module:callable, in place of width, depth, activation; "
        "called with the numbers of inputs and outputs, it returns a torch module or a JAX network",
    )

    @field_validator("network")
    @classmethod
    def _names_an_object(cls, network: str) -> str:
        if network and not own_code.is_path(network):
            raise ValueError("write package.module:callable, such as my_package.nets:Siren")
        return network

    @model_validator(mode="before")
    @classmethod
    def _one_network(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("network"):
            for name in SHAPE:
                if name in values:
                    raise ValueError(f"a network of your own has its own shape; leave {name} out")
        return values

    @model_serializer(mode="wrap")
    def _what_applies(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what has no meaning; cells without `network` keep the names they have had."""
        meaningless = SHAPE if self.network else ("network",)
        return {name: value for name, value in write(self).items() if name not in meaningless}

    @classmethod
    def code_paths(cls, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the path of a network of one's own."""
        return (values["network"],) if values.get("network") else ()


def supported(config: NetworkSettings) -> Support:
    """Say whether the module of a network of one's own is there; nothing is imported."""
    reason = own_code.missing(config.network) if config.network else ""
    return Support(not reason, f"network={config.network}: {reason}" if reason else "")


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
