"""Observations in the order of time."""

import numpy as np
import pytest

from pdebench_lite.problem import Observation
from pdebench_lite.problem.observations import by_time, scales


def test_observations_are_split_by_time_and_sorted():
    late_and_early = Observation(
        "u", {"x": np.array([0.0, 1.0, 2.0]), "t": np.array([2.0, 1.0, 2.0])}, np.arange(3.0), 0.5
    )
    early = Observation("v", {"x": np.array([7.0]), "t": np.array([1.0])}, np.array([9.0]))
    found = by_time((late_and_early, early), "t")
    assert [(o.field, o.points["t"].tolist()) for o in found] == [
        ("u", [1.0]), ("v", [1.0]), ("u", [2.0, 2.0]),
    ]  # fmt: skip
    assert [o.points["x"].tolist() for o in found] == [[1.0], [7.0], [0.0, 2.0]]
    assert [o.values.tolist() for o in found] == [[1.0], [9.0], [0.0, 2.0]]
    assert [o.noise for o in found] == [0.5, 0.0, 0.5]


def observed(field, values, t=1.0):
    values = np.asarray(values, float)
    return Observation(field, {"t": np.full(values.size, t)}, values)


def test_a_snapshot_that_is_zero_but_for_rounding_does_not_divide_by_itself():
    rounding = observed("u", [4e-15, -4e-15])
    large, other = observed("u", [3.0, -3.0]), observed("v", [2.0, 2.0])
    assert scales([large]) == [3.0]
    assert scales([rounding, large]) == pytest.approx([0.03, 3.0]), "a hundredth of its own size"
    assert scales([rounding], {"u": np.array([5.0, 5.0])}) == pytest.approx([0.05])
    assert scales([rounding, other]) == pytest.approx([0.02, 2.0]), "nothing else is known of u"
    assert scales([rounding]) == pytest.approx([4e-15]), "nothing tells that this is not its size"
    assert scales([observed("u", [0.0])]) == [0.01]


def test_small_values_that_are_no_rounding_keep_their_own_unit():
    small, pressure = observed("c", [1e-9, -1e-9]), observed("p", [1e3, 1e3])
    assert scales([small, pressure]) == pytest.approx([1e-9, 1e3]), "fields have units of their own"
    decayed, start = observed("u", [0.02, 0.02]), {"u": np.ones(4)}
    assert scales([decayed], start) == pytest.approx([0.02])
