"""The dam break keeps the contract of a problem."""

import numpy as np

from pdebench_lite.testing import ProblemContract


class TestDamBreak(ProblemContract):
    selector = "dam-break"
    order = 0.2  # of 2: across a shock the error in L² falls by half an order

    def test_cell_averages_are_of_first_order_in_l1(self, problem, reference):
        """Where the shock lies within a cell a value at a point says little; an average does."""
        scheme, errors = problem.schemes()["rusanov"], []
        for cells in (128, 256):
            grid = problem.domain.grid(cells)
            state, dt = problem.start(grid.points()), 0.2 / cells
            for k in range(cells):
                state = scheme.step(state, {"g": 1.0}, k * dt, dt, grid)
            within = (np.arange(32) + 0.5) / 32 - 0.5
            x = (grid.centres()[:, None] + grid.spacing["x"] * within).ravel()
            exact = reference.evaluate({"x": x, "t": np.full(x.size, 0.2)})["h"]
            errors.append(np.mean(np.abs(state["h"] - exact.reshape(cells, 32).mean(axis=1))))
        assert errors[1] < 3e-3
        assert np.log2(errors[0] / errors[1]) > 0.9
