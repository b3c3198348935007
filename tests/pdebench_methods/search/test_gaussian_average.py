"""Averages over points: their weights, the way round, and what they do to a wave."""

import numpy as np
import pytest

from pdebench_lite.problem import Axis
from pdebench_methods.search.gaussian_average import gaussian_average

ROUND = Axis("x", -1.0, 3.0, periodic=True)
LINE = Axis("x", -1.0, 3.0)


def test_weights_fall_as_a_gaussian_of_the_distance_over_the_length():
    x = np.array([0.0, 0.2, 0.8])
    row = gaussian_average({"x": x}, (LINE,), 0.1)[0]
    np.testing.assert_allclose(row / row[0], np.exp(-0.5 * (x / (0.1 * 4.0)) ** 2))


@pytest.mark.parametrize(("axis", "nearer"), [(ROUND, True), (LINE, False)])
def test_the_shorter_way_round_counts_on_a_periodic_axis(axis, nearer):
    first, _, last = gaussian_average({"x": np.array([-0.9, 1.0, 2.9])}, (axis,), 0.1)[0]
    assert (last / first == pytest.approx(np.exp(-0.5 * (0.2 / 0.4) ** 2))) == nearer


def test_a_constant_is_kept_and_a_wave_is_damped_as_its_transform_says():
    """The continuous average multiplies exp(ikx) by exp(−k²σ²/2); equal points come close."""
    x = -1.0 + 4.0 * np.arange(200) / 200
    average = gaussian_average({"x": x}, (ROUND,), 0.05)
    np.testing.assert_allclose(average @ np.ones(200), 1.0, rtol=1e-14)
    wave = np.cos(2 * np.pi * x / 4.0)
    damped = np.exp(-0.5 * (2 * np.pi * 0.05) ** 2) * wave
    np.testing.assert_allclose(average @ wave, damped, atol=1e-12)


def test_on_a_tensor_grid_it_is_the_product_of_those_of_the_axes():
    other = Axis("y", 0.0, 1.0, periodic=True)
    x, y = np.linspace(-1, 3, 5, endpoint=False), np.linspace(0, 1, 4, endpoint=False)
    points = dict(zip("xy", (m.ravel() for m in np.meshgrid(x, y, indexing="ij")), strict=True))
    parts = gaussian_average({"x": x}, (ROUND,), 0.2), gaussian_average({"y": y}, (other,), 0.2)
    np.testing.assert_allclose(
        gaussian_average(points, (ROUND, other), 0.2), np.kron(*parts), atol=1e-15
    )


def test_no_width_changes_nothing():
    np.testing.assert_array_equal(gaussian_average({"x": np.arange(3.0)}, (LINE,), 0), np.eye(3))
