"""Burgers' equation in one dimension, periodic, with the exact solution of Cole and Hopf."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from pdebench_lite.numerics import (
    Grid,
    array_namespace,
    dealias_mask,
    diffuse_spectral,
    etdrk4_coefficients,
    etdrk4_step,
    laplacian,
    muscl_divergence,
    semi_lagrangian,
    ssp_rk2,
    wavenumbers,
)
from pdebench_lite.problem import (
    Arrays,
    Carried,
    Domain,
    Evolution,
    Function,
    Interval,
    Periodic,
    Problem,
    Reference,
    Scheme,
)
from pdebench_lite.problem.carrying import refine
from pdebench_lite.seeding import generator
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks import Forward, Reconstruction
from pdebench_problems._cole_hopf import ColeHopf, random_modes
from pdebench_problems._sampled_cole_hopf import carried_by_cole_hopf, own_error
from pdebench_problems.burgers_family import Family
from pdebench_problems.burgers_pbdl import Pbdl
from pdebench_problems.burgers_viscosity import Viscosity


class Burgers(Problem):
    """u_t + u u_x = ν u_xx, 2-periodic on x ∈ [−1, 1], t ∈ [0, T]; dimensionless.

    Parameters:
        nu: ν, viscosity; valid from 1e-3 to 1. Shocks are about 4ν/Δu wide.
        horizon: T.
        ic: `sine` is u₀ = −sin πx, whose shock stays at x = 0. `random` is drawn from the problem
            and `instance` alone: modes m = 1…8 with sine and cosine coefficients N(0, 1)/m, scaled
            to rms 0.707, plus a mean uniform in ±0.5, so that shocks move.

    Schemes:
        muscl: conservative finite volumes (MUSCL, Godunov flux, van Leer), SSP-RK2; second order.
        etdrk4: Fourier, 2/3 rule, exponential Runge–Kutta of fourth order; needs about 6 cells
            within a shock.
        semilagrangian: u carried along its own characteristics by cubic interpolation, diffusion
            exact in Fourier space; first order. It moves shocks at the wrong speed unless they
            stand still.

    Source: Basdevant et al. 1986, Comput. Fluids 14(1), 23–41, doi:10.1016/0045-7930(86)90036-8.
    """

    class Parameters(Settings):
        """Parameters of Burgers' equation."""

        nu: float = Field(0.01 / np.pi, ge=1e-3, le=1.0, description="viscosity ν")
        horizon: float = Field(1.0, gt=0, le=2.0, description="final time T")
        ic: Literal["sine", "random"] = Field("sine", description="initial state")
        instance: int = Field(0, ge=0, description="which random initial state")

    name = "burgers"
    summary = "u_t + u u_x = ν u_xx, periodic; shocks"
    citation = """@article{basdevant1986burgers,
  author = {Basdevant, C. and Deville, M. and Haldenwang, P. and Lacroix, J. M. and Ouazzani, J.
            and Peyret, R. and Orlandi, P. and Patera, A. T.},
  title = {Spectral and finite difference solutions of the {Burgers} equation},
  journal = {Computers \\& Fluids}, volume = {14}, number = {1}, pages = {23--41}, year = {1986},
  doi = {10.1016/0045-7930(86)90036-8}}"""
    fields = ("u",)
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {"nu": ()}
    needs = ("u", "u_t", "u_x", "u_xx", "nu")
    tasks = (Reconstruction, Forward, Viscosity, Pbdl, Family)

    @cached_property
    def domain(self) -> Domain:
        """X ∈ [−1, 1] periodic, t ∈ [0, horizon]."""
        return Domain(Interval(x=(-1, 1)), (0, self.parameters.horizon), Periodic("x"))

    @cached_property
    def exact(self) -> ColeHopf:
        """The exact solution, from which reference and initial state come."""
        if self.parameters.ic == "sine":
            return ColeHopf(self.parameters.nu, 0.0, (-1.0,), (0.0,))
        modes = random_modes(generator("burgers", "ic", self.parameters.instance))
        return ColeHopf(self.parameters.nu, *modes)

    def coefficient_values(self) -> Mapping[str, float | Function]:
        """Return ν."""
        return {"nu": self.parameters.nu}

    def initial_state(self, points: Arrays) -> Arrays:
        """Return u₀ at points `x`, any shape, any backend."""
        return {"u": self.exact.initial(points["x"])}

    def residual(self, d: Arrays) -> Arrays:
        """Return u_t + u u_x − ν u_xx."""
        return {"burgers": d["u_t"] + d["u"] * d["u_x"] - d["nu"] * d["u_xx"]}

    # ---- solvers -----------------------------------------------------------------------------

    def solver(self) -> Evolution:
        """Return `muscl` (default), `etdrk4` and `semilagrangian`."""
        own = {
            "muscl": Scheme(_muscl, _muscl_limit, "MUSCL–Godunov finite volumes, SSP-RK2", 2),
            "etdrk4": Scheme(
                _etdrk4,
                _etdrk4_limit,
                "Fourier, 2/3 rule, ETDRK4",
                4,
                shared=_etdrk4_shared,
                trigonometric=True,
            ),
            "semilagrangian": Scheme(
                _semilagrangian, _no_limit, "semi-Lagrangian, cubic; misplaces moving shocks", 1
            ),
        }
        return Evolution(own=own)

    # ---- truth -------------------------------------------------------------------------------

    def reference(self) -> Reference:
        """Return Cole–Hopf's exact solution by quadrature, with its verified bound."""
        exact = self.exact
        return Reference(
            evaluate=lambda points: {
                "u": exact.evaluate(points["x"], points["t"]),
                "nu": np.full(np.shape(points["x"]), self.parameters.nu),
            },
            bound=exact.bound(self.parameters.horizon),
            summary="Cole–Hopf, trapezoid rule with log-scaled weights",
        )

    def carry(
        self, found: Mapping[str, Function], axes: Mapping[str, np.ndarray], tolerance: float
    ) -> Carried | None:
        """Carry a found initial state, or the true one, with a found ν or the true one.

        By Cole and Hopf's quotient, on grids that double until they agree.
        """
        nu = float(np.squeeze(found["nu"]({}))) if "nu" in found else self.parameters.nu
        starts = {"u": found.get("u_initial", lambda points: self.exact.initial(points["x"]))}
        x, times = np.asarray(axes["x"], float), np.asarray(axes["t"], float)

        def solve(start: Arrays, grid: Grid) -> Arrays:
            u = start["u"]
            return {"u": carried_by_cole_hopf(u, nu, grid, x, times - times[0], tolerance)}

        carried = refine(self.domain, solve, starts, tolerance, cells=(64, 4096))
        height = float(np.ptp(carried.fields["u"]))
        own = own_error(height, self.domain["x"].length, nu, tolerance)
        return replace(carried, bound=carried.bound + own)


