"""Time steppers for states of several fields: explicit Runge–Kutta, exponential, implicit–explicit.

Each is a tableau or a formula with its source; what is stepped, is the caller's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

State: TypeAlias = dict[str, Any]
Rate: TypeAlias = Callable[[State, Any], State]
"""(state, time) -> time derivative of every field."""


@dataclass(frozen=True)
class Tableau:
    """An explicit Runge–Kutta method.

    Attributes:
        name: as its authors call it.
        a: stage coefficients, row by row, strictly lower triangular.
        b: weights.
        order: of accuracy.
        real: x for which z ∈ [−x, 0] is stable.
        imaginary: y for which z ∈ [−iy, iy] is stable; 0 where none is.
        embedded: weights of a method of lower order, for an estimate of the error; empty: none.
        source: paper or book, with the place in it.
    """

    name: str
    a: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    order: int
    real: float
    imaginary: float
    embedded: tuple[float, ...] = ()
    source: str = ""

    @property
    def c(self) -> tuple[float, ...]:
        """Times of the stages, as fractions of the step."""
        return tuple(float(sum(row)) for row in ((), *self.a))

    def stages(self, rate: Rate, state: State, t: Any, dt: Any) -> list[State]:
        """Return the rates at every stage."""
        rates = [rate(state, t)]
        for row, c in zip(self.a, self.c[1:], strict=True):
            rates.append(rate(combine(state, rates, row, dt), t + c * dt))
        return rates

    def step(self, rate: Rate, state: State, t: Any, dt: Any) -> State:
        """Return the state one step later.

        Args:
            rate: time derivative of a state.
            state: field name -> array.
            t: time.
            dt: time step.
        """
        return combine(state, self.stages(rate, state, t, dt), self.b, dt)

    def error(self, rate: Rate, state: State, t: Any, dt: Any) -> State:
        """Return the difference of the step to that of the embedded method.

        Raises:
            ValueError: there is no embedded method.
        """
        if not self.embedded:
            raise ValueError(f"{self.name} has no embedded error estimate")
        weights = tuple(x - y for x, y in zip(self.b, self.embedded, strict=True))
        zero = {name: 0.0 * values for name, values in state.items()}
        return combine(zero, self.stages(rate, state, t, dt), weights, dt)


def combine(state: State, rates: list[State], weights: tuple[float, ...], dt: Any) -> State:
    """Return state + dt·Σ weightᵢ·rateᵢ."""
    found = {}
    for name, values in state.items():
        for weight, rate in zip(weights, rates, strict=False):
            if weight:
                values = values + (weight * dt) * rate[name]
        found[name] = values
    return found


RK4 = Tableau(
    "rk4", ((0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)), (1 / 6, 1 / 3, 1 / 3, 1 / 6), 4, 2.785, 2.828,
    source="Hairer, Nørsett & Wanner 1993, table II.1.2, doi:10.1007/978-3-540-78862-1",
)  # fmt: skip
SSPRK2 = Tableau(
    "ssprk2", ((1.0,),), (0.5, 0.5), 2, 2.0, 0.0,
    source="Shu & Osher 1988, doi:10.1016/0021-9991(88)90177-5",
)  # fmt: skip
SSPRK3 = Tableau(
    "ssprk3", ((1.0,), (0.25, 0.25)), (1 / 6, 1 / 6, 2 / 3), 3, 2.51, 1.73,
    source="Shu & Osher 1988, doi:10.1016/0021-9991(88)90177-5",
)  # fmt: skip
BS3 = Tableau(
    "bs3", ((0.5,), (0.0, 0.75), (2 / 9, 1 / 3, 4 / 9)), (2 / 9, 1 / 3, 4 / 9, 0.0), 3, 2.51, 1.73,
    embedded=(7 / 24, 1 / 4, 1 / 3, 1 / 8),
    source="Bogacki & Shampine 1989, doi:10.1016/0893-9659(89)90079-7",
)  # fmt: skip
TABLEAUX: Mapping[str, Tableau] = {t.name: t for t in (RK4, SSPRK2, SSPRK3, BS3)}


@dataclass(frozen=True)
class ImexTableau:
    """An implicit–explicit Runge–Kutta method whose implicit part has one diagonal coefficient.

    Attributes:
        name: as its authors call it.
        explicit: stage coefficients of the explicit part, one row for each later stage.
        implicit: those of the implicit part, one row for each later stage, the diagonal last.
        order: of accuracy.
        source: paper, with the place in it.
    """

    name: str
    explicit: tuple[tuple[float, ...], ...]
    implicit: tuple[tuple[float, ...], ...]
    b_explicit: tuple[float, ...]
    b_implicit: tuple[float, ...]
    order: int
    source: str = ""


_G = 1 - 1 / np.sqrt(2)
_D = -1 / np.sqrt(2)  # δ = 1 − 1/(2γ)
ARS222 = ImexTableau(
    "imex",
    explicit=((float(_G),), (float(_D), float(1 - _D))),
    implicit=((0.0, float(_G)), (0.0, float(1 - _G), float(_G))),
    b_explicit=(float(_D), float(1 - _D), 0.0),
    b_implicit=(0.0, float(1 - _G), float(_G)),
    order=2,
    source="Ascher, Ruuth & Spiteri 1997, sect. 2.6, doi:10.1016/S0168-9274(97)00056-1",
)


def imex_step(
    tableau: ImexTableau,
    spectrum: State,
    symbol: State,
    nonlinear: Callable[[State, Any], State],
    t: Any,
    dt: Any,
) -> State:
    """Take one step of dû/dt = symbol·û + nonlinear(û, t); the linear part is solved for exactly.

    Args:
        tableau: the method.
        spectrum: field name -> spectrum.
        symbol: field name -> diagonal of the linear part, broadcasting against the spectrum.
        nonlinear: (spectra, time) -> spectra.
        t: time.
        dt: time step.

    Returns:
        The spectra one step later.
    """
    stages = [spectrum]
    nonlinears = [nonlinear(spectrum, t)]
    linears = [{k: symbol[k] * v for k, v in spectrum.items()}]
    for explicit, implicit in zip(tableau.explicit, tableau.implicit, strict=True):
        c = sum(explicit)
        known = combine(spectrum, nonlinears, explicit, dt)
        known = combine(known, linears, implicit[:-1], dt)
        stage = {k: v / (1.0 - (implicit[-1] * dt) * symbol[k]) for k, v in known.items()}
        stages.append(stage)
        nonlinears.append(nonlinear(stage, t + c * dt))
        linears.append({k: symbol[k] * v for k, v in stage.items()})
    found = combine(spectrum, nonlinears, tableau.b_explicit, dt)
    return combine(found, linears, tableau.b_implicit, dt)


def spectral_radius(rate: Callable[[State], State], state: State, rounds: int = 12) -> float:
    """Estimate the largest modulus of the eigenvalues of ∂rate/∂state by the power method, NumPy.

    Nonlinear power method as in codes of Runge–Kutta–Chebyshev type; Sommeijer, Shampine & Verwer
    1998, sect. 5, doi:10.1016/S0377-0427(97)00219-7. A start with every frequency, so that the
    highest ones, which are the fastest, are found at once. Two rounds are taken together: of a
    second-order equation written as a system, one may lengthen a vector by the square of the radius
    and the next leave it alone.

    Args:
        rate: time derivative, NumPy.
        state: where it is linearised.
        rounds: evaluations of `rate`.

    Returns:
        In 1/time; 0 where the rate does not depend on the state.
    """
    base = rate(state)
    rng = np.random.default_rng(0)
    size = max(float(np.sqrt(np.mean(np.abs(v) ** 2))) for v in state.values()) or 1.0
    step = 1e-7 * max(size, 1e-3)
    direction = {k: rng.standard_normal(np.shape(v)) for k, v in state.items()}
    found = before = 0.0
    for _ in range(rounds):
        norm = np.sqrt(sum(float(np.sum(v**2)) for v in direction.values()))
        if not norm > 0 or not np.isfinite(norm):
            break
        cells = np.sqrt(sum(v.size for v in direction.values()))
        unit = {k: v * (cells / norm) for k, v in direction.items()}
        moved = rate({k: v + step * unit[k] for k, v in state.items()})
        direction = {k: (np.asarray(moved[k]) - np.asarray(base[k])) / step for k in state}
        grown = np.sqrt(sum(float(np.sum(v**2)) for v in direction.values())) / cells
        found, before = max(found, float(np.sqrt(grown * before))), float(grown)
    return found
