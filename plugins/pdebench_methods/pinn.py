"""Method `pinn`: a network made to satisfy the equation at collocation points."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from pdebench_lite.problem import Task
from pdebench_lite.registry import own_code
from pdebench_lite.registry.method import Support
from pdebench_methods.operators import fits
from pdebench_methods.settings import (
    SHAPE,
    TrainedNetworkSettings,
    component,
    named,
    supported,
    takes_jets,
)

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "": {},
    "lecture": {
        "width": 20,
        "depth": 8,
        "optimizer": "gd",
        "learning_rate": 0.02,
        "points": 1000,
        "side_points": 100,
        "redraw": 0,
        "alpha0": 1.0,
        "alpha1": 1.0,
        "constraints": "soft",
    },
    "raissi": {
        "width": 20,
        "depth": 8,
        "optimizer": "adam+lbfgs",
        "learning_rate": 1e-3,
        "points": 10_000,
        "side_points": 50,
        "redraw": 0,
        "alpha0": 1.0,
        "alpha1": 1.0,
        "constraints": "soft",
    },
}
"""Defaults that a preset changes.

`lecture` is the physical loss of the book by Thuerey et al. (arXiv:2109.05237).

`raissi` is the example of Burgers' equation of Raissi et al. 2019 (doi:10.1016/j.jcp.2018.10.045,
appendix A.1, and the authors' code, github.com/maziarraissi/PINNs). The same: 8 hidden layers of 20
tanh, inputs scaled to [−1, 1], the sum of both mean squares, 10,000 points by Latin hypercube,
100 points for initial and boundary conditions, L-BFGS with a memory of 50. Different: Adam comes
before L-BFGS; the 100 points are 50 at the start and 50 pairs of ends, where values and slopes are
to agree (the paper: 100 of 456, u = 0 at the ends); the 456 are not collocation points as well;
weights are drawn uniformly (there: a truncated normal distribution of the same scale) and are in
float64 unless the run asks for float32, as there.
"""


class PinnSettings(TrainedNetworkSettings):
    """Settings of `pinn`; what is given wins over what a preset says.

    The defaults are the strongest recipe known here: hard constraints, self-scaled Broyden, points
    redrawn where the residual is large (Urbán et al. 2025, doi:10.1016/j.jcp.2024.113656).
    """

    usual: ClassVar[Mapping[str, str]] = {
        **TrainedNetworkSettings.usual,
        "weighting": "fixed",
        "sampler": "residual",
    }
    kinds: ClassVar[Mapping[str, str]] = {
        **TrainedNetworkSettings.kinds,
        "weighting": "weighting",
        "sampler": "sampler",
    }

    preset: Literal["", "lecture", "raissi"] = Field(
        "", description="lecture: soft, plain gradient descent; raissi: soft, Adam + L-BFGS"
    )
    depth: int = Field(
        4, ge=1, le=64, description="hidden layers; 8, on more points, err least in the long run"
    )
    points: int = Field(4000, ge=1, description="collocation points inside the domain, at first")
    most_points: int = Field(
        0,
        ge=0,
        description="limit up to which the points are doubled in a long run; 0: never",
    )
    doubling: int = Field(3000, ge=1, description="steps between doublings of the points")
    redraw: int = Field(
        500,
        ge=0,
        description="most steps before the points are drawn again and the parts of the loss "
        "weighed again; 0: never",
    )
    sampler: str = Field(
        "residual", description="where the points lie: a name of `pdebench list samplers`"
    )
    weighting: str = Field(
        "fixed",
        description="of the parts of the loss, besides α₀ and α₁: a name of "
        "`pdebench list weightings`; it takes effect whenever points are drawn",
    )
    candidates: int = Field(50_000, ge=1, description="points from which the new ones are drawn")
    side_points: int = Field(200, ge=1, description="points per soft constraint")
    alpha0: float = Field(100.0, ge=0, description="weight α₀ of data and soft constraints")
    least_alpha0: float = Field(
        0.01,
        gt=0,
        description="to which α₀ of noisy observations falls tenfold, whenever points are redrawn, "
        "while the misfit is below their noise; alpha0 or more: never",
    )
    alpha1: float = Field(1.0, ge=0, description="weight α₁ of the residual")
    constraints: Literal["hard", "soft"] = Field(
        "hard", description="hard: the task's ansatz and periodic embedding; soft: penalties"
    )
    derivatives: Literal["jets", "autodiff"] = Field(
        "jets",
        description="one Taylor-mode pass, or nested automatic differentiation; "
        "for networks that take no jets: autodiff",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_preset(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        preset = dict(PRESETS.get(str(values.get("preset", "")), {}))
        network = str(values.get("network", "mlp"))
        if own_code.is_path(network):
            preset = {k: v for k, v in preset.items() if k not in SHAPE}
        if not takes_jets(network):
            preset["derivatives"] = "autodiff"
            if values.get("derivatives") == "jets":
                whose = "a network of your own" if own_code.is_path(network) else network
                raise ValueError(f"jets do not pass through {whose}; leave derivatives out")
        return {**preset, **values}

    @field_validator("sampler")
    @classmethod
    def _names_a_sampler(cls, sampler: str) -> str:
        return named("sampler", sampler)

    @field_validator("weighting")
    @classmethod
    def _names_a_weighting(cls, weighting: str) -> str:
        return named("weighting", weighting)

    @model_validator(mode="after")
    def _enough_candidates(self) -> "PinnSettings":
        if self.weighting != "fixed" and not self.redraw:
            raise ValueError(
                f"weighting={self.weighting} changes whenever points are drawn; give redraw above 0"
            )
        name = "points" if self.most_points <= self.points else "most_points"
        wanted = getattr(self, name)
        if self.redraw and self.candidates < wanted:
            raise ValueError(
                f"candidates={self.candidates} are fewer than {name}={wanted} to be drawn from "
                "them; give more candidates or redraw=0"
            )
        return self


def supports(task: Task, config: PinnSettings) -> Support:
    """Say whether a task states a residual of fields on points."""
    if task.instances:
        return _supports_each_instance(task, config)
    if "equation" not in task.faces or not task.asks_fields:
        return Support(False, f"{task.label} states no residual of fields on points")
    if component("weighting", config.weighting)[0].time and task.problem.domain.time is None:
        return Support(False, f"weighting={config.weighting} needs time, {task.label} has none")
    return supported(config)


def _supports_each_instance(task: Task, config: PinnSettings) -> Support:
    """Say whether a network can be trained for each instance of a query."""
    if "equation" not in task.faces:
        return Support(False, f"{task.label} states no residual")
    found = fits(task)
    if found.ok and config.derivatives == "autodiff" and config.constraints == "hard":
        jets = takes_jets(config.network)
        needs = "derivatives=autodiff" if jets else "network"
        remedy = "constraints=soft" + (", or derivatives=jets" if jets else "")
        reason = f"the initial states of a family come as numbers: {needs} needs soft constraints"
        return Support(False, f"{reason}; write {remedy}")
    return supported(config) if found.ok else found
