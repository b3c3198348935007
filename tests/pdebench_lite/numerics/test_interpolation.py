import numpy as np
import pytest

from pdebench_lite.numerics import interpolate_periodic
from pdebench_lite.numerics.interpolation import read, stencil

ORDERS = {"linear": 2, "cubic": 4}


def wave(s):
    return np.sin(2 * np.pi * s + 0.3) + 0.5 * np.cos(4 * np.pi * s)


@pytest.mark.parametrize(("order", "expected"), ORDERS.items())
def test_order_of_accuracy(order, expected, observed_order):
    points = np.random.default_rng(0).uniform(-1, 2, size=500)  # beyond the ends as well

    def error(n):
        values = wave(np.arange(n) / n)
        return np.abs(interpolate_periodic(values, n * points, order) - wave(points)).max()

    assert observed_order(error, (64, 128)) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(("order", "expected"), ORDERS.items())
def test_order_of_accuracy_in_the_plane(order, expected, observed_order):
    x, y = np.random.default_rng(0).uniform(0, 1, size=(2, 500))

    def error(n):
        nodes = np.arange(n) / n
        values = wave(nodes)[:, None] * wave(nodes + 0.1)
        result = interpolate_periodic(values, (n * x, n * y), order)
        return np.abs(result - wave(x) * wave(y + 0.1)).max()

    assert observed_order(error, (64, 128)) == pytest.approx(expected, abs=0.2)


@pytest.mark.parametrize("order", ORDERS)
def test_the_special_case_equals_the_general_one(order):
    random = np.random.default_rng(1)
    values, points = random.normal(size=(5, 9)), random.uniform(-20, 20, size=(5, 30))
    bare = interpolate_periodic(values, points, order)
    np.testing.assert_array_equal(interpolate_periodic(values, [points], order), bare)
    constant_in_y = np.repeat(values[..., None], 4, axis=-1)
    in_plane = interpolate_periodic(constant_in_y, (points, 0.7 * points), order)
    np.testing.assert_allclose(in_plane, bare, atol=1e-13)


@pytest.mark.parametrize("order", ORDERS)
def test_nodes_are_met_and_the_period_closes(order):
    values = np.random.default_rng(2).normal(size=8)
    nodes = np.arange(-8.0, 16.0)
    np.testing.assert_allclose(interpolate_periodic(values, nodes, order), np.tile(values, 3))


@pytest.mark.parametrize("order", ORDERS)
def test_the_shortest_grids(order):
    assert interpolate_periodic(np.array([3.0]), np.array([0.4]), order) == pytest.approx(3.0)


def test_an_unknown_order_is_refused(unchecked):
    with pytest.raises(ValueError, match=r"\['cubic', 'linear'\], got 'quintic'"):
        unchecked(interpolate_periodic)(np.ones(4), np.ones(2), "quintic")


@pytest.mark.parametrize("order", ORDERS)
def test_a_point_that_is_nowhere_stays_alone(order):
    jnp = pytest.importorskip("jax.numpy")
    values, points = jnp.arange(5.0), jnp.array([2.0, np.nan, np.inf, 1e30, -7.0])
    result = np.asarray(interpolate_periodic(values, points, order))
    np.testing.assert_allclose(result[[0, 4]], [2.0, 3.0], atol=1e-6)
    assert np.isnan(result[[1, 2]]).all()
    assert 0.0 <= result[3] <= 4.0


def test_a_stencil_does_not_reach_across_a_wall():
    """A cubic is continued up to the walls, and no node of the other end is read."""
    x = np.array([-0.5, 0.0, 0.3, 4.2, 8.9, 9.5])
    at = stencil([x], (10,), "cubic", (False,))
    values = (np.arange(10.0) - 3.0) ** 3
    np.testing.assert_allclose(read(values, at), (x - 3.0) ** 3, atol=1e-11)
    assert stencil([x], (10,), "cubic").index.max() == 9
