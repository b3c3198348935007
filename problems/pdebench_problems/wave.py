"""The wave equation between two fixed ends, of second order in time."""

from collections.abc import Mapping
from functools import cached_property
from math import pi
from typing import Any, ClassVar

from pydantic import Field

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import (
    Arrays,
    Dirichlet,
    Domain,
    Evolution,
    Function,
    Interval,
    Problem,
    Reference,
)
from pdebench_lite.selectors import Settings


class Wave(Problem):
    """u_tt = c² u_xx on x ∈ [0, 1], u = 0 at both ends, u(x, 0) = sin πx + ½ sin 4πx, u_t = 0.

    Parameters:
        speed: c; the second mode has the frequency 4πc, four times that of the first.
        horizon: T.

    Hard for networks: nothing damps an error, and the two frequencies differ; a plain one errs by
    about 0.6.

    Source: Wang, Yu & Perdikaris 2022, doi:10.1016/j.jcp.2021.110768, sect. 5.2, with c = 2.
    """

    class Parameters(Settings):
        """Parameters of the equation."""

        speed: float = Field(2.0, gt=0, le=10.0, description="c")
        horizon: float = Field(1.0, gt=0, le=10.0, description="final time T")

    name = "wave"
    summary = "u_tt = c² u_xx between fixed ends; two modes"
    citation = """@article{wang2022ntk,
  author = {Wang, Sifan and Yu, Xinling and Perdikaris, Paris},
  title = {When and why {PINNs} fail to train: a neural tangent kernel perspective},
  journal = {Journal of Computational Physics}, volume = {449}, pages = {110768}, year = {2022},
  doi = {10.1016/j.jcp.2021.110768}}"""
    fields = ("u",)
    order = 2
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"c": ()}
    needs = ("u_tt", "u_xx", "c")

    @cached_property
    def domain(self) -> Domain:
        """X ∈ [0, 1] with u = 0 at both ends, t ∈ [0, horizon]."""
        return Domain(Interval(x=(0, 1)), (0, self.parameters.horizon), Dirichlet(0.0))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        """Return c."""
        return {"c": self.parameters.speed}

    def initial_state(self, points: Arrays) -> Arrays:
        """Return u₀."""
        x, xp = points["x"], array_namespace(points["x"])
        return {"u": xp.sin(pi * x) + 0.5 * xp.sin(4 * pi * x)}

    def initial_rate(self, points: Arrays) -> Arrays:
        """Return u_t = 0."""
        return {"u": 0.0 * points["x"]}

    def residual(self, d: Arrays) -> Arrays:
        """Return u_tt − c² u_xx."""
        return {"wave": d["u_tt"] - d["c"] ** 2 * d["u_xx"]}

    def solver(self) -> Evolution:
        """Return u_tt = c² u_xx."""

        def acceleration(s: Arrays, c: Arrays, on: Any) -> Arrays:
            return {"u": c["c"] ** 2 * on.laplacian(s["u"], "u")}

        return Evolution(acceleration)

    def reference(self) -> Reference:
        """Return both standing waves."""

        def evaluate(points: Arrays) -> Arrays:
            x, t, xp = points["x"], points["t"], array_namespace(points["x"])
            c = self.parameters.speed
            first = xp.sin(pi * x) * xp.cos(pi * c * t)
            return {"u": first + 0.5 * xp.sin(4 * pi * x) * xp.cos(4 * pi * c * t)}

        return Reference(evaluate, 1e-14, "two standing waves")
