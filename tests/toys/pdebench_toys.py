"""Toy problems of the kinds that no built-in has yet; each needs nothing new from the core.

`waves` is a system of two fields; `poisson` is elliptic, in two dimensions, with boundary values;
`heat` has an unknown number, `conductivity` an unknown function; `heat-family` is a family of
instances whose test inputs arrive only with the query, and `operator` is a method for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import pi
from typing import Any, ClassVar

import numpy as np
from pydantic import Field as Number

from pdebench_lite import Method, Metric, Problem, Settings, Solution, Support, Task, hookimpl
from pdebench_lite.metrics import relative_l2
from pdebench_lite.numerics import Grid, array_namespace, diffuse_spectral, semi_lagrangian
from pdebench_lite.problem import (
    Arrays,
    Box,
    Carried,
    Dirichlet,
    Domain,
    Evolution,
    Face,
    Function,
    Interval,
    Observation,
    Periodic,
    Reference,
    Scheme,
    Unknown,
)
from pdebench_lite.tasks import FieldEvaluation, FieldTask, Forward, Reconstruction

CITATION = "@misc{toy, title = {A toy}}"
ROUNDING = 1e-14


# ---- a system of two fields ------------------------------------------------------------------


class Waves(Problem):
    """u_t = −c v_x, v_t = −c u_x: u + v runs to the right, u − v to the left."""

    name = "waves"
    summary = "u_t = −c v_x, v_t = −c u_x, periodic"
    citation = CITATION
    fields = ("u", "v")
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"c": ()}
    needs = ("u_t", "u_x", "v_t", "v_x", "c")
    tasks = (Reconstruction, Forward)
    speed: ClassVar[float] = 0.7

    @cached_property
    def domain(self) -> Domain:
        return Domain(Interval(x=(0, 1)), (0, 1), Periodic("x"))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        return {"c": self.speed}

    def initial_state(self, points: Arrays) -> Arrays:
        return self._exact(points["x"], points["x"])

    def _exact(self, right: Any, left: Any) -> Arrays:
        xp = array_namespace(right)
        f, g = xp.sin(2 * pi * right), 0.5 * xp.cos(2 * pi * left)
        return {"u": f + g, "v": f - g}

    def residual(self, d: Arrays) -> Arrays:
        return {"u": d["u_t"] + d["c"] * d["v_x"], "v": d["v_t"] + d["c"] * d["u_x"]}

    def solver(self) -> Evolution:
        return Evolution(own={"step": Scheme(self._step, lambda *_: np.inf)})

    def _step(self, state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
        speed = 0.0 * grid.points(like=state["u"])["x"] + unknowns["c"]
        p = semi_lagrangian(state["u"] + state["v"], speed, dt, grid, order="cubic")
        q = semi_lagrangian(state["u"] - state["v"], -speed, dt, grid, order="cubic")
        return {"u": 0.5 * (p + q), "v": 0.5 * (p - q)}

    def reference(self) -> Reference:
        def evaluate(points: Arrays) -> dict[str, np.ndarray]:
            x, shift = points["x"], self.speed * points["t"]
            return {**self._exact(x - shift, x + shift), "c": np.full(x.shape, self.speed)}

        return Reference(evaluate, ROUNDING, "exact")

    def carry(
        self, found: Mapping[str, Function], axes: Mapping[str, np.ndarray], tolerance: float
    ) -> Carried:
        x, t = np.meshgrid(axes["x"], axes["t"], indexing="ij")

        def start(name: str, at: np.ndarray) -> np.ndarray:
            return np.reshape(found[f"{name}_initial"]({"x": np.ravel(at % 1.0)}), x.shape)

        right, left = x - self.speed * t, x + self.speed * t
        p = start("u", right) + start("v", right)
        q = start("u", left) - start("v", left)
        return Carried({"u": 0.5 * (p + q), "v": 0.5 * (p - q)}, ROUNDING)


class StandingWaves(Waves):
    """Waves whose u is zero at t = 0.5, but for rounding errors of 1e-16: only v is seen then."""

    name = "standing-waves"
    speed: ClassVar[float] = 0.5

    def _exact(self, right: Any, left: Any) -> Arrays:
        xp = array_namespace(right)
        f, g = xp.sin(2 * pi * right), xp.sin(2 * pi * left)
        return {"u": f + g, "v": f - g}


# ---- an elliptic problem in two dimensions ---------------------------------------------------


class Solve(FieldTask):
    """Find the field of a steady problem."""

    name = "solve"
    summary = "given the equation and the boundary values, find the field"
    reported = ("linf", "mae")


class SolveByAnsatz(Solve):
    """Find the field by an ansatz that meets the boundary values: x y + x(1 − x) y(1 − y) N."""

    name = "by-ansatz"
    summary = "given the equation and an ansatz that meets the boundary values, find the field"

    @property
    def gives(self) -> frozenset[str]:
        return super().gives | {"ansatz"}

    def ansatz(self, outputs: Arrays, points: Arrays) -> Arrays:
        x, y = points["x"], points["y"]
        return {"u": x * y + x * (1.0 - x) * y * (1.0 - y) * outputs["u"]}


class Poisson(Problem):
    """−u_xx − u_yy = f on the unit square, u = x y on its boundary; u = sin πx sin πy + x y."""

    name = "poisson"
    summary = "−u_xx − u_yy = f on the unit square, u given on the boundary"
    citation = CITATION
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"f": ("x", "y")}
    needs = ("u_xx", "u_yy", "f")
    tasks = (Solve, SolveByAnsatz)

    @cached_property
    def domain(self) -> Domain:
        return Domain(Box(x=(0, 1), y=(0, 1)), boundary=Dirichlet(lambda p: p["x"] * p["y"]))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        return {"f": lambda points: 2 * pi**2 * _bump(points)}

    def residual(self, d: Arrays) -> Arrays:
        return {"poisson": d["u_xx"] + d["u_yy"] + d["f"]}

    def reference(self) -> Reference:
        def evaluate(points: Arrays) -> dict[str, np.ndarray]:
            bump = _bump(points)
            return {"u": bump + points["x"] * points["y"], "f": 2 * pi**2 * bump}

        return Reference(evaluate, ROUNDING, "exact")


def _bump(points: Arrays) -> Any:
    xp = array_namespace(points["x"])
    return xp.sin(pi * points["x"]) * xp.sin(pi * points["y"])


# ---- an unknown number -----------------------------------------------------------------------


class Identify(FieldTask):
    """Find a coefficient from the initial state and one later snapshot."""

    name = "identify"
    summary = "given u at the start and at the end, find the diffusivity and the field"
    ranked = ("k_error", "rel_l2")

    @property
    def gives(self) -> frozenset[str]:
        return super().gives | {"initial_state", "ansatz"}

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        return (Unknown("k", "coefficient", (), guess=0.2),)

    def observations(self, rng: np.random.Generator) -> tuple[Observation, ...]:
        x = self.problem.domain.grid(32).centres("x")
        points = {"x": x, "t": np.full(x.size, 1.0)}
        return (Observation("u", points, self.reference.evaluate(points)["u"]),)


class Heat(Problem):
    """u_t = k u_xx, 2π-periodic; u = e^{−kt} sin x."""

    name = "heat"
    summary = "u_t = k u_xx, periodic"
    citation = CITATION
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"k": ()}
    needs = ("u_t", "u_xx", "k")
    tasks = (Identify,)
    diffusivity: ClassVar[float] = 0.5

    @cached_property
    def domain(self) -> Domain:
        return Domain(Interval(x=(0, 2 * pi)), (0, 1), Periodic("x"))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        return {"k": self.diffusivity}

    def initial_state(self, points: Arrays) -> Arrays:
        return {"u": array_namespace(points["x"]).sin(points["x"])}

    def residual(self, d: Arrays) -> Arrays:
        return {"heat": d["u_t"] - d["k"] * d["u_xx"]}

    def solver(self) -> Evolution:
        return Evolution(own={"step": Scheme(self._step, lambda *_: np.inf)})

    def _step(self, state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
        return {"u": diffuse_spectral(state["u"], unknowns["k"], dt, grid)}

    def reference(self) -> Reference:
        def evaluate(points: Arrays) -> dict[str, np.ndarray]:
            decay = np.exp(-self.diffusivity * points["t"])
            k = np.full(points["x"].shape, self.diffusivity)
            return {"u": decay * np.sin(points["x"]), "k": k}

        return Reference(evaluate, ROUNDING, "exact")


def _k_error(e: FieldEvaluation) -> float:
    return abs(float(e.found_on_grid["k"] / e.true_unknowns["k"]) - 1.0)


K_ERROR = Metric(
    "k_error",
    "relative error of the diffusivity",
    _k_error,
    lambda task: isinstance(task, Identify),
)


# ---- an unknown function ----------------------------------------------------------------------


class FindField(FieldTask):
    """Find a positive coefficient field from the initial state and later snapshots with noise."""

    class Parameters(Settings):
        """`noise`: of the snapshots; `snapshots`: how many, at equal times up to the end."""

        noise: float = Number(0.01, ge=0, description="noise std, relative to a snapshot's rms")
        snapshots: int = Number(1, ge=1, description="number of snapshots, the last at the end")

    name = "field"
    summary = "given u at the start and later snapshots, find the conductivity and the field"
    ranked = ("field_error", "rel_l2")

    @property
    def gives(self) -> frozenset[str]:
        return super().gives | {"initial_state", "ansatz"}

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        return (Unknown("k", "coefficient", ("x",), guess=0.03, positive=True),)

    def observations(self, rng: np.random.Generator) -> tuple[Observation, ...]:
        x = self.problem.domain.grid(64).centres("x")
        seen = []
        for i in range(self.parameters.snapshots):
            points = {"x": x, "t": np.full(x.size, (i + 1) / self.parameters.snapshots)}
            exact = self.reference.evaluate(points)["u"]
            noise = float(self.parameters.noise * np.sqrt(np.mean(exact**2)))
            seen.append(Observation("u", points, exact + noise * rng.normal(size=x.size), noise))
        return tuple(seen)


class Conductivity(Problem):
    """u_t = (k(x) u_x)_x, periodic, k = 0.02·exp(0.8 sin 2πx)."""

    name = "conductivity"
    summary = "u_t = (k(x) u_x)_x, periodic"
    citation = CITATION
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"k": ("x",)}
    needs = ("u_t", "u_x", "u_xx", "k", "k_x")
    tasks = (FindField,)
    modes: ClassVar[int] = 128

    @cached_property
    def domain(self) -> Domain:
        return Domain(Interval(x=(0, 1)), (0, 1), Periodic("x"))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        return {"k": self._conductivity}

    @staticmethod
    def _conductivity(points: Arrays) -> Any:
        xp = array_namespace(points["x"])
        return 0.02 * xp.exp(0.8 * xp.sin(2 * pi * points["x"]))

    def initial_state(self, points: Arrays) -> Arrays:
        xp, x = array_namespace(points["x"]), 2 * pi * points["x"]
        return {"u": xp.sin(x) + 0.5 * xp.cos(2.0 * x)}

    def residual(self, d: Arrays) -> Arrays:
        return {"heat": d["u_t"] - d["k"] * d["u_xx"] - d["k_x"] * d["u_x"]}

    def schemes(self) -> Mapping[str, Scheme]:
        return {"step": Scheme(self.step, lambda *_: 1 / 20, order=2, cells=64, dt=1 / 20)}

    def step(self, state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
        """Implicit midpoint rule, finite volumes: (1 − ½Δt A) u⁺ = (1 + ½Δt A) u."""
        u = state["u"]
        xp, n = array_namespace(u), u.shape[-1]
        k = 0.0 * u + unknowns["k"]
        flux = 0.5 * (k + xp.roll(k, -1, axis=-1)) * (n / self.domain["x"].length) ** 2
        one = xp.eye(n, dtype=u.dtype)
        right = flux[..., None] * (xp.roll(one, 1, axis=1) - one)  # flux to the right face
        A = right - xp.roll(right, 1, axis=-2)
        after = u + 0.5 * dt * (A @ u[..., None])[..., 0]
        return {"u": xp.linalg.solve(one - 0.5 * dt * A, after[..., None])[..., 0]}

    @cached_property
    def _spectrum(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return wavenumbers, and the operator's eigenvalues and weighted eigenvectors in them."""
        n = self.modes
        x = np.arange(2 * n) / (2 * n)
        k = np.fft.fft(self._conductivity({"x": x})) / (2 * n)
        waves = np.arange(-n // 2, n // 2 + 1)
        gap = waves[:, None] - waves[None, :]
        A = -((2 * pi) ** 2) * waves[:, None] * waves[None, :] * k[gap]
        values, vectors = np.linalg.eigh(A)
        start = np.zeros(waves.size, complex)
        for wave, amount in {1: -0.5j, -1: 0.5j, 2: 0.25, -2: 0.25}.items():
            start[waves == wave] = amount
        return waves, values, vectors * (vectors.conj().T @ start)

    def reference(self) -> Reference:
        def evaluate(points: Arrays) -> dict[str, np.ndarray]:
            waves, values, vectors = self._spectrum
            x, t = np.asarray(points["x"]), np.asarray(points["t"])
            moments, which = np.unique(t, return_inverse=True)
            modes = vectors @ np.exp(np.outer(values, moments))
            u = np.einsum("nk,kn->n", np.exp(2j * pi * np.outer(x, waves)), modes[:, which]).real
            return {"u": u, "k": self._conductivity({"x": x})}

        return Reference(evaluate, 1e-12, "Fourier modes, exact in time")


FIELD_ERROR = Metric(
    "field_error",
    "relative L2 error of the conductivity",
    lambda e: relative_l2(e.found_on_grid, e.true_unknowns),
    lambda task: isinstance(task, FindField),
)


# ---- a family of instances -------------------------------------------------------------------


@dataclass(frozen=True)
class FamilyEvaluation:
    """Answers for instances that the method had never seen; arrays of (instances, points)."""

    x: np.ndarray
    fields: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]

    def compared(self, fields: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        return fields

    def arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]]:
        dims = ("instance", "x")
        kept = {"u": self.fields["u"], "u_reference": self.truth["u"]}
        return {"x": (("x",), self.x, {}), **{k: (dims, v, {}) for k, v in kept.items()}}


