import numpy as np
import pytest

from pdebench_lite.numerics import Grid, central_difference


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_order_of_accuracy(order, axis, observed_order):
    def error(n):
        grid = Grid(("x", "y"), (-1.0, 0.0), (1.0, 2.0), (n, n + 2), (True, True))
        phase = np.pi * (grid.centres("x")[:, None] + 2 * grid.centres("y"))
        exact = np.pi * {"x": 1, "y": 2}[axis] * np.cos(phase)
        return np.abs(central_difference(np.sin(phase), grid, axis, order) - exact).max()

    assert observed_order(error, (62, 126)) == pytest.approx(order, abs=0.1)


def test_an_unknown_order_is_refused(line, unchecked):
    with pytest.raises(ValueError, match=r"one of \[2, 4\], got 3"):
        unchecked(central_difference)(np.ones(8), line(8), order=3)
