import numpy as np
import pytest

from pdebench_lite.numerics import (
    Grid,
    diffuse_explicit,
    diffuse_spectral,
    explicit_diffusion_limit,
    laplacian,
)

NU = 0.1


def plane(n):
    return Grid(("x", "y"), (-1.0, 0.0), (1.0, 1.0), (n, n + 1), (True, True))


def heat(grid, time):
    """An exact solution on `plane`: k² = π² + (2π)² = 5π²."""
    wave = np.cos(np.pi * grid.centres("x") + 0.2)[:, None] * np.sin(2 * np.pi * grid.centres("y"))
    return np.exp(-NU * 5 * np.pi**2 * time) * wave


def test_laplacian_is_of_second_order(observed_order):
    def error(n):
        u = heat(plane(n), 0.0)
        return np.abs(laplacian(u, plane(n)) + 5 * np.pi**2 * u).max()

    assert observed_order(error, (32, 64)) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("cells", [(1,), (2,), (5,), (1, 4), (3, 2)])
def test_neighbours_close_the_period(cells):
    axes = ("x", "y")[: len(cells)]
    one = (1.0,) * len(cells)
    grid = Grid(axes, (0.0,) * len(cells), one, cells, (True,) * len(cells))
    u = np.random.default_rng(3).normal(size=(2, *cells))  # a batch of two
    expected = sum(
        (np.roll(u, 1, i) - 2 * u + np.roll(u, -1, i)) * cells[i] ** 2
        for i in range(-len(cells), 0)
    )
    np.testing.assert_allclose(laplacian(u, grid), expected, atol=1e-13)


def test_explicit_diffusion_is_of_second_order_at_a_fixed_mesh_ratio(observed_order):
    def error(n):
        grid = plane(n)
        steps = int(np.ceil(0.1 / (0.8 * explicit_diffusion_limit(NU, grid))))
        u = heat(grid, 0.0)
        for _ in range(steps):
            u = diffuse_explicit(u, NU, 0.1 / steps, grid)
        return np.abs(u - heat(grid, 0.1)).max()

    assert observed_order(error, (32, 64)) == pytest.approx(2, abs=0.15)


def test_spectral_diffusion_is_exact():
    grid = plane(8)
    result = diffuse_spectral(heat(grid, 0.0), NU, 0.7, grid)
    np.testing.assert_allclose(result, heat(grid, 0.7), atol=1e-15)
    many = diffuse_spectral(np.stack([heat(grid, 0.0)] * 2), np.array([0.0, NU]).reshape(2, 1, 1),
                            0.7, grid)  # fmt: skip
    np.testing.assert_allclose(many, [heat(grid, 0.0), heat(grid, 0.7)], atol=1e-15)


@pytest.mark.parametrize("grid", [Grid(("x",), (0.0,), (3.0,), (8,), (True,)),
                                  Grid(("x", "y"), (0.0, 0.0), (3.0, 1.0), (8, 6), (True, True))],
                         ids=["line", "plane"])  # fmt: skip
def test_the_bound_on_the_time_step_is_sharp(grid):
    sawtooth = 1 - 2 * (sum(np.indices(grid.cells)) % 2).astype(float)
    limit = explicit_diffusion_limit(NU, grid)
    assert type(limit) is float
    assert np.abs(diffuse_explicit(sawtooth, NU, 0.999 * limit, grid)).max() < 1
    assert np.abs(diffuse_explicit(sawtooth, NU, 1.001 * limit, grid)).max() > 1


def test_no_diffusion_has_no_bound():
    with pytest.raises(ValueError, match="nu must be positive, got 0"):
        explicit_diffusion_limit(0.0, plane(4))


@pytest.mark.parametrize("nu", [0.1, 0.3])
def test_both_keep_the_sum(nu):
    u = np.random.default_rng(0).normal(size=(8, 9))
    for step in (diffuse_explicit, diffuse_spectral):
        assert step(u, nu, 0.02, plane(8)).sum() == pytest.approx(u.sum(), abs=1e-13)
