"""Poisson's equation on a square, on an L-shape, and on a square with four holes."""

from collections.abc import Mapping
from functools import cached_property
from math import pi
from typing import Any, ClassVar, Literal

from pydantic import Field

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import (
    Arrays,
    Box,
    Difference,
    Dirichlet,
    Domain,
    Function,
    Problem,
    Reference,
    Stationary,
)
from pdebench_lite.selectors import Settings


class Poisson(Problem):
    """−(u_xx + u_yy) = f, u given on the whole boundary; dimensionless.

    Parameters:
        shape: `square` is [0, 1]² with u = sin πx sin πy, smooth: a good method reaches 1e-7;
            `l-shape` is [−1, 1]² without [0, 1]², f = 1, u = 0 on the boundary: u ~ r^(2/3) at the
            corner that points inward, its gradient infinite; networks stall at 1e-2 to 1e-3;
            `holes` is [−½, ½]² without four discs of radius 0.1 about (±0.3, ±0.3), f = 0, u = 1 on
            the sides and 0 on the rims: plain networks miss the thin gaps.

    Source: l-shape: Fox, Henrici & Moler 1967, doi:10.1137/0704008, treat its eigenvalues; holes:
    Hao et al. 2024 (PINNacle), arXiv:2306.08827, Poisson2d-CG.
    """

    class Parameters(Settings):
        """Which shape."""

        shape: Literal["square", "l-shape", "holes"] = Field("square", description="of the domain")

    name = "poisson"
    summary = "−Δu = f on a square, an L-shape, or a square with four holes"
    citation = """@inproceedings{hao2024pinnacle,
  author = {Hao, Zhongkai and Yao, Jiachen and Su, Chang and Su, Hang and Wang, Ziao and Lu, Fanzhi
            and Xia, Zeyu and Zhang, Yichi and Liu, Songming and Lu, Lu and Zhu, Jun},
  title = {{PINNacle}: A comprehensive benchmark of physics-informed neural networks for solving
           {PDEs}},
  booktitle = {Advances in Neural Information Processing Systems}, year = {2024}}"""
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"f": ("x", "y")}
    needs = ("u_xx", "u_yy", "f")

    @property
    def _shape(self) -> str:
        shape: str = self.parameters.shape
        return shape

    @cached_property
    def domain(self) -> Domain:
        """The shape, with u given on its whole boundary."""
        from pdebench_problems.references.harmonic import HOLES, L_SHAPE

        if self._shape == "square":
            return Domain(Box(x=(0, 1), y=(0, 1)), boundary=Dirichlet(0.0))
        if self._shape == "l-shape":
            return Domain(L_SHAPE, boundary=Dirichlet(0.0))
        holes = Difference(Box(x=(-0.5, 0.5), y=(-0.5, 0.5)), HOLES)
        rims = Dirichlet(0.0, on=holes.parts[-len(HOLES) :])
        return Domain(holes, boundary=(Dirichlet(1.0), rims))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        """Return f."""

        def source(points: Arrays) -> Any:
            x, y, xp = points["x"], points["y"], array_namespace(points["x"])
            if self._shape == "square":
                return 2 * pi**2 * xp.sin(pi * x) * xp.sin(pi * y)
            return 0.0 * x + (1.0 if self._shape == "l-shape" else 0.0)

        return {"f": source}

    def residual(self, d: Arrays) -> Arrays:
        """Return −(u_xx + u_yy) − f."""
        return {"poisson": -(d["u_xx"] + d["u_yy"]) - d["f"]}

    def solver(self) -> Stationary:
        """Return the gradient as flux, −f as source."""
        return Stationary(
            flux=lambda d: {"u": {"x": d["u_x"], "y": d["u_y"]}}, source=lambda d: {"u": -d["f"]}
        )

    def reference(self) -> Reference:
        """Return the formula, or a certified series."""
        from pdebench_problems.references import harmonic

        if self._shape == "l-shape":
            return harmonic.l_shape()
        if self._shape == "holes":
            return harmonic.holes(self.domain.geometry)

        def evaluate(points: Arrays) -> Arrays:
            xp = array_namespace(points["x"])
            return {"u": xp.sin(pi * points["x"]) * xp.sin(pi * points["y"])}

        return Reference(evaluate, 1e-14, "the formula")