class Operator(Task):
    """Learn the map from initial states to final states; test inputs come with the query.

    Training instances come from the data stream, the others from their split alone.
    """

    class Parameters(Settings):
        """Sizes of the splits that are scored."""

        validation: int = Number(10, ge=1, description="instances of the history")
        test: int = Number(40, ge=1, description="instances of the final score")

    name = "operator"
    summary = "given pairs of initial and final states, find the final states of others"
    ranked = ("rel_l2",)
    faces: frozenset[Face] = frozenset({"data"})
    gives: frozenset[str] = frozenset()
    reference_bound = ROUNDING
    sensors: ClassVar[int] = 24

    def _draw(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Return x: (sensors,), and a = u₀ and u = u(·, 1): (n, sensors) each."""
        x, k = 2 * pi * np.arange(self.sensors) / self.sensors, np.arange(1, 5)
        phase = np.outer(k, x)
        waves = np.stack([np.sin(phase), np.cos(phase)])
        weights = rng.standard_normal((n, 2, 4))
        decay = np.exp(-self.problem.diffusivity * k**2)  # type: ignore[attr-defined]
        a = np.einsum("nij,ijx->nx", weights, waves)
        return {"x": x, "a": a, "u": np.einsum("nij,j,ijx->nx", weights, decay, waves)}

    def labels(self, rng: np.random.Generator, n: int) -> tuple[Observation, ...]:
        drawn = self._draw(rng, n)
        instance, x = np.meshgrid(np.arange(n), drawn["x"], indexing="ij")
        points = {"instance": instance.ravel(), "x": x.ravel()}
        return tuple(Observation(name, points, drawn[name].ravel()) for name in ("a", "u"))

    def evaluate(
        self, solution: Solution, purpose: Any, observations: tuple[Observation, ...] = ()
    ) -> FamilyEvaluation:
        n = self.parameters.test if purpose == "final" else self.parameters.validation
        seed = {"history": 1, "final": 2}[purpose]
        truth = self._draw(np.random.default_rng(seed), n)
        answer = solution.predict({"a": truth["a"], "x": truth["x"]})
        return FamilyEvaluation(truth["x"], answer, {"u": truth["u"]})


class HeatFamily(Heat):
    """The heat equation, asked for its solution operator."""

    name = "heat-family"
    tasks = (Operator,)


class OperatorSettings(Settings):
    """Settings of `operator`."""

    instances: int = Number(20, ge=1, description="training instances")


def solve(view: Any, run: Any) -> Solution:
    """Fit a matrix to pairs of states by least squares."""
    a, u = (
        label.values.reshape(run.config.instances, -1)
        for label in view.labels(run.config.instances)
    )
    matrix = np.linalg.lstsq(a, u)[0]
    solution = Solution(
        predict=lambda query: {"u": query["a"] @ matrix}, weights={"matrix": matrix}
    )
    run.report(1, None, lambda: solution)
    return solution


OPERATOR = Method(
    name="operator",
    family="supervised",
    summary="the linear map that fits pairs of states best",
    solvers={"numpy": f"{__name__}:solve"},
    Config=OperatorSettings,
    supports=lambda task, config: Support(isinstance(task, Operator), f"{task.label} is no family"),
)


# ---- how they enter --------------------------------------------------------------------------


@hookimpl
def pdebench_problems() -> Sequence[type[Problem]]:
    return (Waves, StandingWaves, Poisson, Heat, Conductivity, HeatFamily)


@hookimpl
def pdebench_methods() -> Sequence[Method]:
    return (OPERATOR,)


@hookimpl
def pdebench_metrics() -> Sequence[Metric]:
    return (K_ERROR, FIELD_ERROR)