def _speed(state: Arrays) -> float:
    return max(float(abs(state["u"]).max()), 1e-12)


def _muscl(state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
    def rate(u: Any) -> Any:
        return muscl_divergence(u, lambda v: 0.5 * v * v, grid) + unknowns["nu"] * laplacian(
            u, grid
        )

    return {"u": ssp_rk2(rate, state["u"], dt)}


def _muscl_limit(state: Arrays, unknowns: Arrays, grid: Grid) -> float:
    """MUSCL keeps its bounds for |u| dt/h ≤ ½, diffusion for ν dt/h² ≤ ½; here their sum."""
    h = grid.spacing["x"]
    return 1.0 / (2.0 * _speed(state) / h + 2.0 * float(unknowns["nu"]) / h**2)


def _etdrk4(state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
    u, nu = state["u"], unknowns["nu"]
    xp, n = array_namespace(u), grid.cells[-1]
    u_hat = xp.fft.rfft(u)
    if "spectral" in unknowns:
        mask, flux, coefficients = unknowns["spectral"]
    elif isinstance(nu, float | np.ndarray) and isinstance(dt, float):  # constants, computed once
        own = nu if isinstance(nu, float) else (nu.tobytes(), nu.shape)
        mask, flux, fixed = _constants(own, dt, grid)
        place = {"device": getattr(u, "device", None)}
        mask = xp.asarray(mask, dtype=u.dtype, **place)
        flux = xp.asarray(flux, dtype=u_hat.dtype, **place)
        coefficients = type(fixed)(*(xp.asarray(c, dtype=u.dtype, **place) for c in fixed))
    else:
        mask, flux, coefficients = _spectral(nu, dt, grid, u)

    def nonlinear(v_hat: Any) -> Any:  # −½ ∂ₓ v², the 2/3 rule before and after the product
        v = xp.fft.irfft(mask * v_hat, n=n)
        return flux * xp.fft.rfft(v * v)

    return {"u": xp.fft.irfft(etdrk4_step(u_hat, coefficients, nonlinear), n=n)}


def _etdrk4_shared(unknowns: Arrays, dt: float, grid: Grid) -> Arrays:
    """Return what depends on ν, where it is an array of a backend; `_constants` keeps the rest."""
    nu = unknowns.get("nu")
    if nu is None or isinstance(nu, float | np.ndarray):
        return {}
    return {"spectral": _spectral(nu, dt, grid, nu)}


def _spectral(nu: Any, dt: Any, grid: Grid, like: Any) -> tuple[Any, Any, Any]:
    k, mask = wavenumbers(grid, like=like), dealias_mask(grid, like=like)
    return mask, -0.5j * k * mask, etdrk4_coefficients(-nu * k**2, dt)


@lru_cache(maxsize=256)
def _constants(
    nu: float | tuple[bytes, tuple[int, ...]], dt: float, grid: Grid
) -> tuple[Any, Any, Any]:
    known = nu if isinstance(nu, float) else np.frombuffer(nu[0]).reshape(nu[1])
    return _spectral(known, dt, grid, np.empty(0))


def _etdrk4_limit(state: Arrays, unknowns: Arrays, grid: Grid) -> float:
    return grid.spacing["x"] / _speed(state)


def _semilagrangian(state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
    u = diffuse_spectral(state["u"], unknowns["nu"], dt, grid)
    return {"u": semi_lagrangian(u, u, dt, grid, order="cubic")}


def _no_limit(state: Arrays, unknowns: Arrays, grid: Grid) -> float:
    return float("inf")
