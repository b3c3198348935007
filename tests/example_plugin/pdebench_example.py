"""A plugin for pdebench-lite: one of each kind of thing that a plugin may bring, in one module."""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from pydantic import Field
from scipy.integrate import solve_ivp

from pdebench_lite import (
    Command,
    Method,
    Metric,
    Optimizer,
    Problem,
    Settings,
    Solution,
    Support,
    hookimpl,
    load_records,
)
from pdebench_lite.metrics import relative_l2
from pdebench_lite.numerics import Grid, array_namespace, diffuse_spectral, wavenumbers
from pdebench_lite.problem import (
    Arrays,
    Carried,
    Domain,
    Evolution,
    Function,
    Interval,
    Periodic,
    Reference,
    Scheme,
    Task,
)
from pdebench_lite.tasks import FieldEvaluation, Forward, Reconstruction

# ---- a method --------------------------------------------------------------------------------


class FourierfitSettings(Settings):
    """Settings of `fourierfit`."""

    labels: int = Field(2000, ge=1, description="labelled samples of the solution")
    modes: int = Field(8, ge=1, description="Fourier modes, or Chebyshev degree, per axis")


def solve(view: Any, run: Any) -> Solution:
    """Fit every field and unknown to its labels by least squares."""

    def basis(points: Arrays) -> np.ndarray:
        """Fourier functions on periodic axes times Chebyshev on others: (n, functions)."""
        matrix = np.ones((1, 1))
        for axis in (a for a in view.domain.axes if a.name in points):
            s = (np.asarray(points[axis.name]) - axis.lower) / axis.length
            phase = 2 * np.pi * np.outer(s, np.arange(1, run.config.modes + 1))
            fourier = np.hstack([np.ones((s.size, 1)), np.cos(phase), np.sin(phase)])
            chebyshev = np.polynomial.chebyshev.chebvander(2 * s - 1, run.config.modes)
            columns = fourier if axis.periodic else chebyshev
            matrix = (matrix[:, :, None] * columns[:, None, :]).reshape(s.size, -1)
        return matrix

    with run.phase("data"):
        labels = view.labels(run.config.labels)
    weights = {o.field: np.linalg.lstsq(basis(o.points), o.values)[0] for o in labels}

    def fitted(name: str, points: Arrays) -> np.ndarray:
        return basis(points) @ weights[name]

    solution = Solution(
        predict=lambda points: {name: fitted(name, points) for name in view.fields},
        unknowns={u.name: partial(fitted, u.name) for u in view.unknowns if u.name in weights},
        weights=weights,
        parameters=sum(w.size for w in weights.values()),
    )
    run.report(step=1, loss=None, candidate=lambda: solution)
    return solution


def supports(task: Task, config: FourierfitSettings) -> Support:
    """Say yes to labels of functions."""
    functions = "data" in task.faces and all(unknown.axes for unknown in task.unknowns)
    return Support(functions, f"{task.label} has no labels, or seeks a number")


FOURIERFIT = Method(
    name="fourierfit",
    family="supervised",
    summary="least squares of the labels in a Fourier × Chebyshev basis",
    solvers={"numpy": "pdebench_example:solve"},
    Config=FourierfitSettings,
    supports=supports,
)

# ---- a problem -------------------------------------------------------------------------------


