"""The transport reference against closed forms, travel times, and its own bound."""

from math import pi, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pdebench_lite.errors import DivergedError, PdebenchError
from pdebench_lite.numerics import jets
from pdebench_problems._characteristics import (
    PUBLISHED_BUMPS,
    PUBLISHED_MOTION,
    Bumps,
    Motion,
    departure_points,
    random_motion,
    tabulated,
)

X = np.linspace(0.0, 1.0, 101)
CENTRES, WIDTHS = np.array(PUBLISHED_BUMPS.centres), np.array(PUBLISHED_BUMPS.widths)


def travel_time(motion, x: np.ndarray) -> np.ndarray:
    """Time from 0 to x of a positive smooth motion: the integral of the Fourier series of 1/u."""
    n = 2048
    slowness = np.fft.rfft(1 / motion(np.arange(n) / n)) / n
    k = np.arange(1, n // 2)
    wave = np.exp(2j * pi * np.outer(x, k)) - 1
    return slowness[0].real * x + 2 * np.real(wave @ (slowness[k] / (2j * pi * k)))


def gap(motion, x: np.ndarray, start: np.ndarray, duration) -> np.ndarray:
    """Error of departure points, measured by the time that the way from them takes."""
    late = travel_time(motion, x) - travel_time(motion, start) - duration
    return abs(late) * motion(start)


# ---- exact solutions -------------------------------------------------------------------------


def test_constant_motion():
    t = np.linspace(0, 3, X.size)
    start, bound = departure_points(lambda x: 0.7 + 0 * x, X, t)
    assert np.max(abs(start - (X - 0.7 * t))) < 3e-15
    assert np.max(bound) < 1e-14


def test_no_time():
    start, bound = departure_points(PUBLISHED_MOTION, X, 0.0)
    assert np.array_equal(start, X)
    assert np.max(bound) < 1e-14
    assert departure_points(PUBLISHED_MOTION, X[:0], 1.0)[0].shape == (0,)


@pytest.mark.parametrize("duration", [0.1, 1.0, 5.0])
def test_closed_form(duration):
    """u = a + b sin 2πx: travel time arctan[(a tan πx + b)/r]/πr, r² = a² − b², + periods."""
    a, b = 0.3, 0.2
    r = sqrt(a * a - b * b)

    def time(x):
        return (np.arctan((a * np.tan(pi * x) + b) / r) / pi + np.round(x)) / r

    x = X + 0.003  # off the poles of the tangent
    start, bound = departure_points(Motion(a, (b,)), x, duration)
    error = abs(time(x) - time(start) - duration) * (a + b)
    assert np.max(error) < 1e-11
    assert np.max(bound) < 1e-11


def test_rotation():
    """Solid rotation in the plane, and the shapes of a vector of points."""
    rng = np.random.default_rng(0)
    points, t = rng.uniform(-1, 1, (2, 50)), rng.uniform(0, 2 * pi, 50)
    start, bound = departure_points(lambda p: (-p[1], p[0]), points, t)
    expected = np.array(
        [
            points[0] * np.cos(t) + points[1] * np.sin(t),
            -points[0] * np.sin(t) + points[1] * np.cos(t),
        ]
    )
    assert start.shape == bound.shape == (2, 50)
    assert np.all(abs(start - expected) <= bound)
    assert np.max(bound) < 2e-11


def test_cellular_flow_keeps_its_stream_function():
    psi = lambda p: np.sin(2 * pi * p[0]) * np.sin(2 * pi * p[1]) / (2 * pi)  # noqa: E731

    def velocity(p):
        x, y = 2 * pi * p
        return np.stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y)])

    points = np.random.default_rng(1).uniform(0, 1, (2, 40))
    start, bound = departure_points(velocity, points, 2.0)
    assert np.max(abs(psi(start) - psi(points))) < 1e-11
    assert np.max(bound) < 1e-10


# ---- properties and the bound ----------------------------------------------------------------


def test_semigroup_and_inverse():
    there, _ = departure_points(PUBLISHED_MOTION, X, 1.3)
    half, _ = departure_points(PUBLISHED_MOTION, X, 0.4)
    both, _ = departure_points(PUBLISHED_MOTION, half, 0.9)
    back, _ = departure_points(PUBLISHED_MOTION, there, -1.3)
    assert np.max(abs(both - there)) < 1e-13
    assert np.max(abs(back - X)) < 1e-13


@pytest.mark.parametrize("rtol", [1e-5, 1e-7, 1e-9, 1e-11, 1e-12, 1e-13])
def test_bound_holds(rtol):
    t = np.linspace(0, 1, X.size)
    for motion in (PUBLISHED_MOTION, *(random_motion(np.random.default_rng(k)) for k in range(3))):
        start, bound = departure_points(motion, X, t, rtol)
        error = gap(motion, X, start, t)
        assert np.all(error <= bound + 4e-15)  # the travel time has rounding of its own
        assert np.max(bound) < 100 * rtol


