"""Trigonometric functions scaled by their prior."""

import numpy as np
import pytest

from pdebench_lite.problem import Axis
from pdebench_methods.search.fourier_prior import FourierPrior

X = Axis("x", -1.0, 1.0, periodic=True)
Y = Axis("y", 0.0, 1.0, periodic=True)
Z = Axis("z", 0.0, 1.0)


def test_columns_are_scaled_by_their_deviations():
    x = np.linspace(-1, 1, 7)
    matrix = FourierPrior((X,), 2, mean=10.0).matrix({"x": x})
    assert matrix.shape == (7, 5)
    np.testing.assert_allclose(matrix[:, 0], 10.0)
    np.testing.assert_allclose(matrix[:, 2], np.cos(2 * np.pi * (x + 1)) / 2**2)


@pytest.mark.parametrize(("axes", "size"), [((), 1), ((X,), 7), ((X, Y), 49), ((X, Z), 28)])
def test_sizes(axes, size):
    prior = FourierPrior(axes, 3)
    points = {axis.name: np.linspace(0, 1, 5) for axis in axes}
    assert prior.size == prior.rough.size == size
    assert prior.matrix(points).shape == (5 if axes else 1, size)


def test_it_is_white():
    """Σ rough·c² is twice the mean square of the curvature, lengths counted in waves."""
    prior = FourierPrior((X,), 5)
    c = np.random.default_rng(0).normal(size=prior.size)
    x = -1 + 2 * np.arange(64) / 64
    k = np.fft.rfftfreq(64, 1 / 64)
    curvature = np.fft.irfft(-(k**2) * np.fft.rfft(prior.matrix({"x": x}) @ c))
    assert np.mean(curvature**2) == pytest.approx(np.sum(prior.rough * c**2) / 2)


def test_a_prior_that_is_cut_off():
    """Of order 0 its covariance is the squared exponential, of length 1/2πb domains."""
    prior, band = FourierPrior((X,), 40, mean=10.0), 5.0
    ratio = prior.band_limited(0.0, band)
    assert ratio[0] == 1.0
    x = np.linspace(-1.0, -0.8, 9)
    matrix = (prior.matrix({"x": x}) * ratio)[:, 1:]
    covariance = matrix @ matrix[0] + 0.5  # the wave 0, which the prior holds apart
    gap = (x - x[0]) / 2 * 2 * np.pi * band / 2**0.5  # deviations are roots of the spectrum
    np.testing.assert_allclose(covariance / covariance[0], np.exp(-(gap**2) / 2), atol=1e-3)


def test_an_axis_with_ends_has_half_waves_without_slope():
    prior = FourierPrior((Z,), 4)
    h = 1e-6
    ends = prior.matrix({"z": np.array([0.0, h, 1.0 - h, 1.0])})
    np.testing.assert_allclose((ends[1] - ends[0]) / h, 0.0, atol=1e-4)
    np.testing.assert_allclose((ends[3] - ends[2]) / h, 0.0, atol=1e-4)


@pytest.mark.parametrize(
    ("fixed", "wave"),
    [
        (("z_lower", "z_upper"), lambda z: np.sin(2 * np.pi * z) / 2**2),
        (("z_lower",), lambda z: np.sin(1.5 * np.pi * z) / 1.5**2),
        (("z_upper",), lambda z: np.cos(1.5 * np.pi * z) / 1.5**2),
    ],
)
def test_functions_vanish_at_fixed_ends(fixed, wave):
    prior, z = FourierPrior((Z,), 4, mean=10.0, fixed=fixed), np.linspace(0.0, 1.0, 9)
    matrix = prior.matrix({"z": z})
    assert matrix.shape == (9, prior.size) == (9, 4)
    np.testing.assert_allclose(matrix[:, 1], wave(z), atol=1e-14)
    for end in fixed:
        np.testing.assert_allclose(matrix[0 if end == "z_lower" else -1], 0.0, atol=1e-14)
    assert prior.rough.tolist() == [1.0] * 4
    assert prior.band_limited(2.0, 1.0)[0] < 1.0, "no mean to leave as it is"


def test_fixed_ends_and_a_periodic_axis():
    prior = FourierPrior((X, Z), 2, fixed=("z_lower", "z_upper"))
    assert prior.size == 5 * 2
    points = {"x": np.linspace(-1, 1, 6), "z": np.array([0.0, 1.0] * 3)}
    np.testing.assert_allclose(prior.matrix(points), 0.0, atol=1e-14)
