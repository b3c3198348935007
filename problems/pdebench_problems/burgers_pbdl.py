"""Task `burgers:pbdl`: the experiment of the book *Physics-based Deep Learning* on Burgers.

Its solver is part of the question: the same solver makes the target, inverts it and judges the
answer. That is an inverse crime, and errors here say nothing about those against the equation.
"""

from collections.abc import Mapping
from functools import cached_property
from math import pi
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from pdebench_lite.errors import PdebenchError
from pdebench_lite.numerics import Grid, diffuse_explicit, interpolate_periodic, semi_lagrangian
from pdebench_lite.problem import (
    Arrays,
    Carried,
    Evolution,
    Function,
    Observation,
    Problem,
    Reference,
    Scheme,
)
from pdebench_lite.selectors import Settings, changed
from pdebench_lite.tasks import FieldTask, Reconstruction
from pdebench_lite.tasks.field import Axes, Purpose, flatten

CELLS = 128
FRAMES = 33
OBSERVED = 16  # the frame that is given: t = 0.5
DT = 1.0 / (FRAMES - 1)
NU = 0.01 / (128 * pi)  # of the published program; the text next to it says 0.01/π


def step(state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
    """Take one step of the book: explicit diffusion, then u carried by itself.

    Semi-Lagrangian with linear interpolation and Euler's trace, as PhiFlow does it.
    """
    u = diffuse_explicit(state["u"], unknowns["nu"], dt, grid)
    return {"u": semi_lagrangian(u, u, dt, grid, order="linear", trace="euler")}


def _any_step(state: Arrays, unknowns: Arrays, grid: Grid) -> float:
    return float("inf")


class Pbdl(Reconstruction):
    """Recover the field from frame 16 of 33, made by the very solver of this task.

    128 cells, Δt = 1/32, ν = 0.01/(128π), u₀ = −sin πx. Scored on the cells and frames themselves:
    elsewhere the solver says nothing.

    Source: Thuerey et al. 2021, arXiv:2109.05237, "Burgers optimization with a differentiable
    physics gradient".
    """

    class Parameters(Settings):
        """`noise`: standard deviation over the rms of the snapshot."""

        noise: float = Field(0.0, ge=0, le=1, description="noise std, relative to snapshot rms")

    name = "pbdl"
    summary = "the book's set-up: solver and target are the same (an inverse crime); find u and u₀"
    ranked: ClassVar[tuple[str, ...]] = ("mae", "initial_rel_l2", "rel_l2", "rel_l2_carried")
    reported = ("misfit", "linf", "initial_violation", "mass_violation")
    everywhere: ClassVar[bool] = False

    def __init__(self, problem: Problem, parameters: Any) -> None:
        given = ", ".join(changed(problem.parameters))
        if given:
            raise PdebenchError(f"burgers:pbdl fixes its equation as published; leave out: {given}")
        FieldTask.__init__(self, published_problem(), parameters)

    @property
    def settings(self) -> dict[str, Any]:
        """Only those of the task: the equation has none."""
        return dict(self.parameters.model_dump(mode="json"))

    @cached_property
    def _snapshot(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        x = self.problem.domain.grid(CELLS).centres("x")
        points = {"x": x, "t": np.full(CELLS, OBSERVED * DT)}
        return points, self.reference.evaluate(points)

    def axes(self, purpose: Purpose) -> Axes:
        """Return the cells and frames of the solver, for both purposes."""
        x = self.problem.domain.grid(CELLS).centres("x")
        return {"x": x, "t": DT * np.arange(FRAMES)}

    def labels(self, rng: np.random.Generator, n: int) -> tuple[Observation, ...]:
        """Draw n cells and frames, with replacement, and read the simulation there."""
        if n < 1:
            raise PdebenchError(f"labels={n}: ask for at least one label")
        every = flatten(self.axes("final"))
        chosen = rng.integers(0, CELLS * FRAMES, n)
        points = {name: values[chosen] for name, values in every.items()}
        return (Observation("u", points, self.reference.evaluate(points)["u"]),)


def published_problem() -> Problem:
    """Return Burgers' equation with the ν, the solver and the truth of the book."""
    from pdebench_problems.burgers import Burgers

    class Published(Burgers):
        """u_t + u u_x = ν u_xx with ν = 0.01/(128π); its solver is its truth."""

        class Parameters(Burgers.Parameters):
            """Parameters of Burgers' equation, as published."""

            nu: float = Field(NU, gt=0, description="viscosity ν")

        def solver(self) -> Evolution:
            """Return the one solver, with its grid and step."""
            what = "explicit diffusion, semi-Lagrangian"
            return Evolution(own={"pbdl": Scheme(step, _any_step, what, 1, cells=CELLS, dt=DT)})

        def reference(self) -> Reference:
            """Return the simulation, with linear interpolation between its cells and frames."""
            grid = self.domain.grid(CELLS)
            frames = self._simulate(self.initial_state(grid.points())["u"])

            def evaluate(points: Arrays) -> dict[str, np.ndarray]:
                values = _between(frames, grid, np.asarray(points["x"]), np.asarray(points["t"]))
                return {"u": values, "nu": np.full(np.shape(points["x"]), NU)}

            return Reference(evaluate, _ROUNDING, "the solver of the task itself: an inverse crime")

        def carry(
            self, found: Mapping[str, Function], axes: Mapping[str, np.ndarray], tolerance: float
        ) -> Carried | None:
            """Carry a found initial state by the solver of the task."""
            grid = self.domain.grid(CELLS)
            frames = self._simulate(np.asarray(found["u_initial"](grid.points()), float))
            flat = flatten(dict(axes))
            shape = tuple(a.size for a in axes.values())
            values = _between(frames, grid, flat["x"], flat["t"]).reshape(shape)
            return Carried({"u": values}, _ROUNDING)

        def _simulate(self, start: np.ndarray) -> np.ndarray:
            grid, frames = self.domain.grid(CELLS), [np.reshape(start, CELLS)]
            for k in range(FRAMES - 1):
                frames.append(step({"u": frames[-1]}, {"nu": NU}, k * DT, DT, grid)["u"])
            return np.stack(frames)

    return Published(Published.Parameters())


_ROUNDING = 1e-14  # of interpolation at the cells and frames themselves


def _between(frames: np.ndarray, grid: Grid, x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Interpolate frames (times, cells) linearly at points, periodic in x."""
    place = (x - grid.lower[0]) / grid.spacing["x"] - 0.5
    place = np.where(np.abs(place - np.rint(place)) < 1e-9, np.rint(place), place)
    frame = np.clip(t / DT, 0.0, FRAMES - 1.0)
    before = np.minimum(np.floor(frame).astype(int), FRAMES - 2)
    part = frame - before
    at, columns = interpolate_periodic(frames, place, "linear"), np.arange(x.size)
    return (1.0 - part) * at[before, columns] + part * at[before + 1, columns]
