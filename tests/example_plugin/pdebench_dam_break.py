"""A plugin for pdebench-lite: a system of conservation laws, with a scheme of its own."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import sqrt
from typing import Any, ClassVar

import numpy as np
from pydantic import Field as Setting
from scipy.optimize import brentq

from pdebench_lite import Domain, Problem, Reference, Scheme, Settings, hookimpl
from pdebench_lite.numerics import Grid, array_namespace, pad
from pdebench_lite.numerics.steppers import SSPRK3
from pdebench_lite.problem import Arrays, Dirichlet, Evolution, Field, Interval

_SMOOTH = 1e-9  # width of the dam, so that jets and gradients pass


class DamBreak(Problem):
    """h_t + (h u)_x = 0, (h u)_t + (h u² + g h²/2)_x = 0 on x ∈ [−1, 1], t ∈ [0, 0.2].

    Shallow water: depth h and velocity u. A dam at x = 0 bursts at t = 0; a rarefaction runs to
    the left, a shock to the right, and neither reaches the ends.

    Parameters:
        left, right: depths on the two sides, left > right > 0.

    Hard for networks: a shock from the start on. Errors in L² fall by half an order at best.

    Source: Stoker 1957, Water Waves, sect. 10.8, doi:10.1002/9781118033159; Toro 2001,
    Shock-Capturing Methods for Free-Surface Shallow Flows, ch. 5.
    """

    class Parameters(Settings):
        """The depths."""

        left: float = Setting(1.0, ge=0.5, le=2.0, description="depth left of the dam")
        right: float = Setting(0.25, ge=0.05, le=0.4, description="depth right of the dam")

    name = "dam-break"
    summary = "shallow water; a rarefaction and a shock"
    citation = """@book{stoker1957water,
  author = {Stoker, James Johnston}, title = {Water Waves}, publisher = {Interscience},
  year = {1957}, doi = {10.1002/9781118033159}}"""
    fields = (Field("h"), Field("u"))
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"g": ()}
    needs = ("h", "h_t", "h_x", "u", "u_t", "u_x", "g")

    @cached_property
    def domain(self) -> Domain:
        """X ∈ [−1, 1], still water of given depths at the ends, t ∈ [0, 0.2]."""
        ends = (
            Dirichlet(self.parameters.left, on=("x_lower",), fields=("h",)),
            Dirichlet(self.parameters.right, on=("x_upper",), fields=("h",)),
            Dirichlet(0.0, fields=("u",)),
        )
        return Domain(Interval(x=(-1, 1)), (0, 0.2), ends)

    def coefficient_values(self) -> Mapping[str, Any]:
        """Return g, in units in which it is 1."""
        return {"g": 1.0}

    def initial_state(self, points: Arrays) -> Arrays:
        """Return still water on both sides of the dam."""
        left, right = self.parameters.left, self.parameters.right
        x, xp = points["x"], array_namespace(points["x"])
        step = xp.tanh(x * (1.0 / _SMOOTH))
        return {"h": 0.5 * (left + right) - 0.5 * (left - right) * step, "u": 0.0 * x}

    def residual(self, d: Arrays) -> Arrays:
        """Return the residuals of mass and momentum."""
        force = d["u_t"] + d["u"] * d["u_x"] + d["g"] * d["h_x"]
        return {
            "mass": d["h_t"] + d["u"] * d["h_x"] + d["h"] * d["u_x"],
            "momentum": d["h"] * force,
        }

    # ---- the scheme: minmod slopes of h and u, Rusanov's flux, SSP-RK3 ---------------------------

    def solver(self) -> Evolution:
        """Return the one scheme."""
        summary = "finite volumes: minmod, Rusanov, SSP-RK3"
        return Evolution(own={"rusanov": Scheme(self._step, self._limit, summary, 2)})

    def _step(self, state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
        """March h and q = h u, which are conserved."""
        g = unknowns["g"]

        def rate(s: Arrays, t: Any) -> Arrays:
            below, above = {}, {}
            for name, values in (("h", s["h"]), ("u", s["q"] / s["h"])):
                ends = self.domain.ghosts(name, grid, t, values)
                v = pad(values, grid, "x", 2, ends, degree=0)
                half = 0.5 * _minmod(v[..., 1:-1] - v[..., :-2], v[..., 2:] - v[..., 1:-1])
                below[name] = (v[..., 1:-1] + half)[..., :-1]
                above[name] = (v[..., 1:-1] - half)[..., 1:]
            through = _rusanov(below, above, g)
            return {k: -(f[..., 1:] - f[..., :-1]) / grid.spacing["x"] for k, f in through.items()}

        found = SSPRK3.step(rate, {"h": state["h"], "q": state["h"] * state["u"]}, t, dt)
        return {"h": found["h"], "u": found["q"] / found["h"]}

    def _limit(self, state: Arrays, unknowns: Arrays, grid: Grid) -> float:
        """Half a cell a step by the fastest wave that a dam of these depths makes."""
        return 0.5 * grid.spacing["x"] / (2 * sqrt(self.parameters.left))

    # ---- the truth -------------------------------------------------------------------------------

    def reference(self) -> Reference:
        """Return Stoker's solution."""
        left, right = self.parameters.left, self.parameters.right
        fast = sqrt(left)

        def jump(h: float) -> float:
            """Return the velocity behind a shock from the right depth to h."""
            return (h - right) * sqrt(0.5 * (1 / h + 1 / right))

        middle = brentq(lambda h: 2 * (fast - sqrt(h)) - jump(h), right, left, xtol=1e-15)
        behind = jump(middle)
        shock = middle * behind / (middle - right)

        def evaluate(points: Arrays) -> dict[str, np.ndarray]:
            s = points["x"] / np.maximum(points["t"], 1e-300)
            fan = np.clip(s, -fast, behind - sqrt(middle))  # the rarefaction, and its two ends
            h, u = (2 * fast - fan) ** 2 / 9, 2 * (fast + fan) / 3
            return {"h": np.where(s < shock, h, right), "u": np.where(s < shock, u, 0.0)}

        return Reference(evaluate, 1e-13, "Stoker's solution: a rarefaction and a shock")


def _minmod(a: Any, b: Any) -> Any:
    xp = array_namespace(a)
    return xp.where(a * b > 0, xp.where(xp.abs(a) < xp.abs(b), a, b), xp.zeros_like(a))


def _rusanov(below: Arrays, above: Arrays, g: Any) -> Arrays:
    """Return the fluxes of h and q through faces (Rusanov 1961).

    Toro 2009, Riemann Solvers, eq. 10.56, doi:10.1007/b79761.
    """
    xp = array_namespace(below["h"])

    def side(s: Arrays) -> tuple[Arrays, Arrays, Any]:
        q = s["h"] * s["u"]
        flux = {"h": q, "q": q * s["u"] + 0.5 * g * s["h"] ** 2}
        return {"h": s["h"], "q": q}, flux, xp.abs(s["u"]) + xp.sqrt(g * s["h"])

    a, b = side(below), side(above)
    speed = xp.maximum(a[2], b[2])
    return {k: 0.5 * (a[1][k] + b[1][k] - speed * (b[0][k] - a[0][k])) for k in ("h", "q")}


@hookimpl
def pdebench_problems() -> Sequence[type[Problem]]:
    """Return the problem."""
    return (DamBreak,)
