import inspect
import warnings
from collections.abc import Callable

import numpy as np
import pytest

with warnings.catch_warnings():  # torch's first jvp imports this, and it calls torch.jit.script
    warnings.simplefilter("ignore", DeprecationWarning)
    import torch._decomp.decompositions_for_jvp  # noqa: F401

from pdebench_lite.numerics import Grid


@pytest.fixture
def line() -> Callable[..., Grid]:
    """A maker of periodic 1-D grids on [−1, 1]."""
    return lambda n: Grid(("x",), (-1.0,), (1.0,), (n,), (True,))


@pytest.fixture
def observed_order() -> Callable[..., float]:
    """The order p of error ~ hᵖ between the two finest of successively halved steps."""

    def order(error: Callable[[int], float], sizes: tuple[int, int]) -> float:
        coarse, fine = sizes
        return float(np.log(error(coarse) / error(fine)) / np.log(fine / coarse))

    return order


@pytest.fixture
def unchecked() -> Callable[[Callable], Callable]:
    """Take jaxtyping's checks off a function, to see what its own say of a wrong argument."""
    return inspect.unwrap
