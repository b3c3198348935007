"""Numbers and arrays of the page's data."""

import base64
from math import inf, nan

import numpy as np
import pytest

from pdebench_lite.report.web.values import number, numbers, packed, thinned


@pytest.mark.parametrize(
    ("value", "written"),
    [(1.23456789, 1.23457), (inf, "inf"), (-inf, "-inf"), (nan, None), (None, None), (3.0, 3)],
)
def test_numbers_are_short_and_valid_json(value: float | None, written: object) -> None:
    assert number(value) == written
    assert type(number(value)) is type(written)


def test_digits_can_be_chosen() -> None:
    assert numbers([0.0123456, 1e-12], digits=2) == [0.012, 1e-12]


def test_arrays_are_packed_last_axis_fastest() -> None:
    values = np.arange(6, dtype=float).reshape(2, 3)
    back = np.frombuffer(base64.b64decode(packed(values.T)), "<f4")
    assert back.tolist() == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize(("count", "most"), [(0, 5), (4, 5), (5, 5), (101, 64), (1000, 2)])
def test_thinning_keeps_the_ends(count: int, most: int) -> None:
    kept = thinned(count, most)
    assert len(kept) == min(count, most)
    assert (np.diff(kept) > 0).all()
    if count:
        assert (kept[0], kept[-1]) == (0, count - 1)
