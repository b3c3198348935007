"""The Burgers reference against mpmath, Gauss–Hermite, the equation itself, and its own bound."""

import tracemalloc
from math import pi, sqrt

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdebench_lite.errors import PdebenchError
from pdebench_problems import _cole_hopf
from pdebench_problems._cole_hopf import ColeHopf, random_modes
from pdebench_problems.burgers import Burgers

NU = 0.01 / pi
SINE = ColeHopf(NU, sine=(-1.0,))
SHARP = ColeHopf(1e-3, sine=(-1.0,))
SAW = ColeHopf(1e-3, mean=0.3, sine=(-0.6, 0.3), cosine=(0.2, -0.5, 0.1))


def drawn(instance: int, nu: float) -> ColeHopf:
    return ColeHopf(nu, *random_modes(np.random.default_rng(instance)))


def precise(exact: ColeHopf, x: float, t: float, step: float = 0.015, reach: float = 9.0) -> mp.mpf:
    """Textbook Cole–Hopf, numerator (x − y)/t, by a 30-digit trapezoid of its own."""
    with mp.workdps(30):
        nu, t = mp.mpf(exact.nu), mp.mpf(t)
        x = mp.mpf(x) - mp.mpf(exact.mean) * t
        modes = max(len(exact.sine), len(exact.cosine))
        sine = [*map(mp.mpf, exact.sine), *[0] * (modes - len(exact.sine))]
        cosine = [*map(mp.mpf, exact.cosine), *[0] * (modes - len(exact.cosine))]
        scale = 2 * mp.sqrt(nu * t)
        most = sum(abs(a) for a in exact.sine + exact.cosine)
        last = int((most * t / scale + reach) / step) + 1
        exponents, values = [], []
        for j in range(-last, last + 1):
            w = scale * step * j
            turn, power = mp.expjpi(x - w), mp.mpc(1)
            potential = w * w / (2 * t)
            for m, (s, c) in enumerate(zip(sine, cosine, strict=True), start=1):
                power *= turn
                potential += (c * power.imag - s * power.real) / (m * mp.pi)
            exponents.append(-potential / (2 * nu))
            values.append(w / t)
        top = max(exponents)
        weights = [mp.exp(e - top) for e in exponents]
        return mp.fdot(weights, values) / mp.fsum(weights) + mp.mpf(exact.mean)


def rms(exact: ColeHopf, horizon: float = 1.0) -> float:
    x = np.linspace(-1, 1, 256, endpoint=False)
    return sqrt(np.mean(exact.evaluate(x, np.linspace(0, horizon, 21)[:, None]) ** 2))


def front(exact: ColeHopf, t: float) -> float:
    """Middle of the steepest front."""
    x = np.linspace(-1, 1, 4097)
    i = int(np.argmin(np.diff(exact.evaluate(x, t))))
    return float(x[i] + x[i + 1]) / 2


# ---- against other evaluations ---------------------------------------------------------------


@pytest.mark.parametrize(
    "exact", [SINE, SHARP, SAW, drawn(8, 1e-3)], ids=["sine", "1e-3", "saw", "8"]
)
@pytest.mark.parametrize("t", [1e-6, 1e-3, 0.3, 1.0])
def test_mpmath(exact, t):
    scale, bound = rms(exact), exact.bound(1.0)
    assert bound < 1e-12
    x = front(exact, t) + 0.4 * exact.nu
    assert abs(float(precise(exact, x, t, 0.03) - exact.evaluate(x, t))) <= bound * scale


