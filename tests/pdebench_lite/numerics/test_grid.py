import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pdebench_lite.numerics import Grid

PLANE = Grid(("x", "y"), (0.0, -1.0), (2.0, 1.0), (4, 8), (True, False))


def test_centres_spacing_and_length():
    assert PLANE.spacing == {"x": 0.5, "y": 0.25}
    assert PLANE.length == {"x": 2.0, "y": 2.0}
    np.testing.assert_array_equal(PLANE.centres("x"), [0.25, 0.75, 1.25, 1.75])
    assert PLANE.centres("x").dtype == np.float64


def test_no_step_of_a_march_is_longer_than_four_spans_over_the_cells():
    assert PLANE.longest_step(3.0) == 4 * 3.0 / 8


@pytest.mark.parametrize("make", [np.asarray, torch.asarray, jnp.asarray])
def test_centres_take_the_kind_of_an_array(make):
    like = make(np.ones(1, np.float32))
    centres = PLANE.centres("y", like)
    assert type(centres) is type(like)
    assert centres.dtype == like.dtype
    np.testing.assert_allclose(centres, PLANE.centres("y"))


def test_array_axes_count_from_the_end():
    assert (PLANE.index("x"), PLANE.index("y")) == (-2, -1)
    with pytest.raises(ValueError, match="axis must be one of"):
        PLANE.index("z")
    with pytest.raises(ValueError, match="axis must be one of"):
        PLANE.index()


def test_equal_grids_hash_alike_and_hold_python_numbers():
    other = Grid(("x", "y"), (np.float64(0), -1.0), (np.float64(2), 1.0), (4, 8), (True, False))
    assert other == PLANE
    assert hash(other) == hash(PLANE)
    assert {type(v) for v in other.lower + other.upper} == {float}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"axes": ()}, "one entry per axis"),
        ({"lower": (0.0, 0.0)}, "lower must have one entry per axis"),
        ({"upper": (-1.0,)}, "finite lower < upper, got -1.0 and -1.0"),
        ({"upper": (float("inf"),)}, "finite lower < upper"),
        ({"cells": (0,)}, "at least one cell, got 0"),
    ],
)
def test_what_is_wrong_is_said(change, message):
    fields = {"axes": ("x",), "lower": (-1.0,), "upper": (1.0,), "cells": (8,), "periodic": (True,)}
    with pytest.raises(ValueError, match=message):
        Grid(**{**fields, **change})


@pytest.mark.parametrize(("name", "value"), [("axes", "x"), ("cells", (2.5,))])
def test_a_wrong_type_is_refused(name, value):
    """By the grid itself, or by jaxtyping where its checks are on."""
    fields = {"axes": ("x",), "lower": (-1.0,), "upper": (1.0,), "cells": (8,), "periodic": (True,)}
    with pytest.raises((ValueError, TypeError), match=name):
        Grid(**{**fields, name: value})


def test_repeated_names_are_refused():
    with pytest.raises(ValueError, match="different names"):
        Grid(("x", "x"), (0.0, 0.0), (1.0, 1.0), (2, 2), (True, True))


def test_check_names_the_shape_and_the_axis():
    with pytest.raises(ValueError, match=r"\('x', 'y'\) with \(4, 8\) cells.*\(8, 4\)"):
        PLANE.check(np.ones((8, 4)))
    with pytest.raises(ValueError, match="'y' is not"):
        PLANE.check(np.ones((3, 4, 8)))
    PLANE.check(np.ones((3, 4, 8)), axis="x")
