import numpy as np
import pytest

from pdebench_lite.numerics import (
    Grid,
    godunov_flux,
    muscl_divergence,
    semi_lagrangian,
    ssp_rk2,
    ssp_rk3,
)

LIMITERS = ["van_leer", "minmod", "mc"]


def flux(u):
    return u * u / 2


def burgers(u, grid, time, limiter="van_leer", step=ssp_rk2, courant=0.4):
    steps = int(np.ceil(time * np.abs(u).max() / (courant * grid.spacing["x"])))
    for _ in range(steps):
        u = step(lambda u: muscl_divergence(u, flux, grid, limiter=limiter), u, time / steps)
    return u


def exact(x, time):
    """The entropy solution of inviscid Burgers from ½ − sin πx, by bisection of x = ξ − t sin πξ.

    In the frame that moves with ½ the shock rests at 0; the foot ξ is the outermost root.
    """
    y = (x - 0.5 * time + 1) % 2 - 1
    side = np.sign(y)
    turn = np.arccos(1 / (np.pi * time)) / np.pi if np.pi * time > 1 else 0.0
    low, high = np.full_like(y, turn), np.ones_like(y)
    for _ in range(60):
        middle = (low + high) / 2
        below = middle - time * np.sin(np.pi * middle) < np.abs(y)
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return 0.5 - side * np.sin(np.pi * low)


@pytest.mark.parametrize("limiter", LIMITERS)
def test_second_order_where_smooth(limiter, line, observed_order):
    """In L1, before the shock forms at t = 1/π."""

    def error(n):
        x = line(n).centres()
        u = burgers(0.5 - np.sin(np.pi * x), line(n), 0.15, limiter, ssp_rk3)
        return np.abs(u - exact(x, 0.15)).mean()

    assert observed_order(error, (128, 256)) > 1.8


@pytest.mark.parametrize("limiter", LIMITERS)
def test_the_shock_has_the_right_speed(limiter, line):
    """It leaves x = 0 at t = 1/π with speed ½; on 128 cells it is found within one."""
    grid = line(128)
    x = grid.centres()
    for time in (0.5, 1.0):
        u = burgers(0.5 - np.sin(np.pi * x), grid, time, limiter)
        fall = np.argmin(np.roll(u, -1) - u)
        assert abs(x[fall] + grid.spacing["x"] / 2 - time / 2) <= grid.spacing["x"]
        reference = exact(x, time)
        error = np.linalg.norm(u - reference) / np.linalg.norm(reference)
        assert error < 0.07


def test_a_semi_lagrangian_step_has_not(line):
    """Why `muscl_divergence` exists: u·u_x in advective form moves the shock wrongly."""
    grid = line(128)
    x = grid.centres()
    u = 0.5 - np.sin(np.pi * x)
    for _ in range(16):
        u = semi_lagrangian(u, u, 0.5 / 16, grid, trace="euler")
    reference = exact(x, 0.5)
    assert np.linalg.norm(u - reference) / np.linalg.norm(reference) > 0.2


@pytest.mark.parametrize("limiter", LIMITERS)
def test_the_sum_is_kept_and_no_extremum_is_made(limiter, line):
    grid = line(64)
    start = np.random.default_rng(0).normal(size=(3, 64))
    u = burgers(start, grid, 0.3, limiter)
    np.testing.assert_allclose(u.sum(axis=-1), start.sum(axis=-1), rtol=0, atol=64 * 1e-13)
    assert (u.max(axis=-1) <= start.max(axis=-1) + 1e-13).all()
    assert (u.min(axis=-1) >= start.min(axis=-1) - 1e-13).all()
    rate = muscl_divergence(start, flux, grid, limiter=limiter)
    assert np.abs(rate.sum(axis=-1)).max() < 1e-13 * np.abs(rate).sum()


def test_each_axis_of_a_plane_is_a_line(line):
    plane = Grid(("x", "y"), (-1.0, 0.0), (1.0, 1.0), (16, 4), (True, False))
    u = np.random.default_rng(0).normal(size=(16, 4))
    lines = np.stack([muscl_divergence(column, flux, line(16)) for column in u.T], axis=-1)
    np.testing.assert_array_equal(muscl_divergence(u, flux, plane, axis="x"), lines)


@pytest.mark.parametrize("sonic", [0.0, 0.3])
def test_godunovs_flux_is_the_extremum_between_the_states(sonic):
    """Least flux over [left, right], or greatest over [right, left]."""
    left, right = np.random.default_rng(0).normal(size=(2, 200))
    ours = godunov_flux(lambda u: flux(u - sonic), left, right, sonic)
    between = left + np.linspace(0, 1, 20001)[:, None] * (right - left)
    values = flux(between - sonic)
    expected = np.where(left <= right, values.min(axis=0), values.max(axis=0))
    np.testing.assert_allclose(ours, expected, atol=1e-7)


def test_a_monotone_flux_has_its_sonic_point_at_infinity():
    left, right = np.random.default_rng(0).normal(size=(2, 9))
    inf = float("inf")
    np.testing.assert_array_equal(godunov_flux(np.exp, left, right, -inf), np.exp(left))
    np.testing.assert_array_equal(godunov_flux(lambda u: -u, left, right, inf), -right)


def test_an_unknown_limiter_is_refused(line, unchecked):
    with pytest.raises(ValueError, match="limiter must be one of"):
        unchecked(muscl_divergence)(np.ones(8), flux, line(8), limiter="superbee")
