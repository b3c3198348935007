"""The solver face: what the PDE is, not how it is stepped or solved.

An `Evolution` states a right-hand side; the steppers of `numerics` make schemes of it. A
`Stationary` states fluxes and sources. A scheme of its own may stand next to them, where one is the
point of the problem.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

from pdebench_lite.errors import PdebenchError

if TYPE_CHECKING:  # arrays and operators take long to import, and listing needs none
    from pdebench_lite.numerics.grid import Grid
    from pdebench_lite.numerics.operators import Operators
    from pdebench_lite.problem.domain import Domain

Arrays: TypeAlias = dict[str, Any]

_SAFE = 0.9  # of a stability limit
_REACH = 2.6  # RK4 is stable for every z in the left half-plane with |z| below that
_SSP_REACH = 1.7  # likewise the third-order SSP method


@dataclass(frozen=True)
class Scheme:
    """One discretisation of the solver face.

    Attributes:
        step: `step(state, unknowns, t, dt, grid) -> state`; pure, fixed shapes, any leading batch
            axes; state and unknowns are dicts of arrays whose last axes are the grid's. A
            coefficient that depends on time is a function of time.
        max_dt: `max_dt(state, unknowns, grid) -> float`, the largest stable time step.
        summary: one line.
        order: formal order of accuracy where the solution is smooth.
        cells: number of cells an axis, where the grid is part of what is asked; None: any.
        dt: time step, likewise.
        shared: `shared(unknowns, dt, grid) -> arrays` that all steps of a rollout have in common,
            such as the departure points of a steady motion; None: nothing. `step` reads them from
            the unknowns where they are there, and computes them where they are not.
        trigonometric: whether the states are best read between cells by their Fourier series.
        diagnose: `diagnose(state, unknowns, t, grid) -> arrays`: the auxiliary fields.
    """

    step: Callable[[Arrays, Arrays, float, float, "Grid"], Arrays]
    max_dt: Callable[[Arrays, Arrays, "Grid"], float]
    summary: str = ""
    order: int = 1
    cells: int | None = None
    dt: float | None = None
    shared: Callable[[Arrays, float, "Grid"], Arrays] | None = None
    trigonometric: bool = False
    diagnose: Callable[[Arrays, Arrays, float, "Grid"], Arrays] | None = None

    def prepared(self, unknowns: Arrays, dt: float, grid: "Grid") -> Arrays:
        """Return the unknowns, and with them what all steps of this length have in common."""
        return {**unknowns, **self.shared(unknowns, dt, grid)} if self.shared else unknowns


@dataclass(frozen=True)
class Stationary:
    """Fluxes and sources: −Σₐ ∂ₐ flux[field][a] + source[field] = 0 for every field.

    Both are functions of named values at points: fields and their first derivatives (`u`, `u_x`),
    coefficients, coordinates. Arrays of NumPy (complex ones too), torch or JAX.

    Attributes:
        flux: `flux(d) -> {field: {axis: array}}`.
        source: `source(d) -> {field: array}`; fields that are left out have none.
        linear: whether the equation is linear in the fields.
        harmonic: coefficients that conduct, are positive, and may jump: a face between two cells
            has the harmonic mean of theirs, not the arithmetic one.
    """

    flux: Callable[[Arrays], dict[str, Arrays]]
    source: Callable[[Arrays], Arrays] = field(default=lambda d: {})
    linear: bool = True
    harmonic: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evolution:
    """The time derivative of the evolved fields; of order 2 in time, their second derivative.

    Attributes:
        rate: `rate(s, c, on) -> {field: array}` of state, coefficients and the operators of a grid
            (`on.d(s["u"], "xx", "u")`, `on.laplacian`, `on.points`, `on.t`). Runs with differences
            on every box, spectrally on a periodic one.
        symbol: `symbol(k, c) -> {field: array}`: the linear part by wave numbers, axis name ->
            array, on a periodic box. Real, or complex for dispersion. Of fields in `pairs` it is
            that of the complex field, under the name of its real part.
        nonlinear: `nonlinear(s, c, on) -> {field: array}`: what the symbol leaves out.
        degree: of the nonlinear part: how many factors its products have.
        pairs: (real part, imaginary part): fields that are one complex field.
        diagnose: `diagnose(s, c, on) -> {field: array}`: the auxiliary fields.
        own: further schemes, or the only ones; their names come first.
        weak: the same right-hand side as fluxes and sources, u_t = Σ ∂ₐ flux − source, for finite
            elements.
    """

    rate: "Callable[[Arrays, Arrays, Operators], Arrays] | None" = None
    symbol: Callable[[Arrays, Arrays], Arrays] | None = None
    nonlinear: "Callable[[Arrays, Arrays, Operators], Arrays] | None" = None
    degree: int = 2
    pairs: tuple[tuple[str, str], ...] = ()
    diagnose: "Callable[[Arrays, Arrays, Operators], Arrays] | None" = None
    own: Mapping[str, Scheme] = field(default_factory=dict)
    weak: Stationary | None = None

    def schemes(self, domain: "Domain", order: int = 1) -> Mapping[str, Scheme]:
        """Return the discretisations by name, the default first.

        Args:
            domain: a box with a time axis.
            order: of the equation in time.
        """
        if not domain.is_box or domain.time is None:
            return self.own
        found = dict(self.own)
        periodic = all(axis.periodic for axis in domain.space)
        if self.symbol is not None and periodic and order == 1:
            found["etdrk4"] = _Spectra(self, domain, "etdrk4").scheme(
                "Fourier, aliasing removed, exponential Runge–Kutta", 4
            )
            found["imex"] = _Spectra(self, domain, "imex").scheme(
                "Fourier, aliasing removed, implicit linear part", 2
            )
        if self.rate is not None:
            if periodic:
                found["spectral"] = _Lines(self, domain, order, 0).scheme("Fourier, RK4", 4)
            found["fd4"] = _Lines(self, domain, order, 4).scheme(
                "central differences of fourth order, RK4", 4
            )
            found["fd2"] = _Lines(self, domain, order, 2).scheme(
                "central differences of second order, SSP-RK3", 2
            )
        return found


def at_time(unknowns: Arrays, t: Any) -> Arrays:
    """Return the coefficients at a time: those that are functions of time are called."""
    return {k: v(t) if callable(v) else v for k, v in unknowns.items()}


@dataclass(frozen=True)
class _Lines:
    """Method of lines: operators in space, an explicit Runge–Kutta method in time."""

    evolution: Evolution
    domain: "Domain"
    order: int
    differences: int  # order of accuracy; 0: Fourier

    def scheme(self, summary: str, order: int) -> Scheme:
        return Scheme(
            self._step, self._limit, summary, order,
            trigonometric=self.differences == 0,
            diagnose=self._diagnose if self.evolution.diagnose else None,
        )  # fmt: skip

    def _on(self, grid: "Grid", t: Any) -> "Operators":
        from pdebench_lite.numerics.operators import Differences, Spectral

        def ghosts(name: str, like: Any) -> Any:
            return self.domain.ghosts(name, grid, t, like)

        if self.differences:
            return Differences(grid, t, ghosts, self.differences)
        return Spectral(grid, t)

    def _rate(self, unknowns: Arrays, grid: "Grid") -> Callable[[Arrays, Any], Arrays]:
        stated = self.evolution.rate
        assert stated is not None

        def rate(state: Arrays, t: Any) -> Arrays:
            found = stated(state, at_time(unknowns, t), self._on(grid, t))
            if self.order == 1:
                return found
            return {
                **{name: state[f"{name}_t"] for name in found},
                **{f"{name}_t": values for name, values in found.items()},
            }

        return rate

    def _step(self, state: Arrays, unknowns: Arrays, t: float, dt: float, grid: "Grid") -> Arrays:
        from pdebench_lite.numerics.steppers import RK4, SSPRK3

        tableau = SSPRK3 if self.differences == 2 else RK4
        return tableau.step(self._rate(unknowns, grid), state, t, dt)

    def _limit(self, state: Arrays, unknowns: Arrays, grid: "Grid") -> float:
        from pdebench_lite.numerics.steppers import spectral_radius

        assert self.domain.time is not None
        rate, start = self._rate(unknowns, grid), self.domain.time.lower
        radius = spectral_radius(lambda s: rate(s, start), state)
        reach = _SSP_REACH if self.differences == 2 else _REACH
        return _SAFE * reach / radius if radius > 0 else float("inf")

    def _diagnose(self, state: Arrays, unknowns: Arrays, t: float, grid: "Grid") -> Arrays:
        assert self.evolution.diagnose is not None
        return self.evolution.diagnose(state, at_time(unknowns, t), self._on(grid, t))


_SHARED = "_spectra"
"""Key under which all steps of a rollout find what they have in common."""


@dataclass(frozen=True, eq=False)
class _Spectra:
    """Fourier in space; in time the linear part exactly (ETDRK4) or implicitly."""

    evolution: Evolution
    domain: "Domain"
    stepper: str

    def scheme(self, summary: str, order: int) -> Scheme:
        return Scheme(
            self._step, self._limit, summary, order, shared=self._shared, trigonometric=True,
            diagnose=self._diagnose if self.evolution.diagnose else None,
        )  # fmt: skip

    # ---- what is the same in every step ----------------------------------------------------------

    def _shared(self, unknowns: Arrays, dt: float, grid: "Grid") -> Arrays:
        arrays = [v for v in unknowns.values() if hasattr(v, "dtype") and hasattr(v, "shape")]
        if not arrays:  # constants: `_constants` keeps them
            return {}
        return {_SHARED: self._parts(unknowns, dt, grid, 0.0 * arrays[0])}

    def _parts(self, unknowns: Arrays, dt: Any, grid: "Grid", like: Any) -> tuple[Arrays, Arrays]:
        """Return masks and coefficients of the stepper, field name -> array over the modes."""
        from pdebench_lite.numerics.operators import low_modes, wave_grid
        from pdebench_lite.numerics.spectral import etdrk4_coefficients

        evolution = self.evolution
        assert evolution.symbol is not None
        for name, value in unknowns.items():
            if callable(value):
                raise PdebenchError(f"{self.stepper} needs constant coefficients; {name} is not")
        paired = {real for real, _ in evolution.pairs}
        masks, parts = {}, {}
        for full in (False, True):
            names = evolution.symbol(wave_grid(grid, like, full), unknowns)
            for name, symbol in names.items():
                if (name in paired) == full:
                    masks[name] = low_modes(grid, evolution.degree, like, full)
                    parts[name] = (
                        etdrk4_coefficients(symbol, dt) if self.stepper == "etdrk4" else symbol
                    )
        return masks, parts

    @lru_cache(maxsize=64)  # noqa: B019 - as many as there are problems
    def _constants(
        self, unknowns: tuple[tuple[str, float], ...], dt: float, grid: "Grid"
    ) -> tuple[Arrays, Arrays]:
        import numpy as np

        return self._parts(dict(unknowns), dt, grid, np.empty(0))

    def _parts_of(
        self, unknowns: Arrays, dt: Any, grid: "Grid", like: Any
    ) -> tuple[Arrays, Arrays]:
        if _SHARED in unknowns:
            found: tuple[Arrays, Arrays] = unknowns[_SHARED]
            return found
        constant = isinstance(dt, float) and all(isinstance(v, float) for v in unknowns.values())
        if not constant:
            return self._parts(unknowns, dt, grid, like)
        masks, parts = self._constants(tuple(sorted(unknowns.items())), dt, grid)
        return _moved(masks, like), _moved(parts, like)

    # ---- a step ----------------------------------------------------------------------------------

    def _into(self, state: Arrays) -> Arrays:
        from pdebench_lite.numerics import array_namespace

        axes, imaginary = self._axes, dict(self.evolution.pairs)
        found = {}
        for name, values in state.items():
            xp = array_namespace(values)
            if name in imaginary:
                found[name] = xp.fft.fftn(values + 1j * state[imaginary[name]], axes=axes)
            elif name not in imaginary.values():
                found[name] = xp.fft.rfftn(values, axes=axes)
        return found

    def _out(self, spectra: Arrays, grid: "Grid") -> Arrays:
        from pdebench_lite.numerics import array_namespace

        axes, imaginary = self._axes, dict(self.evolution.pairs)
        found = {}
        for name, values in spectra.items():
            xp = array_namespace(values)
            if name in imaginary:
                whole = xp.fft.ifftn(values, axes=axes)
                found[name], found[imaginary[name]] = xp.real(whole), xp.imag(whole)
            else:
                found[name] = xp.fft.irfftn(values, s=grid.cells, axes=axes)
        return found

    @property
    def _axes(self) -> tuple[int, ...]:
        return tuple(range(-len(self.domain.space), 0))

    def _nonlinear(
        self, masks: Arrays, unknowns: Arrays, grid: "Grid"
    ) -> Callable[[Arrays, Any], Arrays]:
        from pdebench_lite.numerics.operators import Spectral

        stated = self.evolution.nonlinear
        known = {k: v for k, v in unknowns.items() if k != _SHARED}

        def nonlinear(spectra: Arrays, t: Any) -> Arrays:
            if stated is None:
                return {name: 0.0 * values for name, values in spectra.items()}
            low = {name: masks[name] * values for name, values in spectra.items()}
            found = self._into(stated(self._out(low, grid), known, Spectral(grid, t)))
            return {
                name: masks[name] * found[name] if name in found else 0.0 * values
                for name, values in spectra.items()
            }

        return nonlinear

    def _step(self, state: Arrays, unknowns: Arrays, t: float, dt: float, grid: "Grid") -> Arrays:
        from pdebench_lite.numerics.spectral import etdrk4_stages
        from pdebench_lite.numerics.steppers import ARS222, imex_step

        masks, parts = self._parts_of(unknowns, dt, grid, next(iter(state.values())))
        nonlinear = self._nonlinear(masks, unknowns, grid)
        spectra = self._into(state)
        if self.stepper == "imex":
            found = imex_step(ARS222, spectra, parts, nonlinear, t, dt)
        else:
            found = etdrk4_stages(spectra, parts, nonlinear, t, dt)
        return self._out(found, grid)

    def _limit(self, state: Arrays, unknowns: Arrays, grid: "Grid") -> float:
        import numpy as np

        from pdebench_lite.numerics.steppers import spectral_radius

        masks, _ = self._parts_of(unknowns, 1.0, grid, np.empty(0))
        nonlinear = self._nonlinear(masks, unknowns, grid)
        assert self.domain.time is not None
        start = self.domain.time.lower
        radius = spectral_radius(lambda s: self._out(nonlinear(self._into(s), start), grid), state)
        return _SAFE * _REACH / radius if radius > 0 else float("inf")

    def _diagnose(self, state: Arrays, unknowns: Arrays, t: float, grid: "Grid") -> Arrays:
        from pdebench_lite.numerics.operators import Spectral

        assert self.evolution.diagnose is not None
        known = {k: v for k, v in unknowns.items() if k != _SHARED}
        return self.evolution.diagnose(state, at_time(known, t), Spectral(grid, t))


def _moved(arrays: Arrays, like: Any) -> Arrays:
    """Return NumPy arrays, or named tuples of them, in the library and precision of another one."""
    from pdebench_lite.numerics import array_namespace

    xp = array_namespace(like)
    place = {"device": getattr(like, "device", None)}
    single = "32" in str(like.dtype)
    kinds = {
        False: xp.float32 if single else xp.float64,
        True: xp.complex64 if single else xp.complex128,
    }

    def moved(values: Any) -> Any:
        if isinstance(values, tuple):
            return type(values)(*map(moved, values))
        return xp.asarray(values, dtype=kinds[values.dtype.kind == "c"], **place)

    return {name: moved(values) for name, values in arrays.items()}
