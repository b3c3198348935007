"""The incompressible Navier–Stokes equations in the plane: vorticity on a periodic square."""

from collections.abc import Mapping
from functools import cached_property
from math import pi
from typing import Any, ClassVar

from pydantic import Field as Setting

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import (
    Arrays,
    Box,
    Domain,
    Evolution,
    Field,
    Function,
    Periodic,
    Problem,
    Reference,
)
from pdebench_lite.selectors import Settings


class NavierStokes(Problem):
    """w_t + u w_x + v w_y = ν ∇²w, ∇²psi = −w, u = psi_y, v = −psi_x, on [0, 2π]², periodic.

    Taylor and Green's vortex, w = 2 cos(x − a) cos(y − b) e^{−2νt}, carried by a steady stream
    (1, 0) where `stream` is on, so that it moves. The stream function psi is auxiliary and known up
    to a constant.

    Parameters:
        nu: ν.
        stream: speed of a uniform stream along x.
        horizon: T.

    Easy for spectral methods, which have it exactly; networks err where the stream is fast.

    Source: Taylor & Green 1937, doi:10.1098/rspa.1937.0036, eq. 1 with one wave number.
    """

    class Parameters(Settings):
        """Parameters of the vortex."""

        nu: float = Setting(0.05, gt=0, le=1.0, description="viscosity ν")
        stream: float = Setting(0.5, ge=0, le=10.0, description="speed of the uniform stream")
        horizon: float = Setting(1.0, gt=0, le=10.0, description="final time T")

    name = "navier-stokes"
    summary = "w_t + u·∇w = ν ∇²w, ∇²psi = −w, periodic square; a vortex array in a stream"
    citation = """@article{taylor1937mechanism,
  author = {Taylor, Geoffrey Ingram and Green, Albert Edward},
  title = {Mechanism of the production of small eddies from large ones},
  journal = {Proceedings of the Royal Society A}, volume = {158}, pages = {499--521}, year = {1937},
  doi = {10.1098/rspa.1937.0036}}"""
    fields = (Field("w"), Field("psi", auxiliary=True, gauge=True))
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"nu": (), "U": ()}
    needs = (
        *("w", "w_t", "w_x", "w_y", "w_xx", "w_yy"),
        *("psi_x", "psi_y", "psi_xx", "psi_yy", "nu", "U"),
    )

    @cached_property
    def domain(self) -> Domain:
        """[0, 2π]², periodic, t ∈ [0, horizon]."""
        square = Box(x=(0, 2 * pi), y=(0, 2 * pi))
        return Domain(square, (0, self.parameters.horizon), Periodic("x", "y"))

    def coefficient_values(self) -> Mapping[str, float | Function]:
        """Return ν and the stream U."""
        return {"nu": self.parameters.nu, "U": self.parameters.stream}

    def _vortex(self, points: Arrays, elapsed: Any) -> Arrays:
        x, y, xp = points["x"], points["y"], array_namespace(points["x"])
        shape = xp.cos(x - self.parameters.stream * elapsed) * xp.cos(y)
        if not isinstance(elapsed, float):
            shape = shape * array_namespace(elapsed).exp(-2 * self.parameters.nu * elapsed)
        return {"w": 2.0 * shape, "psi": shape}

    def initial_state(self, points: Arrays) -> Arrays:
        """Return the vorticity at the start."""
        return {"w": self._vortex(points, 0.0)["w"]}

    def residual(self, d: Arrays) -> Arrays:
        """Return the residuals of transport and of the stream function."""
        transport = (d["U"] + d["psi_y"]) * d["w_x"] - d["psi_x"] * d["w_y"]
        return {
            "transport": d["w_t"] + transport - d["nu"] * (d["w_xx"] + d["w_yy"]),
            "stream": d["psi_xx"] + d["psi_yy"] + d["w"],
        }

    def solver(self) -> Evolution:
        """Return the diffusion as a symbol, transport as the rest; psi follows from w."""

        def stream(s: Arrays, c: Arrays, on: Any) -> Arrays:
            return {"psi": on.inverse_laplacian(-s["w"])}

        def transport(s: Arrays, c: Arrays, on: Any) -> Arrays:
            psi, w = stream(s, c, on)["psi"], s["w"]
            along = (c["U"] + on.d(psi, "y")) * on.d(w, "x")
            return {"w": on.d(psi, "x") * on.d(w, "y") - along}

        return Evolution(
            symbol=lambda k, c: {"w": -c["nu"] * (k["x"] ** 2 + k["y"] ** 2)},
            nonlinear=transport,
            diagnose=stream,
        )

    def reference(self) -> Reference:
        """Return Taylor and Green's solution."""
        return Reference(lambda p: self._vortex(p, p["t"]), 1e-14, "Taylor–Green, in a stream")
