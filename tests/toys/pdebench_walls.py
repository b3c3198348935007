"""Toy problems between walls, and in the plane, for inverse methods and solution operators.

`rod` has a source of place and time, a value that depends on time at one end, a sum of value and
slope at the other, and an unknown conductivity: a function, or, in `even-rod`, a number. `plate`
is a family of stationary problems, source -> field; `warm-plane` one of evolutions in the plane.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import pi
from typing import Any, ClassVar

import numpy as np
from pydantic import Field as Number

from pdebench_lite import Problem, hookimpl
from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import (
    Arrays,
    Box,
    Dirichlet,
    Domain,
    Evolution,
    Function,
    Interval,
    Periodic,
    Reference,
    Robin,
    Unknown,
)
from pdebench_lite.seeding import generator
from pdebench_lite.tasks import Ensemble, FamilyTask

CITATION = "@misc{toy, title = {A toy}}"


def _bend(x: Any) -> Any:
    return 0.3 * array_namespace(x).cos(pi * x)


class Rod(Problem):
    """u_t = (k u_x)_x + f on [0, 1]; u = (1 + x) e^{−t} + 0.3 cos πx, k = 0.1·exp(0.8 cos πx)."""

    name = "rod"
    summary = "u_t = (k(x) u_x)_x + f(x, t) between walls"
    citation = CITATION
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"k": ("x",), "f": ("x", "t")}
    needs = ("u_t", "u_x", "u_xx", "k", "k_x", "f")
    sought: ClassVar[Mapping[str, Unknown]] = {
        "k": Unknown("k", "coefficient", ("x",), guess=0.05, positive=True)
    }
    waviness: ClassVar[float] = 0.8

    @cached_property
    def domain(self) -> Domain:
        lower = Dirichlet(lambda p: array_namespace(p["t"]).exp(-p["t"]) + 0.3, on=("x_lower",))
        upper = Robin(
            1.0, 1.0, lambda p: 3.0 * array_namespace(p["t"]).exp(-p["t"]) - 0.3, on=("x_upper",)
        )
        return Domain(Interval(x=(0, 1)), (0, 0.5), (lower, upper))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        return {"k": self._k, "f": self._source}

    def _k(self, points: Arrays) -> Any:
        xp, x = array_namespace(points["x"]), points["x"]
        return 0.1 * xp.exp(self.waviness * xp.cos(pi * x))

    def _source(self, points: Arrays) -> Any:
        x, t, xp = points["x"], points["t"], array_namespace(points["x"])
        k, fade = self._k(points), array_namespace(t).exp(-t)
        k_x = -self.waviness * pi * xp.sin(pi * x) * k
        u_x, u_xx = fade - 0.3 * pi * xp.sin(pi * x), -(pi**2) * _bend(x)
        return -(1.0 + x) * fade - k_x * u_x - k * u_xx

    def initial_state(self, points: Arrays) -> Arrays:
        return {"u": 1.0 + points["x"] + _bend(points["x"])}

    def residual(self, d: Arrays) -> Arrays:
        return {"heat": d["u_t"] - d["k"] * d["u_xx"] - d["k_x"] * d["u_x"] - d["f"]}

    def solver(self) -> Evolution:
        def rate(s: Arrays, c: Arrays, on: Any) -> Arrays:
            spread = c["k"] * on.laplacian(s["u"], "u")
            return {"u": spread + on.d(c["k"], "x") * on.d(s["u"], "x", "u") + c["f"]}

        return Evolution(rate)

    def reference(self) -> Reference:
        def evaluate(points: Arrays) -> Arrays:
            fade = array_namespace(points["t"]).exp(-points["t"])
            return {"u": (1.0 + points["x"]) * fade + _bend(points["x"])}

        return Reference(evaluate, 1e-14, "manufactured")


class EvenRod(Rod):
    """The rod with one conductivity, k = 0.1, a number."""

    name = "even-rod"
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"k": (), "f": ("x", "t")}
    needs = ("u_t", "u_xx", "k", "f")
    sought: ClassVar[Mapping[str, Unknown]] = {
        "k": Unknown("k", "coefficient", (), guess=0.05, positive=True)
    }
    waviness: ClassVar[float] = 0.0

    def coefficient_values(self) -> Mapping[str, float | Function]:
        return {"k": 0.1, "f": self._source}

    def residual(self, d: Arrays) -> Arrays:
        return {"heat": d["u_t"] - d["k"] * d["u_xx"] - d["f"]}

    def solver(self) -> Evolution:
        def rate(s: Arrays, c: Arrays, on: Any) -> Arrays:
            return {"u": c["k"] * on.laplacian(s["u"], "u") + c["f"]}

        return Evolution(rate)


class Waves(FamilyTask):
    """Base of families whose instances are sums of 3 × 3 waves, known exactly."""

    class Parameters(FamilyTask.Parameters):
        """Sizes."""

        cells: int = Number(16, ge=4, description="cells an axis")

    name = "family"
    summary = "given solved instances, find the fields of others"
    reference_bound = 1e-14
    turn: ClassVar[float]

    def waves(
        self, name: str, n: int, rng: np.random.Generator | None
    ) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """Return axes, waves with random amplitudes (instances, x, y, 9), and their |k|²."""
        rng = generator("waves", name) if rng is None else rng
        grid, k = self.problem.domain.grid(self.parameters.cells), np.arange(1, 4)
        axes = {a: grid.centres(a) for a in grid.axes}
        one = [np.sin(self.turn * np.outer(x, k)) for x in axes.values()]
        both = np.einsum("xi,yj->xyij", *one).reshape(*grid.cells, 9)
        squares = (self.turn**2 * (k[:, None] ** 2 + k**2)).ravel()
        return axes, rng.standard_normal((n, 1, 1, 9)) * both, squares


class PlateFamily(Waves):
    """Map the source of a Poisson equation to its solution."""

    functions: ClassVar[tuple[str, ...]] = ("f",)
    turn: ClassVar[float] = pi

    def draw(self, name: str, n: int, rng: np.random.Generator | None = None) -> Ensemble:
        axes, waves, squares = self.waves(name, n, rng)
        f, u = waves.sum(axis=-1), (waves / squares).sum(axis=-1)
        return Ensemble(axes, {"u": u}, {"f": f}, stationary=True)


class Plate(Problem):
    """−∇²u = f on the unit square, u = 0 on its boundary."""

    name = "plate"
    summary = "−∇²u = f on the unit square"
    citation = CITATION
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"f": ("x", "y")}
    needs = ("u_xx", "u_yy", "f")
    tasks = (PlateFamily,)

    @cached_property
    def domain(self) -> Domain:
        return Domain(Box(x=(0, 1), y=(0, 1)), boundary=Dirichlet(0.0))

    def residual(self, d: Arrays) -> Arrays:
        return {"poisson": d["u_xx"] + d["u_yy"] + d["f"]}

    def reference(self) -> Reference:
        raise NotImplementedError


class PlaneFamily(Waves):
    """Map a temperature to later ones."""

    turn: ClassVar[float] = 2 * pi

    def draw(self, name: str, n: int, rng: np.random.Generator | None = None) -> Ensemble:
        axes, waves, squares = self.waves(name, n, rng)
        t = np.array([0.0, 0.5, 1.0])
        u = np.einsum("nxyk,kt->nxyt", waves, np.exp(-0.01 * np.outer(squares, t)))
        return Ensemble({**axes, "t": t}, {"u": u})


class WarmPlane(Problem):
    """u_t = 0.01 ∇²u, periodic."""

    name = "warm-plane"
    summary = "u_t = k ∇²u on a periodic square"
    citation = CITATION
    fields = ("u",)
    needs = ("u_t", "u_xx", "u_yy")
    tasks = (PlaneFamily,)

    @cached_property
    def domain(self) -> Domain:
        return Domain(Box(x=(0, 1), y=(0, 1)), (0, 1), Periodic("x", "y"))

    def residual(self, d: Arrays) -> Arrays:
        return {"heat": d["u_t"] - 0.01 * (d["u_xx"] + d["u_yy"])}

    def solver(self) -> Evolution:
        return Evolution(symbol=lambda k, c: {"u": -0.01 * (k["x"] ** 2 + k["y"] ** 2)})

    def reference(self) -> Reference:
        raise NotImplementedError


@hookimpl
def pdebench_problems() -> Sequence[type[Problem]]:
    return (Rod, EvenRod, Plate, WarmPlane)
