"""The Allen–Cahn equation in one dimension: two phases and thin walls between them."""

from collections.abc import Mapping
from functools import cached_property
from math import pi
from typing import Any, ClassVar, Literal

from pydantic import Field

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import (
    Arrays,
    Domain,
    Evolution,
    Function,
    Interval,
    Periodic,
    Problem,
    Reference,
    Stationary,
)
from pdebench_lite.problem.refined import refined
from pdebench_lite.selectors import Settings


class AllenCahn(Problem):
    """u_t = D u_xx + r (u − u³), 2-periodic on x ∈ [−1, 1], t ∈ [0, T]; dimensionless.

    Parameters:
        diffusion: D; walls are about √(2D/r) wide, 6e-3 with the defaults.
        reaction: r; phases part within a time of 1/r.
        ic: `kinked` is x² cos πx, the usual one, whose slope jumps at ±1; `smooth` is
            (1 + sin πx) cos πx / 2, without the jump.

    Hard for networks: the stable states ±1 attract, and plain ones stay near 0 (an error of about
    0.5). The jump limits every spectral reference: see the bound.

    Source: Allen & Cahn 1979, doi:10.1016/0001-6160(79)90196-2; with this start Wight & Zhao 2021,
    doi:10.4208/cicp.OA-2020-0086, eq. 4.1.
    """

    class Parameters(Settings):
        """Parameters of the equation."""

        diffusion: float = Field(1e-4, ge=1e-5, le=1.0, description="D")
        reaction: float = Field(5.0, ge=0, le=10.0, description="r")
        horizon: float = Field(1.0, gt=0, le=2.0, description="final time T")
        ic: Literal["kinked", "smooth"] = Field("kinked", description="initial state")

    name = "allen-cahn"
    summary = "u_t = D u_xx + r (u − u³), periodic; phases and thin walls"
    citation = """@article{allen1979microscopic,
  author = {Allen, Samuel M. and Cahn, John W.},
  title = {A microscopic theory for antiphase boundary motion and its application to antiphase
           domain coarsening},
  journal = {Acta Metallurgica}, volume = {27}, number = {6}, pages = {1085--1095}, year = {1979},
  doi = {10.1016/0001-6160(79)90196-2}}"""
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"D": (), "r": ()}
    needs = ("u", "u_t", "u_xx", "D", "r")

    @cached_property
    def domain(self) -> Domain:
        """X ∈ [−1, 1] periodic, t ∈ [0, horizon]."""
        return Domain(Interval(x=(-1, 1)), (0, self.parameters.horizon), Periodic("x"))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        """Return D and r."""
        return {"D": self.parameters.diffusion, "r": self.parameters.reaction}

    def initial_state(self, points: Arrays) -> Arrays:
        """Return u₀."""
        x, xp = points["x"], array_namespace(points["x"])
        if self.parameters.ic == "smooth":
            return {"u": 0.5 * (1.0 + xp.sin(pi * x)) * xp.cos(pi * x)}
        return {"u": x * x * xp.cos(pi * x)}

    def residual(self, d: Arrays) -> Arrays:
        """Return u_t − D u_xx − r (u − u³)."""
        return {"allen-cahn": d["u_t"] - d["D"] * d["u_xx"] - d["r"] * (d["u"] - d["u"] ** 3)}

    def solver(self) -> Evolution:
        """Return the diffusion as a symbol, the reaction as the rest."""

        def reaction(s: Arrays, c: Arrays, on: Any) -> Arrays:
            return {"u": c["r"] * (s["u"] - s["u"] ** 3)}

        def rate(s: Arrays, c: Arrays, on: Any) -> Arrays:
            return {"u": c["D"] * on.laplacian(s["u"], "u") + reaction(s, c, on)["u"]}

        weak = Stationary(
            flux=lambda d: {"u": {"x": d["D"] * d["u_x"]}},
            source=lambda d: {"u": -d["r"] * (d["u"] - d["u"] ** 3)},
            linear=False,
        )
        symbol = lambda k, c: {"u": -c["D"] * k["x"] ** 2}  # noqa: E731
        return Evolution(rate, symbol=symbol, nonlinear=reaction, degree=3, weak=weak)

    def reference(self) -> Reference:
        """Return the solution of `etdrk4`, refined."""
        return refined(self, "etdrk4", 2048, 800)
