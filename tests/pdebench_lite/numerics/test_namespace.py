import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pdebench_lite.numerics import array_namespace
from pdebench_lite.numerics._namespace import arange, as_index


class Own:
    """An array-like with a namespace of its own, as a Jet is."""

    def __array_namespace__(self, api_version=None):
        return math


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (np.asarray, "numpy"),
        (torch.asarray, "array_api_compat.torch"),
        (jnp.asarray, "jax.numpy"),
    ],
)
def test_the_library_of_an_array(make, name):
    assert array_namespace(1.0, make([1.0]), 2, None).__name__ == name


def test_the_library_of_tracers():
    seen = []

    def f(x):
        seen.append(array_namespace(x).__name__)
        return x

    x = jnp.ones(3)
    jax.jit(f)(x)
    jax.vmap(f)(x)
    jax.jvp(f, (x,), (x,))
    assert set(seen) == {"jax.numpy"}
    assert array_namespace(torch.nn.Parameter(torch.ones(1))).__name__ == "array_api_compat.torch"


def test_an_own_namespace_wins():
    own = Own()
    assert array_namespace(np.ones(2), own) is math


@pytest.mark.parametrize("arrays", [(), (1.0, None), ("text",)])
def test_no_array_is_an_error(arrays):
    with pytest.raises(TypeError):
        array_namespace(*arrays)


def test_two_libraries_are_an_error_with_a_remedy():
    with pytest.raises(TypeError, match=r"numpy\.float64.*float\(value\)"):
        array_namespace(torch.ones(2), np.float64(0.1))


def test_arange_takes_dtype_and_indices_take_the_librarys_integer():
    for make in (np.asarray, torch.asarray, jnp.asarray):
        like = make(np.ones(2, np.float32))
        xp = array_namespace(like)
        steps = arange(xp, 3, like)
        assert steps.dtype == like.dtype
        assert "int" in str(as_index(xp, steps).dtype)
