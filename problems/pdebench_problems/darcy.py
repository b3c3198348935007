"""Darcy flow in a square: pressure in a porous rock of varying permeability."""

from collections.abc import Mapping
from functools import cached_property
from math import pi
from typing import Any, ClassVar

from pydantic import Field

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import (
    Arrays,
    Box,
    Dirichlet,
    Domain,
    Function,
    Problem,
    Reference,
    Stationary,
    Unknown,
)
from pdebench_lite.problem.galerkin import refined_by_degree
from pdebench_lite.seeding import generator
from pdebench_lite.selectors import Settings

_WAVES = 8
_LENGTH = 0.35  # of correlation


class Darcy(Problem):
    """−∇·(a ∇u) = f on the unit square, u = 0 on its sides; dimensionless.

    log a = σ √(2/8) Σⱼ cos(κⱼ·x + φⱼ) with 8 wave vectors drawn from N(0, 0.35⁻²) and phases from
    [0, 2π): a field of about squared-exponential covariance (Rahimi & Recht 2007).

    Parameters:
        instance: number of the permeability that is drawn.
        contrast: σ, the standard deviation of log a; with 0.5 a varies about fivefold.
        source: f, the same everywhere.

    Smooth but for weak singularities (r² log r) in the corners. Where u is flat, near its maximum,
    it says little about a: to identify a is ill-posed there, and a factor common to a and f cannot
    be told, so that f is given.

    Source: Darcy 1856; with random permeabilities Li et al. 2021, arXiv:2010.08895, section 5.2.
    """

    class Parameters(Settings):
        """Parameters of the rock."""

        instance: int = Field(0, ge=0, description="number of the permeability that is drawn")
        contrast: float = Field(0.5, ge=0, le=2.0, description="σ, standard deviation of log a")
        source: float = Field(1.0, gt=0, le=100.0, description="f")

    name = "darcy"
    summary = "−∇·(a ∇u) = f in a square; pressure in a rock of varying permeability"
    citation = """@inproceedings{li2021fourier,
  author = {Li, Zongyi and Kovachki, Nikola and Azizzadenesheli, Kamyar and Liu, Burigede
            and Bhattacharya, Kaushik and Stuart, Andrew and Anandkumar, Anima},
  title = {Fourier Neural Operator for Parametric Partial Differential Equations},
  booktitle = {International Conference on Learning Representations}, year = {2021}}"""
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"a": ("x", "y"), "f": ()}
    needs = ("u_x", "u_xx", "u_y", "u_yy", "a", "a_x", "a_y", "f")
    sought: ClassVar[Mapping[str, Unknown]] = {
        "a": Unknown("a", "coefficient", ("x", "y"), guess=1.0, positive=True)
    }

    @cached_property
    def domain(self) -> Domain:
        """The unit square, u = 0 on all sides."""
        return Domain(Box(x=(0.0, 1.0), y=(0.0, 1.0)), boundary=Dirichlet(0.0))

    @cached_property
    def _waves(self) -> tuple[tuple[float, float, float], ...]:
        """Wave vectors and phases."""
        rng = generator("darcy", "permeability", self.parameters.instance)
        vectors = rng.standard_normal((_WAVES, 2)) / _LENGTH
        phases = 2 * pi * rng.random(_WAVES)
        return tuple(
            (float(k), float(m), float(p)) for (k, m), p in zip(vectors, phases, strict=True)
        )

    def permeability(self, points: Arrays) -> Any:
        """Return a at points (arrays of any backend, or jets)."""
        x, y, xp = points["x"], points["y"], array_namespace(points["x"], points["y"])
        waves = [xp.cos(k * x + m * y + phase) for k, m, phase in self._waves]
        return xp.exp((self.parameters.contrast * (2 / _WAVES) ** 0.5) * sum(waves[1:], waves[0]))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        """Return a and f."""
        return {"a": self.permeability, "f": self.parameters.source}

    def residual(self, d: Arrays) -> Arrays:
        """Return −∇·(a ∇u) − f."""
        through = d["a"] * (d["u_xx"] + d["u_yy"]) + d["a_x"] * d["u_x"] + d["a_y"] * d["u_y"]
        return {"darcy": -through - d["f"]}

    def solver(self) -> Stationary:
        """Return the flux a ∇u and the source."""
        return Stationary(
            flux=lambda d: {"u": {"x": d["a"] * d["u_x"], "y": d["a"] * d["u_y"]}},
            source=lambda d: {"u": 0.0 * d["u"] - d["f"]},
            harmonic=("a",),
        )

    def reference(self) -> Reference:
        """Return the solution by Galerkin's method, refined."""
        return refined_by_degree(self, 72)
