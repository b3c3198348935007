"""Advection of a density by a hidden steady motion, and the task of finding that motion."""

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import ClassVar

import numpy as np
from pydantic import Field

from pdebench_lite.metrics import Metric, masses, relative_l2
from pdebench_lite.numerics import Grid, upwind
from pdebench_lite.problem import (
    Arrays,
    Carried,
    Domain,
    Evolution,
    Function,
    Interval,
    Observation,
    Periodic,
    Problem,
    Reference,
    Scheme,
    Task,
    Unknown,
)
from pdebench_lite.seeding import generator
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks import FieldEvaluation, FieldTask
from pdebench_problems._characteristics import (
    PUBLISHED_BUMPS,
    PUBLISHED_MOTION,
    Bumps,
    Motion,
    characteristics,
    departure_points,
    random_motion,
    tabulated,
)
from pdebench_problems._semi_lagrangian import steady
from pdebench_problems.advection_density_2d import Transport2d


class Transport(FieldTask):
    """Find a steady motion u(x) that carries d⁰ to the observed d at the final time.

    d⁰ is given exactly; d(·, t_e) is read from the reference at cell centres. One target does not
    determine the motion, so what is ranked is where the motion takes d⁰, as carried by the
    reference integrator; errors of the motion itself are reported. With several frames, at
    t_e·k/frames for k = 1 … frames, it is determined wherever density passes, and they are ranked.
    """

    class Parameters(Settings):
        """`points`: observed cells; `noise`: std over the rms of the last frame; `frames`."""

        points: int = Field(512, ge=16, le=8192, description="observed cell centres of a frame")
        noise: float = Field(0.0, ge=0, le=1, description="noise std, relative to target rms")
        frames: int = Field(1, ge=1, le=64, description="frames at equal times, the last at t_e")

    name = "transport"
    summary = "given d⁰ and d(·, t_e), find the steady motion that carries one to the other"
    ranked: ClassVar[tuple[str, ...]] = ("rel_l2_carried", "flow_map_error", "rel_l2")
    reported: ClassVar[tuple[str, ...]] = (
        "misfit", "motion_error", "mid_time_error", "kinetic_energy", "mass_change",
        "do_nothing_mismatch", "best_shift_mismatch", "initial_violation", "linf", "mae",
    )  # fmt: skip
    at_end = True
    carry_tolerance: ClassVar[dict[str, float]] = {"history": 1e-4, "final": 1e-8}

    def __init__(self, problem: Problem, parameters: Parameters) -> None:
        super().__init__(problem, parameters)
        if parameters.frames > 1:  # attributes of this task, next to those of its class
            self.ranked = ("motion_error", *type(self).ranked)  # type: ignore[misc]
            self.reported = tuple(m for m in type(self).reported if m != "motion_error")  # type: ignore[misc]

    @property
    def gives(self) -> frozenset[str]:
        """The initial density is known, so an ansatz may use it."""
        return super().gives | {"initial_state", "ansatz"}

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The motion, a function of x."""
        return (Unknown("u", "coefficient", ("x",), unit=self.problem.unit("u")),)

    @cached_property
    def _frames(self) -> list[tuple[dict[str, np.ndarray], np.ndarray]]:
        time = self.problem.domain.time
        assert time is not None
        grid = self.problem.domain.grid(self.parameters.points)
        centres = {a: np.ravel(v) for a, v in grid.points().items()}
        frames = []
        for k in range(1, self.parameters.frames + 1):
            t = time.lower + time.length * k / self.parameters.frames
            size = next(iter(centres.values())).size
            points = {**centres, time.name: np.full(size, t)}
            frames.append((points, self.reference.evaluate(points)["d"]))
        return frames

    def observations(self, rng: np.random.Generator) -> tuple[Observation, ...]:
        """Return d at the times of the frames on cell centres."""
        noise = float(self.parameters.noise * np.sqrt(np.mean(self._frames[-1][1] ** 2)))
        return tuple(
            Observation("d", points, exact + noise * rng.standard_normal(exact.size), noise)
            for points, exact in self._frames
        )


class AdvectionDensity(Problem):
    """∂d/∂t + u(x) ∂d/∂x = 0 on the unit interval, periodic, t ∈ [0, 1]; lengths in domain widths.

    Advective form: values are conserved along characteristics, mass is not. Two Gaussian bumps of
    widths 0.05 and 0.08 are carried by a steady, spatially varying motion.

    Parameters:
        instance: 0 is u = 0.25 + 0.1 sin 2πx + 0.05 cos(4πx + 1); others are drawn from
            the problem and `instance` alone, displacement / width from 1 to 6.

    Schemes: `cubic` and `linear` semi-Lagrangian (stable at any step; characteristics traced by
    Runge–Kutta or the midpoint rule), and first-order `upwind`.

    Source: Staniforth & Côté 1991, Mon. Weather Rev. 119, 2206–2223,
    doi:10.1175/1520-0493(1991)119<2206:SLISFA>2.0.CO;2.
    """

    class Parameters(Settings):
        """Parameters of the advection problem."""

        instance: int = Field(0, ge=0, description="which hidden motion")

    name = "advection-density"
    summary = "d_t + u(x) d_x = 0, periodic; the motion u is hidden"
    citation = """@article{staniforth1991semi,
  author = {Staniforth, Andrew and C{\\^o}t{\\'e}, Jean},
  title = {Semi-{Lagrangian} integration schemes for atmospheric models -- a review},
  journal = {Monthly Weather Review}, volume = {119}, number = {9}, pages = {2206--2223},
  year = {1991}, doi = {10.1175/1520-0493(1991)119<2206:SLISFA>2.0.CO;2}}"""
    fields = ("d",)
    units: ClassVar[Mapping[str, str]] = {"u": "widths per unit time"}
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"u": ("x",)}
    needs: ClassVar[tuple[str, ...]] = ("d_t", "d_x", "u")
    tasks = (Transport, Transport2d)

    @cached_property
    def domain(self) -> Domain:
        """X ∈ [0, 1] periodic, t ∈ [0, 1]."""
        return Domain(Interval(x=(0, 1)), (0, 1), Periodic("x"))

    @cached_property
    def _bumps(self) -> Bumps:
        return PUBLISHED_BUMPS

    @cached_property
    def _motion(self) -> Motion:
        if self.parameters.instance == 0:
            return PUBLISHED_MOTION
        return random_motion(generator(self.name, "motion", self.parameters.instance))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        """Return the motion."""
        return {"u": lambda points: self._motion(points["x"])}

    def initial_state(self, points: Arrays) -> Arrays:
        """Return d⁰ at points `x`, any shape, any backend."""
        return {"d": self._bumps(points["x"])}

    def residual(self, d: Arrays) -> Arrays:
        """Return d_t + u d_x."""
        return {"transport": d["d_t"] + d["u"] * d["d_x"]}

    # ---- solvers -----------------------------------------------------------------------------

    def solver(self) -> Evolution:
        """Return `cubic` (default), `linear` and `upwind`."""
        own = {
            "cubic": steady("cubic", ("u",), "semi-Lagrangian, cubic interpolation", 3),
            "linear": steady("linear", ("u",), "semi-Lagrangian, linear interpolation"),
            "upwind": Scheme(_upwind, _upwind_limit, "first-order upwind"),
        }
        return Evolution(own=own)

    # ---- truth -------------------------------------------------------------------------------

    def reference(self) -> Reference:
        """Return the exact density by characteristics, with the bound from halved steps."""

        def evaluate(points: Arrays) -> dict[str, np.ndarray]:
            start, _ = departure_points(self._velocity, points["x"], points["t"])
            return {"d": self._bumps(start), "u": self._motion(np.asarray(points["x"]))}

        x = np.linspace(0.0, 1.0, 512, endpoint=False)
        start, error = departure_points(self._velocity, x, np.full(x.size, 1.0))
        moved = self._bumps(start + error) - self._bumps(start - error)
        scale = np.sqrt(np.mean(self._bumps(start) ** 2))
        bound = float(np.sqrt(np.mean(moved**2)) / scale) + 1e-15
        return Reference(evaluate, bound, "characteristics, DOP853, bound by tighter steps")

    def _velocity(self, x: np.ndarray) -> np.ndarray:
        return self._motion(x)

    @lru_cache(maxsize=4)  # noqa: B019 - one problem lives as long as its process
    def true_departure(self, x: tuple[float, ...]) -> np.ndarray:
        """Return where the density at x at the final time started; not wrapped, shape (n,)."""
        start, _ = departure_points(self._velocity, np.asarray(x), np.ones(len(x)))
        return start

    def carry(
        self, found: Mapping[str, Function], axes: Mapping[str, np.ndarray], tolerance: float
    ) -> Carried | None:
        """Carry d⁰, or what was found of it, along characteristics of the motion or a found one."""

        def motion(x: np.ndarray) -> np.ndarray:
            return np.asarray(found["u"]({"x": x}), float)

        def begun(x: np.ndarray) -> np.ndarray:
            wrapped = np.ravel(x) % 1.0
            return np.asarray(found["d_initial"]({"x": wrapped}), float).reshape(x.shape)

        velocity = tabulated(motion, 1e-3 * tolerance) if "u" in found else self._velocity
        profile = begun if "d_initial" in found else self._bumps
        start, error = characteristics(velocity, axes["x"], axes["t"], tolerance)
        values = profile(start)
        moved = profile(start + error) - values
        bound = float(np.sqrt(np.sum(moved**2) / np.sum(values**2)))
        return Carried({"d": values}, bound, {"departure": start})


def _upwind(state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
    return {"d": upwind(state["d"], unknowns["u"], dt, grid)}


def _upwind_limit(state: Arrays, unknowns: Arrays, grid: Grid) -> float:
    return grid.spacing["x"] / max(float(abs(unknowns["u"]).max()), 1e-12)


# ---- metrics of the task ---------------------------------------------------------------------


def _is_transport(task: Task) -> bool:
    return isinstance(task, Transport | Transport2d)


def _is_on_a_line(task: Task) -> bool:
    return isinstance(task, Transport)


def _flow_map_error(e: FieldEvaluation) -> float | None:
    if e.carried is None or not isinstance(e.task.problem, AdvectionDensity):
        return None
    x = e.axes["x"]
    found = e.carried.paths["departure"][:, -1]
    true = e.task.problem.true_departure(tuple(x.tolist()))
    weight = np.abs(np.gradient(e.truth["d"][:, -1], x))
    moved = np.sum(weight * (x - true) ** 2)
    return float(np.sqrt(np.sum(weight * (found - true) ** 2) / moved))


def _motion_error(e: FieldEvaluation) -> float:
    steepness = sum(
        np.gradient(e.truth["d"], x, axis=i) ** 2 for i, x in enumerate(e.space.values())
    )
    error = size = 0.0
    for name, found in e.found_on_grid.items():
        error += float(np.sum(steepness * (found[..., None] - e.truth[name]) ** 2))
        size += float(np.sum(steepness * e.truth[name] ** 2))
    return float(np.sqrt(error / size))


def _mid_time_error(e: FieldEvaluation) -> float | None:
    middle = e.axes["t"].size // 2
    if e.carried is None:
        return None
    carried, truth = e.carried.fields["d"][..., middle], e.truth["d"][..., middle]
    return relative_l2({"d": carried}, {"d": truth})


def _kinetic_energy(e: FieldEvaluation) -> float:
    energy = 0.5 * sum(found**2 for found in e.found_on_grid.values())
    return float(masses(e, np.asarray(energy)[..., None])[0])


def _mass_change(e: FieldEvaluation) -> float:
    mass = masses(e, e.fields["d"])
    return float(mass[-1] / mass[0] - 1.0)


def _do_nothing(e: FieldEvaluation) -> float:
    return relative_l2({"d": e.truth["d"][..., 0]}, {"d": e.truth["d"][..., -1]})


def _best_shift(e: FieldEvaluation) -> float:
    x = e.axes["x"]
    problem, target = e.task.problem, e.truth["d"][:, -1]

    def mismatch(shift: float) -> float:
        return relative_l2(problem.initial_state({"x": x - shift}), {"d": target})

    shifts = np.linspace(0.0, 1.0, 200, endpoint=False)
    best = shifts[int(np.argmin([mismatch(s) for s in shifts]))]
    return min(mismatch(s) for s in np.linspace(best - 0.005, best + 0.005, 101))


METRICS = (
    Metric(
        "flow_map_error",
        "rms gap of the departure points, weighted by |∇d|, relative to the displacement",
        _flow_map_error,
        _is_on_a_line,
    ),
    Metric("motion_error", "rel. L2 error of u, weighted by |∇d|²", _motion_error, _is_transport),
    Metric(
        "mid_time_error", "rel. L2 of the carried density at t_e/2", _mid_time_error, _is_transport
    ),
    Metric("kinetic_energy", "½∫|u|² dx of the found motion", _kinetic_energy, _is_transport),
    Metric(
        "mass_change", "relative change of ∫d dx of the returned field", _mass_change, _is_transport
    ),
    Metric("do_nothing_mismatch", "mismatch of d⁰ itself", _do_nothing, _is_transport),
    Metric(
        "best_shift_mismatch", "mismatch of d⁰ after the best shift", _best_shift, _is_on_a_line
    ),
)
