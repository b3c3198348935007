"""Averages over channels: what they keep, their derivative, and what they can tell."""

import numpy as np
import pytest

from pdebench_lite.problem import Axis
from pdebench_methods.search.channels import channel_average
from pdebench_methods.search.gaussian_average import gaussian_average

X = (np.arange(126) + 0.5) / 126  # not a multiple of the number of channels
WIDE = 0.2


def wide():
    return gaussian_average({"x": X}, (Axis("x", 0.0, 1.0, periodic=True),), WIDE)


def bump(centre):
    gap = (X - centre + 0.5) % 1.0 - 0.5
    return np.exp(-0.5 * (gap / 0.05) ** 2)


def test_without_an_average_the_values_are_kept():
    values = np.random.default_rng(0).normal(size=X.size)
    kept = channel_average(values, None)(values)
    assert kept.shape == channel_average(values, wide())(values).shape
    np.testing.assert_array_equal(np.sort(kept[kept != 0.0]), np.sort(values))


@pytest.mark.parametrize("average", [None, wide()], ids=["none", "wide"])
def test_the_jacobian_is_that_of_the_averages(average):
    random = np.random.default_rng(1)
    values, slopes = random.uniform(size=X.size), random.normal(size=(X.size, 3))
    of, step = channel_average(values, average), 1e-6
    ahead, behind = (of(values + s * step * slopes.T).T for s in (1, -1))
    found = of.jacobian(values, slopes)
    np.testing.assert_allclose(found, (ahead - behind) / (2 * step), atol=1e-8)


def test_answers_are_as_large_as_the_values():
    values = bump(0.3)
    of = channel_average(values, np.eye(X.size))
    every_point = np.concatenate([np.roll(values, i) for i in range(4)])  # rows are every fourth
    answers = np.concatenate([of(part) for part in np.split(every_point, 4)])
    assert np.mean(answers[answers != 0.0] ** 2) == pytest.approx(np.mean(values**2), rel=0.01)


def test_a_bump_does_not_head_for_the_place_of_a_higher_one():
    """The lower one is to go right, from 0.7 to 1.1; by averages alone it would go left, to 0.5."""
    seen, average = bump(0.5) + 0.6 * bump(1.1), wide()
    of = channel_average(seen, average)

    def left_is_better(averages):
        left, right = (
            np.sum((averages(bump(0.3) + 0.6 * bump(place)) - averages(seen)) ** 2)
            for place in (0.69, 0.71)
        )
        return left < right

    assert left_is_better(lambda values: average @ values)
    assert not left_is_better(of)


def test_a_constant_has_channels_too():
    values = np.full(X.size, 2.0)
    assert np.isfinite(channel_average(values, wide())(values)).all()
