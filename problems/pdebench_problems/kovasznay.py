"""Kovasznay's flow behind a grid: steady Navier–Stokes in velocity and pressure."""

from collections.abc import Mapping
from functools import cached_property
from math import pi, sqrt
from typing import Any, ClassVar

from pydantic import Field as Setting

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import (
    Arrays,
    Box,
    Dirichlet,
    Domain,
    Field,
    Function,
    Problem,
    Reference,
)
from pdebench_lite.selectors import Settings


class Kovasznay(Problem):
    """u·∇u + ∇p = ∇²u/Re, ∇·u = 0 on [−½, 1] × [−½, 3/2], velocities given on the boundary.

    u = 1 − e^{λx} cos 2πy, v = λ/(2π) e^{λx} sin 2πy, p = −½ e^{2λx} + constant,
    λ = Re/2 − √(Re²/4 + 4π²). The pressure is known up to a constant, which does not count.

    Parameters:
        reynolds: Re; good from 10 to 100.

    Smooth: a good method reaches 1e-6. Equation and boundary are all that is given.

    Source: Kovasznay 1948, doi:10.1017/S0305004100023999, eq. 9.
    """

    class Parameters(Settings):
        """Parameters of the flow."""

        reynolds: float = Setting(40.0, ge=1, le=200, description="Reynolds number Re")

    name = "kovasznay"
    summary = "u·∇u + ∇p = ∇²u/Re, ∇·u = 0 in a rectangle; steady flow behind a grid"
    citation = """@article{kovasznay1948laminar,
  author = {Kovasznay, L. I. G.},
  title = {Laminar flow behind a two-dimensional grid},
  journal = {Mathematical Proceedings of the Cambridge Philosophical Society}, volume = {44},
  number = {1}, pages = {58--62}, year = {1948}, doi = {10.1017/S0305004100023999}}"""
    fields = (Field("u"), Field("v"), Field("p", gauge=True))
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"Re": ()}
    needs = (
        *("u", "u_x", "u_y", "u_xx", "u_yy", "v", "v_x", "v_y", "v_xx", "v_yy"),
        *("p_x", "p_y", "Re"),
    )

    @cached_property
    def domain(self) -> Domain:
        """[−½, 1] × [−½, 3/2], both velocities given on all sides."""
        sides = (
            Dirichlet(lambda p: self._flow(p)["u"], fields=("u",)),
            Dirichlet(lambda p: self._flow(p)["v"], fields=("v",)),
        )
        return Domain(Box(x=(-0.5, 1.0), y=(-0.5, 1.5)), boundary=sides)

    def coefficient_values(self) -> Mapping[str, float | Function]:
        """Return Re."""
        return {"Re": self.parameters.reynolds}

    def _flow(self, points: Arrays) -> Arrays:
        x, y, xp = points["x"], points["y"], array_namespace(points["x"])
        half = self.parameters.reynolds / 2
        rate = half - sqrt(half * half + 4 * pi * pi)
        decay = xp.exp(rate * x)
        return {
            "u": 1.0 - decay * xp.cos(2 * pi * y),
            "v": rate / (2 * pi) * decay * xp.sin(2 * pi * y),
            "p": -0.5 * decay * decay,
        }

    def residual(self, d: Arrays) -> Arrays:
        """Return momentum along x and y, and the divergence."""

        def momentum(name: str, axis: str) -> Any:
            convection = d["u"] * d[f"{name}_x"] + d["v"] * d[f"{name}_y"]
            return convection + d[f"p_{axis}"] - (d[f"{name}_xx"] + d[f"{name}_yy"]) / d["Re"]

        return {"x": momentum("u", "x"), "y": momentum("v", "y"), "mass": d["u_x"] + d["v_y"]}

    def reference(self) -> Reference:
        """Return Kovasznay's solution."""
        return Reference(self._flow, 1e-14, "Kovasznay 1948")
