"""A budget that ends within the first iteration: the best state so far is returned at once."""

import numpy as np
import pytest

CELLS = {
    "adjoint[cells=128,modes=8]": "burgers[nu=0.05]",
    "leastsquares[cells=64,modes=8]": "burgers:viscosity[nu=0.1,sensors=16,times=4]",
}


@pytest.mark.parametrize("method", CELLS)
def test_what_was_found_so_far_is_returned(solved, method):
    errors = []
    for most in (1, 20, float("inf")):  # before, within and after the first iteration
        solution, found = solved(method, CELLS[method], "rel_l2", most=most)
        errors.append(found["rel_l2"])
        assert all(np.isfinite(values).all() for values in solution.weights.values())
    assert errors[0] == errors[1] > 2 * errors[2]