class ReactionDiffusion(Problem):
    """u_t = D u_xx + r u (1 − u²), 2-periodic on x ∈ [−1, 1], t ∈ [0, 1]; dimensionless.

    From a smooth start the state falls apart into phases u = ±1, with walls of width √(2D/r).

    Parameters:
        diffusion: D. reaction: r. The reference resolves walls down to D/r = 0.002.

    Source: Allen & Cahn 1979, Acta Metall. 27(6), 1085–1095, doi:10.1016/0001-6160(79)90196-2.
    """

    class Parameters(Settings):
        """Parameters of the reaction–diffusion equation."""

        diffusion: float = Field(0.02, ge=0.01, le=1.0, description="diffusivity D")
        reaction: float = Field(4.0, gt=0, le=5.0, description="reaction rate r")

    name = "reaction-diffusion"
    summary = "u_t = D u_xx + r u (1 − u²), periodic; phases and walls"
    citation = """@article{allen1979microscopic,
  author = {Allen, Samuel M. and Cahn, John W.},
  title = {A microscopic theory for antiphase boundary motion and its application to antiphase
           domain coarsening},
  journal = {Acta Metallurgica}, volume = {27}, number = {6}, pages = {1085--1095}, year = {1979},
  doi = {10.1016/0001-6160(79)90196-2}}"""
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"D": (), "r": ()}
    needs = ("u", "u_t", "u_xx", "D", "r")
    tasks = (Reconstruction, Forward)

    @cached_property
    def domain(self) -> Domain:
        """X ∈ [−1, 1] periodic, t ∈ [0, 1]."""
        return Domain(Interval(x=(-1, 1)), (0, 1), Periodic("x"))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        """Return D and r."""
        return {"D": self.parameters.diffusion, "r": self.parameters.reaction}

    def initial_state(self, points: Arrays) -> Arrays:
        """Return u₀ at points `x`: arrays of any backend, or jets."""
        x, xp = points["x"], array_namespace(points["x"])
        return {"u": 0.6 * xp.sin(np.pi * x) + 0.3 * xp.cos(2 * np.pi * x)}

    def residual(self, d: Arrays) -> Arrays:
        """Return u_t − D u_xx − r u (1 − u²)."""
        reaction = d["r"] * d["u"] * (1.0 - d["u"] * d["u"])
        return {"reaction-diffusion": d["u_t"] - d["D"] * d["u_xx"] - reaction}

    def solver(self) -> Evolution:
        """Return the one scheme."""
        return Evolution(own={"strang": Scheme(self._step, self._limit, "Strang splitting", 2)})

    def _step(self, state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
        """Split as Strang 1968 (doi:10.1137/0705041): each part is exact, together second order."""
        u = _react(state["u"], unknowns["r"], 0.5 * dt)
        u = diffuse_spectral(u, unknowns["D"], dt, grid)
        return {"u": _react(u, unknowns["r"], 0.5 * dt)}

    def _limit(self, state: Arrays, unknowns: Arrays, grid: Grid) -> float:
        """Any step is stable; steps of one spacing keep both errors alike."""
        return grid.spacing["x"]

    def reference(self) -> Reference:
        """Integrate on 256 cells; the gap to half as many, with larger steps, is the bound."""
        start: Function = lambda points: self.initial_state(points)["u"]  # noqa: E731
        fine, coarse = self._flow(start, 256, 1e-13), self._flow(start, 128, 1e-12)
        points = self.domain.sample(np.random.default_rng(0), 2000)
        bound = relative_l2({"u": coarse(points)}, {"u": fine(points)}) + 1e-13

        def evaluate(points: Arrays) -> dict[str, np.ndarray]:
            numbers = {
                k: np.full(np.shape(points["x"]), v) for k, v in self.coefficient_values().items()
            }
            return {"u": fine(points), **numbers}

        return Reference(evaluate, bound, "Fourier and DOP853; bound by fewer modes, larger steps")

    def carry(
        self, found: Mapping[str, Function], axes: Mapping[str, np.ndarray], tolerance: float
    ) -> Carried:
        """Carry a found initial state as the reference carries the true one."""
        x, t = np.meshgrid(axes["x"], axes["t"], indexing="ij")
        points = {"x": x.ravel(), "t": t.ravel()}
        fine, coarse = (
            {"u": self._flow(found["u_initial"], cells, 0.01 * tolerance)(points).reshape(x.shape)}
            for cells in (128, 64)
        )
        return Carried(fine, relative_l2(coarse, fine) + tolerance)

    def _flow(self, start: Function, cells: int, tolerance: float) -> Function:
        """Return u as a function on points, from an initial state on that many cells."""
        grid = self.domain.grid(cells)
        diffusion, reaction = self.parameters.diffusion, self.parameters.reaction
        k = wavenumbers(grid, like=np.empty(0))

        def rate(t: float, u: np.ndarray) -> np.ndarray:
            diffused = np.fft.irfft(-diffusion * k**2 * np.fft.rfft(u), n=cells)
            return diffused + reaction * u * (1.0 - u * u)

        u0 = np.asarray(start(grid.points()), dtype=float)
        options: Any = {"dense_output": True, "rtol": tolerance, "atol": tolerance}
        options["max_step"] = 0.1 * tolerance ** (1 / 8)  # the interpolant is of seventh order
        path: Any = solve_ivp(rate, (0.0, 1.0), u0, "DOP853", **options).sol

        def evaluate(points: Arrays) -> np.ndarray:
            times, which = np.unique(points["t"], return_inverse=True)
            spectrum = np.fft.rfft(path(times), axis=0) * (2.0 / cells)
            spectrum[[0, -1]] *= 0.5
            waves = np.exp(1j * np.outer(k, points["x"] - grid.centres()[0]))
            return np.einsum("kn,kn->n", spectrum[:, which], waves).real

        return evaluate


def _react(u: Any, r: Any, dt: Any) -> Any:
    """Return the exact solution of u' = r u (1 − u²) after dt."""
    xp = array_namespace(u)
    decay = xp.exp(0.0 * u - 2.0 * r * dt)
    return u / xp.sqrt(u * u + (1.0 - u * u) * decay)


# ---- a metric --------------------------------------------------------------------------------


def _energy(e: FieldEvaluation, u: np.ndarray) -> np.ndarray:
    """Return ∫ ½D u_x² + ¼r (1 − u²)² dx, which only falls; shape (times,)."""
    p, x = e.task.problem.parameters, e.axes["x"]
    walls = 0.5 * p.diffusion * np.gradient(u, x, axis=0) ** 2
    return np.trapezoid(walls + 0.25 * p.reaction * (1.0 - u * u) ** 2, x, axis=0)


def _energy_error(e: FieldEvaluation) -> float:
    found, true = _energy(e, e.fields["u"]), _energy(e, e.truth["u"])
    return float(np.max(np.abs(found - true)) / np.max(true))


ENERGY_ERROR = Metric(
    name="energy_error",
    summary="largest error of the free energy over time, relative to its largest value",
    compute=_energy_error,
    applies=lambda task: isinstance(task.problem, ReactionDiffusion),
)

# ---- a task for a problem that is not ours -----------------------------------------------------


class Shock(Forward):
    """Find u of `burgers` from its initial state, ranked by its largest error, at the shock."""

    name = "shock"
    summary = "given the initial state, find the field; ranked by its largest error"
    ranked = ("linf",)
    reported = ("rel_l2",)

    @classmethod
    def applies(cls, problem: Problem) -> bool:
        """Say yes to Burgers' equation."""
        return problem.name == "burgers"


# ---- an optimiser ----------------------------------------------------------------------------


def momentum(
    x: np.ndarray,
    memory: Mapping[str, np.ndarray],
    value_and_gradient: Any,
    rate: float,
    config: Any,
) -> tuple[np.ndarray, float, dict[str, np.ndarray]]:
    """Do one step of Polyak 1964: v ← 0.9 v + ∇f, x ← x − rate v."""
    value, gradient = value_and_gradient(x)
    v = 0.9 * memory.get("v", 0.0) + gradient
    return x - rate * v, value, {"v": v}


# ---- a verb ----------------------------------------------------------------------------------


def count_records(results: Path = Path("results/runs")) -> None:
    """Print how many cells of a results folder have ended well."""
    table = load_records(results)
    print(f"{(table['status'] == 'ok').sum()} of {len(table)} ended well")


# ---- how they enter --------------------------------------------------------------------------


@hookimpl
def pdebench_methods() -> Sequence[Method]:
    """Return the method."""
    return (FOURIERFIT,)


@hookimpl
def pdebench_problems() -> Sequence[type[Problem]]:
    """Return the problem."""
    return (ReactionDiffusion,)


@hookimpl
def pdebench_metrics() -> Sequence[Metric]:
    """Return the metric."""
    return (ENERGY_ERROR,)


@hookimpl
def pdebench_tasks() -> Sequence[type[Task]]:
    """Return the task."""
    return (Shock,)


@hookimpl
def pdebench_optimizers() -> Sequence[Optimizer]:
    """Return the optimiser; one step is a function, so that it serves every backend."""
    step, source = "pdebench_example:momentum", "Polyak 1964, doi:10.1016/0041-5553(64)90137-5"
    summary = "gradient descent with momentum"
    return (Optimizer("momentum", summary, {"any": step}, source, first_order=True),)


@hookimpl
def pdebench_commands() -> Sequence[Command]:
    """Return the verb."""
    return (Command("count", "pdebench_example:count_records"),)