def test_bound_holds_with_kinks():
    """A linear interpolant: in every cell the travel time is a logarithm."""
    rng = np.random.default_rng(5)
    knots = np.linspace(0.0, 1.0, 17)
    u = np.append(values := rng.uniform(0.2, 0.5, 16), values[0])
    slope = np.diff(u) / np.diff(knots)
    passed = np.concatenate([[0.0], np.cumsum(np.log(u[1:] / u[:-1]) / slope)])

    def time(x):
        turns, rest = np.floor(x), x - np.floor(x)
        cell = np.minimum((16 * rest).astype(int), 15)
        inside = np.log1p(slope[cell] * (rest - knots[cell]) / u[cell]) / slope[cell]
        return turns * passed[-1] + passed[cell] + inside

    for rtol in (1e-6, 1e-8):
        start, bound = departure_points(lambda x: np.interp(x, knots, u, period=1.0), X, 1.0, rtol)
        error = abs(time(X) - time(start) - 1.0) * np.interp(start, knots, u, period=1.0)
        assert np.max(error) <= np.max(bound) < 1e4 * rtol
        assert np.linalg.norm(error) <= np.linalg.norm(bound)


def test_errors():
    with pytest.raises(PdebenchError, match="rtol=1e-15"):
        departure_points(PUBLISHED_MOTION, X, 1.0, rtol=1e-15)
    with pytest.raises(DivergedError, match="not finite"):
        departure_points(lambda x: np.full_like(x, np.nan), X, 1.0)
    with pytest.raises(DivergedError, match="characteristics stopped"):
        departure_points(lambda x: np.where(x < 0, np.nan, 1.0), X[50:], 1.0)


# ---- motions and densities -------------------------------------------------------------------


def test_published_motion():
    expected = 0.25 + 0.1 * np.sin(2 * pi * X) + 0.05 * np.cos(4 * pi * X + 1)
    assert np.max(abs(PUBLISHED_MOTION(X) - expected)) < 1e-15


@given(st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_random_motion(seed):
    motion = random_motion(np.random.default_rng(seed))
    assert motion == random_motion(np.random.default_rng(seed))
    assert all(type(a) is float for a in (motion.c, *motion.sine, *motion.cosine))
    u = motion(np.linspace(0, 1, 500))
    assert 0.2 * u.max() <= u.min() < u.max()
    arrived, _ = departure_points(motion, CENTRES, -1.0)
    assert 0.999 <= np.mean((arrived - CENTRES) / WIDTHS) <= 6.001


@pytest.mark.parametrize("ratio", [1.0, 2.5, 6.0])
def test_random_motion_of_a_given_ratio(ratio):
    motion = random_motion(np.random.default_rng(9), ratio)
    arrived, _ = departure_points(motion, CENTRES, -1.0)
    assert np.mean((arrived - CENTRES) / WIDTHS) == pytest.approx(ratio, rel=1e-4)


def test_bumps_are_periodic():
    density = PUBLISHED_BUMPS(X)
    assert density[0] == density[-1]
    assert np.max(abs(PUBLISHED_BUMPS(X - 3) - density)) < 2e-14
    many = sum(
        amplitude * np.exp(-((X - centre - k) ** 2) / (2 * width**2))
        for centre, width, amplitude in zip((0.3, 0.7), (0.05, 0.08), (1.0, 0.6), strict=True)
        for k in range(-9, 10)
    )
    assert np.max(abs(density - many)) < 1e-14
    wide, h = Bumps((0.1,), (0.12,), (1.0,)), 1e-4
    assert abs(wide(np.array(1 - h)) - 2 * wide(np.array(0.0)) + wide(np.array(h))) < 80 * h**2
    with pytest.raises(PdebenchError, match="widths"):
        Bumps((0.5,), (0.3,), (1.0,))


@pytest.mark.parametrize("function", [PUBLISHED_MOTION, PUBLISHED_BUMPS])
def test_jets(function):
    """On jets the value is that on arrays, and the slope that of differences."""
    x, h = np.linspace(0.01, 0.99, 33), 1e-3
    jet = function(jets.variables(jets.space(("x",), ("x",)), {"x": x})["x"])
    slope = (
        8 * (function(x + h) - function(x - h)) - function(x + 2 * h) + function(x - 2 * h)
    ) / (12 * h)
    assert np.max(abs(jet.value - function(x))) < 1e-14
    assert np.max(abs(jet.derivative("x") - slope)) < 1e-4


@pytest.mark.parametrize("function", [PUBLISHED_MOTION, PUBLISHED_BUMPS])
def test_torch(function):
    torch = pytest.importorskip("torch")
    x = torch.linspace(0, 1, 9, dtype=torch.float32)
    assert function(x).dtype == torch.float32
    assert np.max(abs(function(x).numpy() - function(x.numpy().astype(float)))) < 1e-6


def test_a_smooth_motion_is_called_once():
    calls = []

    def motion(x):
        calls.append(x.size)
        return PUBLISHED_MOTION(x)

    cheap = tabulated(motion, 1e-11)
    x = np.linspace(-1.0, 2.0, 1001)
    np.testing.assert_allclose(cheap(x), PUBLISHED_MOTION(x), rtol=0, atol=1e-11)
    assert len(calls) == 1


@pytest.mark.parametrize("bend", [lambda x: np.abs(x - 0.3), lambda x: 0.0 * x + np.nan])
def test_a_motion_that_a_spline_cannot_follow_stands_for_itself(bend):
    x = np.linspace(-1.0, 2.0, 1001)
    np.testing.assert_array_equal(tabulated(bend, 1e-11)(x), bend(np.mod(x, 1.0)))
