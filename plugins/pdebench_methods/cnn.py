"""Settings of `cnn`: a periodic convolutional network from the initial state to later states."""

from typing import Any

from pydantic import Field, field_validator

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_methods.operators import OperatorSettings, fits


class CnnSettings(OperatorSettings):
    """Settings of `cnn`."""

    channels: int = Field(16, ge=1, le=1024, description="of every hidden layer")
    levels: int = Field(4, ge=0, le=12, description="halvings of the resolution")
    kernel: int = Field(5, ge=1, le=31, description="cells of a kernel, an odd number")

    @field_validator("kernel")
    @classmethod
    def _odd(cls, kernel: int) -> int:
        if kernel % 2 == 0:
            raise ValueError(f"a kernel has a middle: give {kernel - 1} or {kernel + 1}")
        return kernel


def supports(task: Task, config: Any) -> Support:
    """Say whether a task can be learned: a family on one periodic space axis."""
    return fits(task)
