"""Settings that methods share; light, because listing the methods reads them."""

from typing import Literal, TypeAlias

from pydantic import Field

from pdebench_lite.selectors import Settings

Activation: TypeAlias = Literal["tanh", "sin", "sigmoid", "silu", "gelu", "softplus"]
Optimizer: TypeAlias = Literal["gd", "adam", "lbfgs", "adam+lbfgs"]


class NetworkSettings(Settings):
    """Shape of the network; depth 1 is the form of the universal approximation theorem."""

    width: int = Field(20, ge=1, le=4096, description="neurons per hidden layer")
    depth: int = Field(3, ge=1, le=64, description="hidden layers")
    activation: Activation = Field("tanh", description="activation function")


class TrainingSettings(Settings):
    """Optimiser and its settings, common to all trained methods."""

    optimizer: Optimizer = Field("adam+lbfgs", description="gd, adam, lbfgs or adam+lbfgs")
    learning_rate: float = Field(1e-3, gt=0, description="of gd and adam")
    adam_steps: int = Field(500, ge=1, description="adam steps before lbfgs in adam+lbfgs")
