"""Observations in the order of time."""

import numpy as np

from pdebench_lite.problem import Observation
from pdebench_lite.problem.observations import by_time


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
