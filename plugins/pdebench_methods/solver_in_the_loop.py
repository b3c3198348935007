"""Settings of `diffphys[mode=solver-in-the-loop]`: a network that corrects a coarse solver."""

from typing import ClassVar, Literal

from pydantic import Field

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_methods.operators import fits
from pdebench_methods.settings import ComponentSettings

CELLS = 32
"""Cells of the coarse solver where none are configured."""


class CorrectionSettings(ComponentSettings):
    """Settings that only the mode `solver-in-the-loop` reads."""

    always: ClassVar[tuple[str, ...]] = ("adam",)

    mode: Literal["inverse", "solver-in-the-loop"] = Field(
        "inverse",
        description="inverse: fit the unknowns of one instance; solver-in-the-loop: learn to "
        "correct a coarse solver, over a family",
    )
    corrections: int = Field(4, ge=1, description="solver-in-the-loop: corrections from start to T")
    precomputed: float = Field(
        0.5,
        ge=0,
        le=1,
        description="solver-in-the-loop: share of the budget in which each correction is learned "
        "alone, from states of the solver on the cells of the labels; the rest trains the rollout",
    )
    channels: int = Field(
        8, ge=0, description="solver-in-the-loop: of the network; 0: the coarse solver alone"
    )
    layers: int = Field(3, ge=1, le=64, description="solver-in-the-loop: hidden layers")
    instances: int = Field(0, ge=0, description="solver-in-the-loop: labelled instances; 0: all")
    batch: int = Field(16, ge=1, description="solver-in-the-loop: instances of a minibatch")


def fits_a_correction(task: Task, scheme: str) -> Support:
    """Say whether a coarse solver can be corrected: a family whose problem has a time step."""
    found = fits(task)
    if not found.ok:
        return found
    schemes = task.problem.schemes() if "solver" in task.faces else {}
    if not schemes:
        return Support(False, f"{task.label} has no time step to correct")
    if scheme and scheme not in schemes:
        names = ", ".join(schemes)
        return Support(False, f"no scheme '{scheme}' in {task.label}; it has: {names}")
    return Support(True)
