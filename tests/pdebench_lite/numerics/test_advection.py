import numpy as np
import pytest

from pdebench_lite import numerics as physics
from pdebench_lite.numerics import Grid, maccormack, semi_lagrangian, upwind

PLANE = Grid(("x", "y"), (-1.0, -1.0), (1.0, 1.0), (16, 12), (True, True))


def bump(x):
    return np.exp(np.sin(np.pi * x))


def carried(step, grid, courant, time=1.0):
    """Carry the bump at speed 1 by about `courant` cells a step; return the L1 error."""
    x = grid.centres()
    steps = round(time / (courant * grid.spacing["x"]))
    q = bump(x)
    for _ in range(steps):
        q = step(q, np.ones_like(x), time / steps, grid)
    return np.abs(q - bump(x - time)).mean()


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (upwind, 1),
        (semi_lagrangian, 1),
        (lambda *a: semi_lagrangian(*a, order="cubic"), 3),
        (lambda *a: maccormack(*a, limit=False), 2),
        (maccormack, 2),
    ],
    ids=["upwind", "linear", "cubic", "maccormack-free", "maccormack-limited"],
)
def test_order_in_space_at_a_fixed_courant_number(step, expected, line, observed_order):
    """The interpolation's order less one: h^p is committed 1/dt ~ 1/h times."""
    order = observed_order(lambda n: carried(step, line(n), 0.6), (256, 512))
    assert order == pytest.approx(expected, abs=0.15)


@pytest.mark.parametrize(
    ("trace", "steps", "expected"),
    [("euler", (16, 32), 1), ("midpoint", (16, 32), 2), ("rk4", (2, 4), 4)],
)
def test_order_in_time(trace, steps, expected, line, observed_order):
    """In u = 1 + ½ sin πx on a fine cubic grid, against finely traced characteristics."""
    grid = line(4096)
    x = grid.centres()
    u = 1 + 0.5 * np.sin(np.pi * x)

    def error(steps):
        q = bump(x)
        for _ in range(steps):
            q = semi_lagrangian(q, u, 0.5 / steps, grid, order="cubic", trace=trace)
        return np.abs(q - bump(departure(x, 0.5))).mean()

    assert observed_order(error, steps) == pytest.approx(expected, abs=0.12)


def departure(x, time, steps=400):
    """Trace dx/dt = 1 + ½ sin πx backward by classical Runge–Kutta."""
    h = -time / steps

    def u(x):
        return 1 + 0.5 * np.sin(np.pi * x)

    for _ in range(steps):
        a = u(x)
        b = u(x + h / 2 * a)
        c = u(x + h / 2 * b)
        x = x + h / 6 * (a + 2 * b + 2 * c + u(x + h * c))
    return x


@pytest.mark.parametrize("step", [semi_lagrangian, maccormack, upwind])
def test_the_special_case_equals_the_general_one(step, line):
    """A state constant in y, moved also along y, behaves as on the line."""
    random = np.random.default_rng(0)
    q, u = random.normal(size=(2, 16))
    v = random.normal(size=16)
    in_plane = step(
        np.repeat(q[:, None], 12, 1),
        {"x": np.repeat(u[:, None], 12, 1), "y": np.repeat(v[:, None], 12, 1)},
        0.1,
        PLANE,
    )
    expected = np.repeat(step(q, {"x": u}, 0.1, line(16))[:, None], 12, 1)
    np.testing.assert_allclose(in_plane, expected, atol=1e-13)


@pytest.mark.parametrize("step", [semi_lagrangian, maccormack])
def test_whole_cells_are_exact_and_the_transpose_too(step):
    """A shift by whole cells, many at once, is a roll, along each axis."""
    q = np.random.default_rng(0).normal(size=(16, 12))
    ones = np.ones_like(q)
    h = PLANE.spacing
    velocity = {"x": 5 * h["x"] * ones, "y": -3 * h["y"] * ones}
    expected = np.roll(q, (5, -3), axis=(0, 1))
    np.testing.assert_allclose(step(q, velocity, 1.0, PLANE), expected, atol=1e-12)


def test_a_step_stays_between_its_bounds(line):
    grid = line(64)
    q = (np.abs(grid.centres()) < 0.4).astype(float)
    limited, free = q, q
    for _ in range(40):
        limited = maccormack(limited, np.ones(64), 0.02, grid)
        free = maccormack(free, np.ones(64), 0.02, grid, limit=False)
    assert limited.min() >= 0
    assert limited.max() <= 1
    assert free.max() > 1.01  # which proves that the limiter has work to do


def test_upwind_is_stable_at_its_bound_and_not_beyond(line):
    grid = line(32)
    q = np.cos(np.pi * np.arange(32.0))  # the saw-tooth mode
    for sign in (1, -1):
        u = sign * np.ones(32)
        assert np.abs(upwind(q, u, 0.99 * grid.spacing["x"], grid)).max() < 1
        assert np.abs(upwind(q, u, 1.01 * grid.spacing["x"], grid)).max() > 1


@pytest.mark.parametrize("order", ["linear", "cubic"])
@pytest.mark.parametrize("trace", ["euler", "midpoint", "rk4"])
def test_departure_points_found_once_give_the_same_step(order, trace):
    rng = np.random.default_rng(0)
    q, *motion = rng.normal(size=(3, 16, 12))
    velocity = dict(zip(("x", "y"), motion, strict=True))
    at = physics.departure(velocity, 0.3, PLANE, order, trace)
    step = semi_lagrangian(q, velocity, 0.3, PLANE, order, trace)
    np.testing.assert_array_equal(physics.carried(q, at, PLANE), step)


def test_what_is_wrong_is_said(line, unchecked):
    q = np.ones(8)
    with pytest.raises(ValueError, match="periodic"):
        physics.departure(q, 0.1, Grid(("x",), (0.0,), (1.0,), (8,), (False,)))
    with pytest.raises(ValueError, match="trace must be"):
        unchecked(semi_lagrangian)(q, q, 0.1, line(8), trace="heun")
    with pytest.raises(ValueError, match=r"velocity needs the axes \('x',\), got \('y',\)"):
        semi_lagrangian(q, {"y": q}, 0.1, line(8))
    with pytest.raises(ValueError, match="not periodic"):
        upwind(q, q, 0.1, Grid(("x",), (0.0,), (1.0,), (8,), (False,)))
    with pytest.raises(ValueError, match="with"):
        maccormack(q, np.ones(1), 0.1, line(8))
