"""Settings of `fno`: the Fourier neural operator of the package neuraloperator, in PyTorch only."""

import importlib.util
from typing import Any

from pydantic import Field

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_methods.operators import OperatorSettings, fits


class FnoSettings(OperatorSettings):
    """Settings of `fno`; the package computes its spectral layers in single precision."""

    modes: int = Field(32, ge=1, le=4096, description="Fourier modes that a spectral layer keeps")
    channels: int = Field(16, ge=1, le=1024, description="of every hidden layer")
    layers: int = Field(4, ge=1, le=64, description="spectral layers")


def supports(task: Task, config: Any) -> Support:
    """Say whether a task can be learned, and whether the package is there; nothing is imported."""
    if importlib.util.find_spec("neuralop") is None:
        return Support(
            False,
            "needs neuraloperator, not installed here; type: pip install "
            '"pdebench-lite[operators]"',
        )
    return fits(task)
