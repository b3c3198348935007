"""Task `advection-density:transport-2d`: the motion that turns and shears two blobs in a square."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import pi
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from pdebench_lite.numerics import array_namespace, interpolate_periodic
from pdebench_lite.problem import (
    Arrays,
    Box,
    Carried,
    Domain,
    Evolution,
    Function,
    Observation,
    Periodic,
    Problem,
    Reference,
    Unknown,
)
from pdebench_lite.seeding import generator
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks import FieldTask
from pdebench_problems._characteristics import Bumps, characteristics, departure_points
from pdebench_problems._semi_lagrangian import steady

_TABLE = 192  # cells an axis of the table from which a found motion is read
_RTOL = 1e-9  # of the reference: the error of the density stays far below what a method reaches


@dataclass(frozen=True)
class Vortex:
    """Steady motion on the unit square, periodic and free of divergence; lengths from its centre.

    u = c₁ − ω/2π sin 2πY + σ/4π sin 4πY, v = c₂ + ω/2π sin 2πX: near the centre a rotation by the
    angular velocity ω, a shear σ of u along y, and a drift c.
    """

    turn: float
    shear: float
    drift: tuple[float, float]

    def __call__(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Return (u, v) at points of any backend and shape."""
        xp = array_namespace(x)
        u = self.drift[0] - self.turn / (2 * pi) * xp.sin(2 * pi * (y - 0.5))
        u = u + self.shear / (4 * pi) * xp.sin(4 * pi * (y - 0.5))
        return u, self.drift[1] + self.turn / (2 * pi) * xp.sin(2 * pi * (x - 0.5))


BLOBS = ((Bumps((0.32,), (0.09,), (1.0,)), Bumps((0.42,), (0.07,), (1.0,))),
         (Bumps((0.66,), (0.07,), (0.6,)), Bumps((0.62,), (0.1,), (1.0,))))  # fmt: skip
"""Each is the product of a bump in x and one in y."""


def blobs(points: Arrays) -> Any:
    """Return d⁰ at points x, y: arrays of any backend, or jets within the square."""
    return sum(along_x(points["x"]) * along_y(points["y"]) for along_x, along_y in BLOBS)


def random_vortex(rng: np.random.Generator) -> Vortex:
    """Draw a vortex: ω uniform in ±[0.8, 1.8], σ in ±0.8, drifts in ±0.08; six decimals."""
    sign = 1.0 if rng.random() < 0.5 else -1.0
    turn, shear = sign * rng.uniform(0.8, 1.8), rng.uniform(-0.8, 0.8)
    drift = rng.uniform(-0.08, 0.08, 2)
    return Vortex(
        round(float(turn), 6),
        round(float(shear), 6),
        (round(float(drift[0]), 6), round(float(drift[1]), 6)),
    )


