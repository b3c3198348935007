"""What the peers share in their descriptions: presets, recipes, what a PINN library can state."""

import importlib.metadata
from dataclasses import dataclass, replace
from typing import Literal

from pydantic import Field

from pdebench_lite.method import Support
from pdebench_lite.problem import Task, split_derivative
from pdebench_lite.selectors import Settings
from pdebench_methods.pinn import PinnSettings


class PeerSettings(Settings):
    """Settings that every peer has."""

    preset: Literal["documentation", "matched"] = Field(
        "documentation", description="documentation: the library's own recipe; matched: ours in it"
    )


@dataclass(frozen=True)
class Recipe:
    """Network and points of a physics-informed training.

    Attributes:
        hidden: widths of the hidden layers.
        points: collocation points inside the domain.
        sides: points on both ends of the periodic axis together, where periodicity is a penalty.
        initial: points at the initial time, where the initial state is a penalty.
        hard: whether the task's embedding and ansatz replace those penalties.
        alpha0: weight of observations, relative to their mean square (documentation: 1, absolute).
        adam_steps: steps of the first optimiser.
    """

    hidden: tuple[int, ...]
    points: int
    sides: int = 0
    initial: int = 0
    hard: bool = False
    alpha0: float = 1.0
    adam_steps: int = 0


class PinnPeerSettings(PeerSettings):
    """Settings of a library of physics-informed networks; what is empty comes from the preset."""

    width: int | None = Field(None, ge=1, le=4096, description="neurons per hidden layer")
    depth: int | None = Field(None, ge=1, le=64, description="hidden layers")
    points: int | None = Field(None, ge=1, description="collocation points inside the domain")

    def recipe(self, documented: Recipe) -> Recipe:
        """Return the documented recipe or that of `pinn`, with what was set put in."""
        recipe = documented if self.preset == "documentation" else _matched()
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
        adam_steps=ours.adam_steps,
    )


def missing(*distributions: str) -> str:
    """Say which distributions a peer lacks here and what to type; empty if it has them all.

    Nothing is imported: the answer is read from what is installed.
    """
    absent = []
    for distribution in distributions:
        try:
            importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            absent.append(distribution)
    if not absent:
        return ""
    return (
        f'needs {", ".join(absent)}, not installed here; type: pip install "pdebench-lite[peers]"'
    )


def fits_a_pinn_library(task: Task) -> Support:
    """Say whether a task can be stated by a library of physics-informed networks, as used here."""
    label = task.label
    if "equation" not in task.faces or not task.asks_fields:
        return Support(False, f"{label} states no residual of fields on points")
    domain, problem = task.problem.domain, task.problem
    if domain.time is None or len(domain.space) != 1 or not domain.space[0].periodic:
        return Support(False, f"{label} is not one periodic space axis and time, which this needs")
    if any(unknown.kind != "initial" for unknown in task.unknowns):
        return Support(False, f"{label} seeks a coefficient, which this adapter does not state")
    for base, suffix in map(split_derivative, problem.needs):
        if len(suffix) > (2 if base in problem.fields else 0):
            return Support(False, f"{label} needs {base}_{suffix}, which this adapter cannot take")
    return Support(True)
