"""Solver of `fv`: finite volumes of second order in NumPy."""

from typing import Any

import numpy as np

from pdebench_classical.volumes import CELLS, VolumesSettings
from pdebench_lite.errors import DivergedError
from pdebench_lite.numerics.reading import CellValues
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

_SOLVED = 1e-6  # of the residual: what a solver may leave


def solve(view: View, run: Run) -> Solution:
    """Solve the cells' equations by preconditioned conjugate gradients, or BiCGSTAB, and Newton."""
    config: VolumesSettings = run.config
    cells = config.cells or CELLS[len(view.domain.space)]
    with run.phase("data"):
        grid = view.domain.grid(cells)
        equations = view.stationary(grid)
    symmetric = equations.is_symmetric({})
    fields, iterations = equations.solve({}, np.empty(0), symmetric)
    left = equations.left(fields, {})
    if not left <= _SOLVED:  # NaN too
        raise DivergedError(
            f"{cells} cells: the equations are not solved, {left:.1g} of their residual is left; "
            "they may have no solution, or need other cells"
        )
    answer = CellValues(grid, fields)
    details: dict[str, Any] = {"cells": cells, "symmetric": symmetric, "iterations": iterations}

    def solution() -> Solution:
        return Solution(
            predict=answer.at,
            on_grid=answer.on_grid,
            parameters=sum(values.size for values in fields.values()),
            details=details,
        )

    run.report(1, None, solution)
    return solution()
