"""Toy problems between walls, and in the plane, for inverse methods and solution operators.

`rod` has a source of place and time, a value that depends on time at one end, a sum of value and
slope at the other, and an unknown conductivity: a function, or, in `even-rod`, a number.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import pi
from typing import Any, ClassVar

from pdebench_lite import Problem, hookimpl
from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import (
    Arrays,
    Dirichlet,
    Domain,
    Evolution,
    Function,
    Interval,
    Reference,
    Robin,
    Unknown,
)

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


@hookimpl
def pdebench_problems() -> Sequence[type[Problem]]:
    return (Rod, EvenRod)