class Transport2d(FieldTask):
    """Find the steady motion (u, v) on the unit square that carries d⁰ to the observed d at t = 1.

    As `transport`, in the plane: rotation, shear and drift of two blobs. d⁰ is given exactly, d at
    the final time on cell centres. One target does not determine the motion, so what is ranked is
    where it takes d⁰, as carried by the reference integrator.
    """

    class Parameters(Settings):
        """`points`: observed cells an axis; `noise`: std over the rms of the target."""

        points: int = Field(64, ge=16, le=512, description="observed cell centres along an axis")
        noise: float = Field(0.0, ge=0, le=1, description="noise std, relative to target rms")

    name = "transport-2d"
    summary = "as transport, in the plane: find the motion that turns and shears two blobs"
    ranked: ClassVar[tuple[str, ...]] = ("rel_l2_carried", "rel_l2")
    reported: ClassVar[tuple[str, ...]] = (
        "misfit", "motion_error", "mid_time_error", "kinetic_energy", "mass_change",
        "do_nothing_mismatch", "initial_violation", "linf", "mae",
    )  # fmt: skip
    at_end = True
    carry_tolerance: ClassVar[dict[str, float]] = {"history": 1e-3, "final": 1e-6}
    scoring: ClassVar[dict[str, int]] = {"2": 64, "time": 21}
    watching: ClassVar[dict[str, int]] = {"2": 40, "time": 11}

    def __init__(self, problem: Problem, parameters: Any) -> None:
        super().__init__(plane(problem.parameters), parameters)

    @property
    def gives(self) -> frozenset[str]:
        """The initial density is known, so an ansatz may use it."""
        return super().gives | {"initial_state", "ansatz"}

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The two components of the motion, functions of x and y."""
        unit = self.problem.unit("u")
        return tuple(Unknown(name, "coefficient", ("x", "y"), unit=unit) for name in ("u", "v"))

    @cached_property
    def _target(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        centres = self.problem.domain.grid(self.parameters.points).points()
        mesh = np.broadcast_arrays(*(centres[a] for a in ("x", "y")))
        points = {"x": mesh[0].ravel(), "y": mesh[1].ravel(), "t": np.ones(mesh[0].size)}
        return points, self.reference.evaluate(points)["d"]

    def observations(self, rng: np.random.Generator) -> tuple[Observation, ...]:
        """Return d at the final time on cell centres."""
        points, exact = self._target
        noise = float(self.parameters.noise * np.sqrt(np.mean(exact**2)))
        return (Observation("d", points, exact + noise * rng.standard_normal(exact.size), noise),)


def plane(parameters: Any) -> Problem:
    """Return the advection of a density on the unit square."""
    from pdebench_problems.advection_density import AdvectionDensity

    class Plane(AdvectionDensity):
        """∂d/∂t + u ∂d/∂x + v ∂d/∂y = 0 on the unit square, periodic, t ∈ [0, 1]."""

        units: ClassVar[Mapping[str, str]] = {
            "d": "dimensionless", "u": "widths per unit time", "v": "widths per unit time",
        }  # fmt: skip
        coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"u": ("x", "y"), "v": ("x", "y")}
        needs: ClassVar[tuple[str, ...]] = ("d_t", "d_x", "d_y", "u", "v")

        @cached_property
        def domain(self) -> Domain:
            """The unit square, periodic, and t ∈ [0, 1]."""
            return Domain(Box(x=(0, 1), y=(0, 1)), (0, 1), Periodic("x", "y"))

        @cached_property
        def _vortex(self) -> Vortex:
            if self.parameters.instance == 0:
                return Vortex(1.5, 0.5, (0.05, -0.03))
            return random_vortex(generator("advection-density", "vortex", self.parameters.instance))

        def coefficient_values(self) -> Mapping[str, float | Function]:
            """Return the motion."""
            return {
                "u": lambda points: self._vortex(points["x"], points["y"])[0],
                "v": lambda points: self._vortex(points["x"], points["y"])[1],
            }

        def initial_state(self, points: Arrays) -> Arrays:
            """Return d⁰ at points x, y, any shape, any backend."""
            return {"d": blobs(points)}

        def residual(self, d: Arrays) -> Arrays:
            """Return d_t + u d_x + v d_y."""
            return {"transport": d["d_t"] + d["u"] * d["d_x"] + d["v"] * d["d_y"]}

        def solver(self) -> Evolution:
            """Return `cubic` (default) and `linear`."""
            own = {
                "cubic": steady("cubic", ("u", "v"), "semi-Lagrangian, cubic interpolation", 3),
                "linear": steady("linear", ("u", "v"), "semi-Lagrangian, linear interpolation"),
            }
            return Evolution(own=own)

        def reference(self) -> Reference:
            """Return the exact density by characteristics, with the bound from halved steps."""

            def velocity(y: np.ndarray) -> tuple[Any, Any]:
                return self._vortex(y[0], y[1])

            def evaluate(points: Arrays) -> dict[str, np.ndarray]:
                here = np.stack([np.asarray(points[a], float) for a in ("x", "y")])
                start, _ = departure_points(velocity, here, points["t"], _RTOL)
                u, v = self._vortex(*here)
                return {"d": _density(start), "u": u, "v": v}

            nodes = (np.arange(48) + 0.5) / 48
            grid = np.stack([m.ravel() for m in np.meshgrid(nodes, nodes, indexing="ij")])
            start, error = departure_points(velocity, grid, np.ones(grid.shape[1]), _RTOL)
            bound = _moved(start, error) + 1e-15
            return Reference(evaluate, bound, "characteristics, DOP853, bound by halved steps")

        def carry(
            self, found: Mapping[str, Function], axes: Mapping[str, np.ndarray], tolerance: float
        ) -> Carried | None:
            """Carry d⁰ by a found motion, read from a table by cubic interpolation."""
            table = self.domain.grid(_TABLE)
            x, y = (np.ravel(p) for p in np.broadcast_arrays(*table.points().values()))
            motion = np.stack(
                [np.reshape(found[name]({"x": x, "y": y}), table.cells) for name in ("u", "v")]
            )

            def velocity(at: np.ndarray) -> np.ndarray:
                return interpolate_periodic(motion, [_TABLE * row - 0.5 for row in at], "cubic")

            mesh = np.meshgrid(axes["x"], axes["y"], indexing="ij")
            here = np.stack([m.ravel() for m in mesh])
            start, error = characteristics(velocity, here, axes["t"], tolerance)
            values = _density(start).reshape(*mesh[0].shape, -1)
            return Carried({"d": values}, _moved(start, error), {"departure": start})

    return Plane(parameters)


def _density(start: np.ndarray) -> np.ndarray:
    return np.asarray(blobs({"x": start[0], "y": start[1]}))


def _moved(start: np.ndarray, error: np.ndarray) -> float:
    """Return the relative L2 change of the density that errors of departure points make."""
    change = np.hypot(*(
        _density(start + shift) - _density(start - shift)
        for shift in (error * np.reshape(unit, (2,) + (1,) * (error.ndim - 1))
                      for unit in ((1.0, 0.0), (0.0, 1.0)))
    ))  # fmt: skip
    return float(np.sqrt(np.sum(change**2) / np.sum(_density(start) ** 2)))