def test_mpmath_quad():
    """An adaptive quadrature, split at the two peaks, beside the foot of the shock."""
    x, t = 0.003, 0.7
    with mp.workdps(30):
        nu = mp.mpf(NU)

        def density(y):  # Φ = cos(πy)/π for −sin πx
            return mp.exp(-(mp.cospi(y) / mp.pi + (x - y) ** 2 / (2 * mp.mpf(t))) / (2 * nu))

        peaks = [mp.findroot(lambda y: mp.sinpi(y) + (x - y) / mp.mpf(t), g) for g in (-0.5, 0.5)]
        cuts = [-3, peaks[0], 0, peaks[1], 3]
        below = mp.quad(density, cuts, maxdegree=9)
        above = mp.quad(lambda y: -mp.sinpi(y) * density(y), cuts, maxdegree=9)
        expected = float(above / below)
    assert SINE.evaluate(x, t) == pytest.approx(expected, rel=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("nu", [1e-3, NU, 0.05, 1.0])
@pytest.mark.parametrize("instance", [0, 1])
def test_mpmath_sweep(nu, instance):
    exact = drawn(instance, nu)
    scale, bound = rms(exact, 2.0), exact.bound(2.0)
    for t in (1e-6, 1e-3, 0.1, 0.3, 1.0, 2.0):
        for x in front(exact, t) + nu * np.array([-2.0, 0.0, 0.7]):
            assert abs(float(precise(exact, x, t) - exact.evaluate(x, t))) <= bound * scale


def test_gauss_hermite():
    """200 nodes are right to 1e-14 for −sin πx at this ν (Basdevant et al. 1986)."""
    z, w = np.polynomial.hermite.hermgauss(200)
    x, t = np.meshgrid(np.linspace(-1, 1, 65), np.linspace(0.02, 1, 20))
    y = x[..., None] - 2 * np.sqrt(NU * t)[..., None] * z
    exponent = -np.cos(pi * y) / (2 * pi * NU)
    weight = w * np.exp(exponent - exponent.max(axis=-1, keepdims=True))
    expected = np.sum(-np.sin(pi * y) * weight, axis=-1) / np.sum(weight, axis=-1)
    assert np.max(abs(SINE.evaluate(x, t) - expected)) < 1e-13


# ---- properties of the solution --------------------------------------------------------------


@pytest.mark.parametrize("exact", [SINE, drawn(1, 0.01), drawn(2, 0.3)])
def test_equation(exact):
    """Differences of order 8 leave a residual that only rounding explains."""
    h = 0.03 * min(exact.nu, 0.1)
    first = np.array([1 / 280, -4 / 105, 1 / 5, -4 / 5, 0, 4 / 5, -1 / 5, 4 / 105, -1 / 280]) / h
    second = np.array(
        [-1 / 560, 8 / 315, -1 / 5, 8 / 5, -205 / 72, 8 / 5, -1 / 5, 8 / 315, -1 / 560]
    ) / h**2  # fmt: skip
    k = np.arange(-4, 5) * h
    for t in (0.05, 0.3, 0.9):
        for x in (-0.8, front(exact, t), 0.35):
            u, around = exact.evaluate(x, t), exact.evaluate(x + k, t)
            terms = (
                first @ exact.evaluate(x, t + k),
                u * (first @ around),
                -exact.nu * (second @ around),
            )
            assert abs(sum(terms)) < 2e-7 * (1 + max(map(abs, terms)))


@pytest.mark.parametrize("exact", [SAW, drawn(3, 1e-3), drawn(4, 0.1)])
def test_periodic_and_mean(exact):
    x, t = np.linspace(-1, 1, 2**12, endpoint=False), np.array([[1e-3], [0.3], [1.0]])
    u = exact.evaluate(x, t)
    assert np.max(abs(u.mean(axis=1) - exact.mean)) < 1e-13
    assert np.max(abs(exact.evaluate(x + 2, t) - u)) < 1e-11
    assert np.max(abs(exact.evaluate(x - 4, t) - u)) < 1e-11


def test_galilean():
    still, x = ColeHopf(0.01, 0.0, SAW.sine, SAW.cosine), np.linspace(-1, 1, 50)
    moving = ColeHopf(0.01, 0.4, SAW.sine, SAW.cosine)
    gap = moving.evaluate(x + 0.4 * 0.7, 0.7) - (0.4 + still.evaluate(x, 0.7))
    assert np.max(abs(gap)) < 1e-13


@given(st.integers(0, 10**6), st.floats(1e-3, 1.0), st.floats(0.0, 2.0))
@settings(max_examples=12, deadline=None)
def test_maximum_principle(seed, nu, t):
    exact, x = drawn(seed, nu), np.linspace(-1, 1, 33)
    u0, u = exact.initial(np.linspace(-1, 1, 4097)), exact.evaluate(x, t)
    assert u0.min() - 1e-4 <= u.min() <= u.max() <= u0.max() + 1e-4


@pytest.mark.parametrize("exact", [SINE, drawn(5, 1e-3), drawn(6, 1.0)])
def test_small_times(exact):
    x = np.linspace(-1, 1, 201)
    assert np.array_equal(exact.evaluate(x, 0.0), exact.initial(x))
    for t in (5e-324, 1e-300, 1e-30, 1e-16):
        assert np.max(abs(exact.evaluate(x, t) - exact.initial(x))) < 2e-12
    wave = pi * np.arange(1, 9)
    sine, cosine = (np.pad(a, (0, 8 - len(a))) for a in (exact.sine, exact.cosine))
    s, c = np.sin(np.outer(x, wave)), np.cos(np.outer(x, wave))
    u, slope = exact.initial(x), c @ (wave * sine) - s @ (wave * cosine)
    curvature = -s @ (wave**2 * sine) - c @ (wave**2 * cosine)
    rate = exact.nu * curvature - u * slope
    for t in (1e-8, 1e-6):  # u = u₀ + t u_t + O(t²)
        assert np.max(abs(exact.evaluate(x, t) - u - t * rate)) < 1e-13 + 1e6 * t**2


def test_constant_state():
    x = np.linspace(-1, 1, 5)
    assert np.array_equal(ColeHopf(0.1, mean=0.3).evaluate(x, 0.7), np.full(5, 0.3))
    assert ColeHopf(0.1).bound(1.0) == 0.0
    assert ColeHopf(0.1, mean=0.3).bound(1.0) < 1e-14


# ---- the bound -------------------------------------------------------------------------------


@pytest.mark.parametrize("nu", [1e-3, pytest.param(0.1, marks=pytest.mark.slow), NU, 1.0])
def test_bound_is_small(nu):
    for exact in (ColeHopf(nu, sine=(-1.0,)), drawn(0, nu), drawn(1, nu)):
        assert 1e-16 < exact.bound(1.0) < 1e-12


@pytest.mark.parametrize("instance", [5, 81, 188, 338])
def test_bound_is_small_for_the_hardest(instance):
    """The smallest ν and the longest horizon allowed, for the worst of 400 random states."""
    problem = Burgers(Burgers.Parameters(nu=1e-3, horizon=2.0, ic="random", instance=instance))
    assert problem.reference().bound < 1e-12


def test_extended_precision_is_worth_having(monkeypatch):
    """Where long doubles are short, results differ by less than the bound, which is larger."""
    exact, x = drawn(8, 1e-3), np.linspace(-1, 1, 201)
    long = exact.evaluate(x, 0.3)
    monkeypatch.setattr(_cole_hopf, "_Long", np.float64)
    monkeypatch.setattr(_cole_hopf, "_PI", np.float64(pi))
    assert np.max(abs(exact.evaluate(x, 0.3) - long)) <= exact.bound(1.0) * rms(exact)
    assert exact.bound(1.0) < 5e-12


@pytest.mark.parametrize(("name", "value"), [("_SMALL", 1e-3), ("_TAIL", 2.0)])
def test_bound_notices(monkeypatch, name, value):
    """With too few nodes or too narrow a window the bound says so, and still holds."""
    x, t = np.linspace(-1, 1, 101), np.array([[0.01], [0.3], [1.0]])
    truth = SHARP.evaluate(x, t)
    monkeypatch.setattr(_cole_hopf, name, value)
    error = np.max(abs(SHARP.evaluate(x, t) - truth)) / rms(SHARP)
    assert 1e-10 < error <= SHARP.bound(1.0)


# ---- the interface ---------------------------------------------------------------------------


def test_shapes():
    x, t = np.linspace(-1, 1, 7), np.linspace(0, 1, 5)
    table = SINE.evaluate(x, t[:, None])
    assert table.shape == (5, 7)
    assert table.dtype == np.float64
    assert SINE.evaluate(0.3, 0.5).shape == ()
    assert SINE.evaluate(np.empty(0), 0.5).shape == (0,)
    assert np.array_equal(SINE.evaluate(x[None, ::2].T, 0.5)[:, 0], SINE.evaluate(x[::2], 0.5))


def test_company_does_not_matter():
    """A point evaluated alone or among points at nearby times differs by rounding only."""
    exact, rng = drawn(7, 1e-3), np.random.default_rng(0)
    x, t = rng.uniform(-1, 1, 40), rng.uniform(0, 1, 40)
    alone = np.array([exact.evaluate(a, b) for a, b in zip(x, t, strict=True)])
    assert np.max(abs(exact.evaluate(x, t) - alone)) < 1e-12


def test_memory():
    exact, x, t = drawn(0, 1e-3), np.linspace(-1, 1, 256), np.linspace(0, 1, 101)
    tracemalloc.start()
    exact.evaluate(x, t[:, None])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6


def test_errors():
    with pytest.raises(PdebenchError, match="nu=0"):
        ColeHopf(0.0)
    with pytest.raises(PdebenchError, match=r"t=-0\.1"):
        SINE.evaluate(0.0, [-0.1, 0.2])
    with pytest.raises(PdebenchError, match="t=nan"):
        SINE.evaluate(0.0, float("nan"))


def test_random_modes():
    mean, sine, cosine = random_modes(np.random.default_rng(3))
    assert random_modes(np.random.default_rng(3)) == (mean, sine, cosine)
    assert len(sine) == len(cosine) == 8
    assert all(type(a) is float for a in (mean, *sine, *cosine))
    x = np.linspace(-1, 1, 64, endpoint=False)
    u = ColeHopf(0.1, mean, sine, cosine).initial(x)
    assert np.std(u) == pytest.approx(sqrt(0.5), rel=1e-14)
    assert np.mean(u) == pytest.approx(mean, abs=1e-15)
    means = [random_modes(np.random.default_rng(k))[0] for k in range(200)]
    assert -0.5 <= min(means) < -0.4 < 0.4 < max(means) <= 0.5
