"""Rolled-out trajectories as functions of space and time."""

import numpy as np
import pytest

from pdebench_lite.numerics import Grid
from pdebench_lite.problem import Box, Dirichlet, Domain, Interval, Periodic
from pdebench_methods.solutions import TrajectoryInterpolant

LINE = Domain(Interval(x=(-1, 1)), (0, 1), Periodic("x"))


def answer(cells: int, steps: int, points: dict[str, np.ndarray]) -> np.ndarray:
    """Interpolate exp(sin π(x − t)), of period 2."""
    grid: Grid = LINE.grid(cells)
    times = np.linspace(0.0, 1.0, steps + 1)
    states = {"u": wave(grid.centres()[:, None], times)}
    return TrajectoryInterpolant(LINE, grid, times, states)(points)["u"]


def wave(x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """exp(sin π(x − t))."""
    return np.exp(np.sin(np.pi * (x - t)))


@pytest.mark.parametrize(
    ("sizes", "order"), [([(32, 4096), (64, 4096)], 6), ([(256, 32), (256, 64)], 4)]
)
def test_orders_in_space_and_in_time(sizes, order):
    points = {"x": np.linspace(-1.0, 1.0, 301), "t": np.linspace(0.3, 0.7, 301)}
    errors = [np.abs(answer(*s, points) - wave(points["x"], points["t"])).max() for s in sizes]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.4)


@pytest.mark.parametrize("steps", [1, 2])
def test_few_steps_have_splines_of_lower_degree(steps):
    x = LINE.grid(48).centres()
    for t in np.linspace(0.0, 1.0, steps + 1):
        points = {"x": x, "t": np.full(48, t)}
        np.testing.assert_allclose(answer(48, steps, points), wave(x, points["t"]), atol=1e-13)


@pytest.mark.parametrize("steps", [1, 2, 49, 98])
def test_a_last_time_that_rounding_has_moved_is_the_last_one(steps):
    square = Domain(Box(x=(-1, 1), y=(-1, 1)), (0, 1), Periodic("x", "y"))
    grid, times = square.grid(24), 1.0 / steps * np.arange(steps + 1)
    times[-1] = min(times[-1], 1.0 - 1e-16)
    x, y = np.meshgrid(LINE.grid(24).centres(), LINE.grid(24).centres(), indexing="ij")
    states = {"u": (np.sin(np.pi * x) * np.cos(np.pi * y))[..., None] * times}
    points = {"x": np.full(3, 0.3), "y": np.full(3, -0.1), "t": np.array([0.0, 0.5, 1.0])}
    found = TrajectoryInterpolant(square, grid, times, states)(points)["u"]
    expected = points["t"] * np.sin(0.3 * np.pi) * np.cos(0.1 * np.pi)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_on_a_plane_splines_are_cubic():
    square = Domain(Box(x=(-1, 1), y=(0, 1)), (0, 1), Periodic("x", "y"))
    points = square.sample(np.random.default_rng(0), 500)

    def exact(x, y, t):
        return wave(x, t) * np.sin(2 * np.pi * y)

    errors = []
    for n in (24, 48):
        grid, times = square.grid((n, n)), np.linspace(0.0, 1.0, n + 1)
        at = grid.points()
        states = {"u": exact(at["x"][..., None], at["y"][..., None], times)}
        interpolant = TrajectoryInterpolant(square, grid, times, states)
        errors.append(np.abs(interpolant(points)["u"] - exact(**points)).max())
        frame = {"x": at["x"].ravel(), "y": at["y"].ravel(), "t": np.full(n * n, times[3])}
        kept = interpolant(frame)["u"]
        np.testing.assert_allclose(kept, states["u"][..., 3].ravel(), atol=1e-13)
    assert np.log2(errors[0] / errors[1]) > 3.6


def test_cells_and_frames_are_kept():
    x = LINE.grid(12).centres()
    points = {"x": x, "t": np.full(12, 0.25)}
    np.testing.assert_allclose(answer(12, 8, points), wave(x, points["t"]), atol=1e-14)


@pytest.mark.parametrize("cells", [(24, 48)])
def test_between_walls_the_last_polynomial_is_continued(cells):
    """To the walls, half a cell beyond the last centre."""
    rod, errors = Domain(Interval(x=(0, 1)), (0, 1), Dirichlet(0.0)), []
    points = {"x": np.linspace(0.0, 1.0, 301), "t": np.linspace(0.0, 1.0, 301)}
    for n in cells:
        grid, times = rod.grid(n), np.linspace(0.0, 1.0, 4 * n + 1)
        states = {"u": wave(0.3 * grid.centres()[:, None], times)}
        found = TrajectoryInterpolant(rod, grid, times, states)(points)["u"]
        errors.append(np.abs(found - wave(0.3 * points["x"], points["t"])).max())
    assert errors[1] < 1e-5
    assert np.log2(errors[0] / errors[1]) > 3.6
