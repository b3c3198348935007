"""A plugin for pdebench-lite: a problem in two dimensions, with walls."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import pi
from typing import Any, ClassVar

from pydantic import Field

from pdebench_lite import Domain, Problem, Reference, Settings, hookimpl
from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import Arrays, Box, Dirichlet, Evolution, Neumann


class HeatedPlate(Problem):
    """u_t = D ∇²u on [0, 1]²; u = 1 at x = 0, u = 0 at x = 1, no flux at y = 0 and y = 1."""

    class Parameters(Settings):
        """Parameters of the plate."""

        diffusion: float = Field(0.1, gt=0, le=1.0, description="diffusivity D")

    name = "heated-plate"
    summary = "u_t = D ∇²u on a square, two walls held, two insulated"
    citation = "@book{fourier1822, author={Fourier, J.}, title={The Analytical Theory of Heat}}"
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"D": ()}
    needs = ("u_t", "u_xx", "u_yy", "D")

    @cached_property
    def domain(self) -> Domain:
        """The unit square, t ∈ [0, 1]."""
        hot, cold = Dirichlet(1.0, on=("x_lower",)), Dirichlet(0.0, on=("x_upper",))
        insulated = Neumann(0.0, on=("y_lower", "y_upper"))
        return Domain(Box(x=(0, 1), y=(0, 1)), (0, 1), (hot, cold, insulated))

    def coefficient_values(self) -> Mapping[str, Any]:
        """Return D."""
        return {"D": self.parameters.diffusion}

    def _exact(self, points: Arrays, decay: Any) -> Arrays:
        x, y, xp = points["x"], points["y"], array_namespace(points["x"])
        return {"u": 1.0 - x + xp.sin(pi * x) * xp.cos(pi * y) * decay}

    def initial_state(self, points: Arrays) -> Arrays:
        """Return u at the start."""
        return self._exact(points, 1.0)

    def residual(self, d: Arrays) -> Arrays:
        """Return u_t − D (u_xx + u_yy)."""
        return {"heat": d["u_t"] - d["D"] * (d["u_xx"] + d["u_yy"])}

    def solver(self) -> Evolution:
        """Return the rate of change, of which the library makes schemes."""
        return Evolution(lambda s, c, on: {"u": c["D"] * on.laplacian(s["u"], "u")})

    def reference(self) -> Reference:
        """Return the exact solution: a steady state and one mode that decays."""
        rate = 2 * pi**2 * self.parameters.diffusion
        return Reference(
            lambda p: self._exact(p, array_namespace(p["t"]).exp(-rate * p["t"])),
            bound=1e-14,
            summary="steady state and one decaying mode",
        )


@hookimpl
def pdebench_problems() -> Sequence[type[Problem]]:
    """Return the problem."""
    return (HeatedPlate,)
