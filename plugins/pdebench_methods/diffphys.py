"""Method `diffphys`: differentiable physics; unknowns are fitted through a solver."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from pdebench_lite.problem import Stationary, Task
from pdebench_lite.registry.method import Support
from pdebench_methods.settings import AUTO, named_optimizers
from pdebench_methods.solver_in_the_loop import CorrectionSettings, fits_a_correction

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "lecture": {
        "optimizer": "gd",
        "learning_rate": 5.0,
        "iterations": 50,
        "weight": 0.0,
        "basis": "cells",
        "misfit": "absolute",
    },
}
"""Defaults that a preset changes; `lecture` is the experiment of the book cited below."""

MODES: Mapping[str, Mapping[str, Any]] = {"solver-in-the-loop": {"learning_rate": 4e-3}}
"""Defaults that a mode changes."""


class DiffphysSettings(CorrectionSettings):
    """Settings of `diffphys`; what is given wins over what a preset says."""

    kinds: ClassVar[Mapping[str, str]] = {"optimizer": "optimizer"}

    preset: Literal["", "lecture"] = Field("", description="lecture: gradient descent on cells")
    cells: int = Field(
        0, ge=0, le=65536, description="cells per space axis; 0: chosen, and refined while it pays"
    )
    steps: int = Field(0, ge=0, description="time steps to the last observation; 0: by stability")
    scheme: str = Field("", description="a scheme of the problem; empty: that of highest order")
    basis: Literal["fourier", "cells"] = Field("fourier", description="of an unknown function")
    modes: int = Field(
        0,
        ge=0,
        description="Fourier modes per axis; 0: 64 in 1-D, 5 in 2-D, 10 half-waves with walls",
    )
    optimizer: str = Field(
        AUTO,
        description="a name of `pdebench list optimizers`; auto: gauss-newton up to 300 parameters "
        "in 1-D or without time; ssbroyden up to 2000; lbfgs",
    )
    learning_rate: float = Field(1e-2, gt=0, description="of gd and adam")
    iterations: int = Field(0, ge=0, description="most steps of the last stage; 0: to convergence")
    misfit: Literal["relative", "absolute"] = Field(
        "relative", description="mean square of the misfit, over that of the data or as it is"
    )
    weight: Annotated[float, Field(ge=0)] | Literal["auto"] = Field(
        "auto", description="weight of the smoothness prior; auto: by evidence or discrepancy"
    )
    coarse_to_fine: bool | Literal["auto"] = Field(
        "auto", description="blurred targets first; auto: where a motion is sought"
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_preset(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        preset = PRESETS.get(values.get("preset", ""), {})
        return {**MODES.get(values.get("mode", ""), {}), **preset, **values}

    @field_validator("optimizer")
    @classmethod
    def _names_an_optimizer(cls, optimizer: str) -> str:
        if "+" in optimizer.partition("[")[0]:
            raise ValueError("give one optimiser: its stages come from the search")
        return named_optimizers(optimizer, "gradient", "objective")

    @field_validator("cells")
    @classmethod
    def _at_least_eight(cls, cells: int) -> int:
        if 0 < cells < 8:
            raise ValueError("give at least 8 cells, or 0 to have them chosen")
        return cells


def supports(task: Task, config: DiffphysSettings) -> Support:
    """Say whether a task has unknowns and a solver to unroll or to differentiate implicitly."""
    if config.mode == "solver-in-the-loop":
        return fits_a_correction(task, config.scheme)
    if task.instances:
        found = fits_a_correction(task, config.scheme)
        remedy = f"{task.label} is a family: use diffphys[mode=solver-in-the-loop]"
        return Support(False, remedy if found.ok else found.reason)
    if "solver" not in task.faces or not task.asks_fields:
        return Support(False, f"{task.label} states no solver of fields to differentiate")
    time = task.problem.domain.time
    if time is not None and task.without_start:
        return Support(False, task.without_start)
    if not task.unknowns:
        return Support(
            False,
            f"nothing to optimise in {task.label}: all that its solver reads is given; a classical "
            "solver does it",
        )
    if time is None:
        return _supports_stationary(task, config)
    if not task.problem.schemes():
        return Support(False, f"{task.label} has no time step of fields to unroll")
    if config.scheme and config.scheme not in task.problem.schemes():
        names = ", ".join(task.problem.schemes())
        return Support(False, f"no scheme '{config.scheme}' in {task.label}; it has: {names}")
    own = _cells_of(task, config)
    if own and config.cells not in (0, own):
        return Support(
            False,
            f"the scheme of {task.label} has {own} cells, not {config.cells}; leave out cells",
        )
    for unknown in task.unknowns:
        if time.name in unknown.axes:
            return Support(False, f"{unknown.name} depends on time, which a rollout holds constant")
    return _weighted(config)


def _supports_stationary(task: Task, config: DiffphysSettings) -> Support:
    """Say whether a stationary problem is one of fluxes on a box, and no setting is of time."""
    if not isinstance(task.problem.solver(), Stationary):
        return Support(False, f"{task.label} states no fluxes of a stationary equation")
    if not task.problem.domain.is_box:
        shape = type(task.problem.domain.geometry).__name__
        return Support(False, f"{task.label} lives on a {shape}; finite volumes need a box")
    for name in ("scheme", "steps"):
        if getattr(config, name):
            return Support(False, f"{task.label} has no time: leave out {name}")
    if any(u.axes for u in task.unknowns) and config.basis == "cells":
        return Support(False, f"basis=cells is for periodic axes, which {task.label} has not")
    return _weighted(config)


def _weighted(config: DiffphysSettings) -> Support:
    """Say whether the optimiser can do without a prior where there is none."""
    if config.optimizer == "gauss-newton" and config.weight == 0.0:
        return Support(False, "gauss-newton needs a weight above 0, such as weight=1e-14")
    return Support(True)


def _cells_of(task: Task, config: DiffphysSettings) -> int | None:
    """Return the number of cells that belongs to the scheme which will be used, if one does."""
    schemes = task.problem.schemes()
    chosen = config.scheme or max(schemes, key=lambda name: schemes[name].order)
    return schemes[chosen].cells
