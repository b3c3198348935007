"""What the peers share in their descriptions: presets, recipes, what a PINN library can state."""

import importlib.metadata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from pydantic import Field

from pdebench_lite.problem import Task, Unknown, split_derivative
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings
from pdebench_methods.pinn import PinnSettings


@dataclass(frozen=True)
class Library:
    """A library as it is installed here; nothing of it is imported.

    Attributes:
        name: as its authors write it.
        distributions: what it needs; the first is its own, whose version records keep.
    """

    name: str
    distributions: tuple[str, ...]

    def missing(self) -> str:
        """Say what is not installed and what to type; empty if nothing is missing."""
        absent = []
        for distribution in self.distributions:
            try:
                importlib.metadata.version(distribution)
            except importlib.metadata.PackageNotFoundError:
                absent.append(distribution)
        if not absent:
            return ""
        needs = f"{self.name} needs {', '.join(absent)}, not installed here"
        return f'{needs}; type: pip install "pdebench-lite[peers]"'

    def details(self) -> dict[str, str]:
        """Return name and version, for the record."""
        return {"library": self.name, "version": importlib.metadata.version(self.distributions[0])}


class PeerSettings(Settings):
    """Settings that every peer has."""

    library: ClassVar[Library]

    preset: Literal["documentation", "matched"] = Field(
        "documentation",
        description="documentation: as the library documents it; matched: on pinn's terms, or with "
        "a prior and a better optimiser",
    )


@dataclass(frozen=True)
class Recipe:
    """Network and points of a physics-informed training, and its first optimiser.

    Attributes:
        hidden: widths of the hidden layers.
        points: collocation points inside the domain.
        sides: points on both ends of the periodic axis together, where periodicity is a penalty.
        initial: points at the initial time, where the initial state is a penalty.
        hard: whether the task's embedding and ansatz replace those penalties, and a positive number
            is trained by its logarithm, all as in `pinn`.
        alpha0: weight of observations, relative to their mean square (documentation: 1, absolute).
        steps: steps of the first optimiser.
        learning_rate: of Adam.
        lbfgs: whether L-BFGS follows, where the library has it.
        glorot: the distribution of the first weights, where the library lets choose.
    """

    hidden: tuple[int, ...]
    points: int
    sides: int = 0
    initial: int = 0
    hard: bool = False
    alpha0: float = 1.0
    steps: int = 0
    learning_rate: float = 1e-3
    lbfgs: bool = False
    glorot: Literal["uniform", "normal"] = "uniform"


class PinnPeerSettings(PeerSettings):
    """Settings of a library of physics-informed networks; what is empty comes from the preset."""

    documented: ClassVar[Recipe]
    inverse: ClassVar[Recipe]  # documented where numbers are sought with the field

    width: int | None = Field(
        None, ge=1, le=4096, description="neurons per hidden layer; null: the preset's"
    )
    depth: int | None = Field(None, ge=1, le=64, description="hidden layers; null: the preset's")
    points: int | None = Field(
        None, ge=1, description="collocation points inside the domain; null: the preset's"
    )

    def recipe(self, unknowns: Iterable[Unknown]) -> Recipe:
        """Return a documented recipe or that of `pinn`, with what was set put in."""
        seeks = any(unknown.kind == "coefficient" for unknown in unknowns)
        recipe = self.inverse if seeks else self.documented
        if self.preset == "matched":
            recipe = _matched()
        hidden = recipe.hidden
        if self.width is not None or self.depth is not None:
            hidden = (self.width or hidden[0],) * (self.depth or len(hidden))
        return replace(recipe, hidden=hidden, points=self.points or recipe.points)


def _matched() -> Recipe:
    ours = PinnSettings()
    return Recipe(
        hidden=(ours.width,) * ours.depth,
        points=ours.points,
        hard=True,
        alpha0=ours.alpha0,
        steps=ours.adam_steps,
        learning_rate=ours.learning_rate,
        lbfgs=True,
    )


def supports_a_pinn_library(task: Task, config: PinnPeerSettings) -> Support:
    """Say whether a library of physics-informed networks is here and can state a task, as used."""
    absent = config.library.missing()
    if absent:
        return Support(False, absent)
    label = task.label
    if "equation" not in task.faces or not task.asks_fields:
        return Support(False, f"{label} states no residual of fields on points")
    domain, problem = task.problem.domain, task.problem
    if domain.time is None or len(domain.space) != 1 or not domain.space[0].periodic:
        return Support(False, f"{label} is not one periodic space axis and time, which this needs")
    for name, axes in ((u.name, u.axes) for u in task.unknowns if u.kind == "coefficient"):
        if axes:
            return Support(False, f"{label} seeks a function, {name}; numbers are sought here")
    for base, suffix in map(split_derivative, problem.needs):
        if len(suffix) > (2 if base in problem.field_names else 0):
            return Support(False, f"{label} needs {base}_{suffix}, which this adapter cannot take")
    return Support(True)
