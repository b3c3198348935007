"""The objective of stationary problems: how far the solved field is from what was observed."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from pdebench_lite.numerics import Extrapolation, Grid, Stencil
from pdebench_lite.numerics.boundary import pad
from pdebench_lite.numerics.interpolation import extended, stencil
from pdebench_lite.numerics.krylov import HOST
from pdebench_lite.numerics.reading import CellValues
from pdebench_lite.problem import Arrays
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.problem.volumes import ORDER, FiniteVolumes
from pdebench_lite.runner.run import Run
from pdebench_methods.diffphys import DiffphysSettings
from pdebench_methods.objectives.diffphys.discretisation import REFINEMENT
from pdebench_methods.objectives.diffphys.fitting import DiffphysTools, Fitting
from pdebench_methods.objectives.diffphys.observing import observe, observed_places

_FIRST = 1 << 14  # cells of the first grid, where they are chosen
_FINEST = 1 << 17  # of the last one
_WIDTH, _DEGREE = 2, 3  # ghost cells that keep the order of cubics


class StationaryObjective(Fitting):
    """Mean squared misfit of the solution to the observations, plus weight · ‖prior‖².

    The solution depends on the unknowns through the implicit function theorem: a Jacobian is one
    more linear solve for each parameter, a gradient one solve with the transpose.
    """

    order = ORDER
    warps = False
    linearises = True
    implicit = True

    def __init__(self, view: View, run: Run, tools: DiffphysTools) -> None:
        s: DiffphysSettings = run.config
        observations = view.observations()
        d = len(view.domain.space)
        seen = max(8, round(max(o.values.size for o in observations) ** (1 / d)))
        thrice = seen * REFINEMENT
        cells = s.cells or (thrice if thrice**d <= _FIRST else seen)
        super().__init__(view, run, tools, observations, cells)
        if not s.cells and cells == thrice:
            self.jacobian_cells = seen
        rng = np.random.default_rng(0)
        first = {
            u.name: u.guess + 0.1 * rng.random(view.domain.grid(8).cells if u.axes else ())
            for u in self.unknowns
        }
        self._symmetric = view.stationary(view.domain.grid(8)).is_symmetric(first)
        self._plan()

    @lru_cache(maxsize=8)  # noqa: B019 - one objective lives as long as its process
    def _equations(self, cells: int, host: bool) -> FiniteVolumes:
        machine = HOST if host else self._tools.machine
        return self._view.stationary(self.domain.grid(cells), machine)

    def may_refine(self, cells: int) -> bool:
        """Say whether a finer grid may follow one of so many cells."""
        return not self.settings.cells and (cells * REFINEMENT) ** len(self.domain.space) <= _FINEST

    def given(self, cells: int) -> dict[str, np.ndarray]:
        """Return nothing: a stationary solution starts from nowhere."""
        return {}

    def costs(self, cells: int) -> Mapping[str, int]:
        """Return one solve."""
        return {"solver_steps": 1}

    @lru_cache(maxsize=8)  # noqa: B019
    def nodes(self, cells: int) -> list[Stencil]:
        """Return which cells each observation reads, ghost cells included."""
        grid = self.domain.grid(cells)
        found = []
        for o in self.observations:
            places = observed_places(o, self.domain, grid)
            wide, moved = extended(np.zeros(grid.cells), places, grid, "cubic", _free(grid))
            found.append(stencil(moved, wide.shape, "cubic"))
        return found

    def _read(self, fields: Arrays, grid: Grid, nodes: list[tuple[Any, Any]]) -> list[Any]:
        """Return what each observation sees of fields on a grid, (*batch, n)."""
        seen = []
        for o, (index, weights) in zip(self.observations, nodes, strict=True):
            values = fields[o.field]
            for axis, periodic in zip(grid.axes, grid.periodic, strict=True):
                if not periodic:
                    values = pad(values, grid, axis, _WIDTH, _free(grid), _DEGREE)
            seen.append(observe(values, index, weights, len(grid.axes)))
        return seen

    def seen(self, values: Arrays, data: Mapping[str, Any], cells: int) -> list[Any]:
        """Return what each observation sees of the solution, (*batch, n)."""
        equations = self._equations(cells, False)
        fields, _ = equations.solve(values, data["weight"], self._symmetric)
        nodes = [(data[f"nodes{i}"], data[f"weights{i}"]) for i in range(len(self.observations))]
        return self._read(fields, equations.grid, nodes)

    def _solved(self, parameters: dict[str, np.ndarray], cells: int) -> Arrays:
        values = self._on_grid(parameters, self._functions(cells), cells)
        return self._equations(cells, True).solve(values, np.empty(0), self._symmetric)[0]

    def observed(self, parameters: dict[str, np.ndarray], cells: int) -> list[np.ndarray]:
        """Return what each observation sees, (n,), in NumPy."""
        nodes = [(at.index, at.weights) for at in self.nodes(cells)]
        return self._read(self._solved(parameters, cells), self.domain.grid(cells), nodes)

    def solution(self, parameters: dict[str, np.ndarray], memo: Mapping[str, Any]) -> Solution:
        """Return the solved fields, read by cubics, and the unknowns."""
        cells = memo.get("cells", self.cells)
        answer = CellValues(self.domain.grid(cells), self._solved(parameters, cells))
        return replace(self.found(parameters, memo), predict=answer.at, on_grid=answer.on_grid)


def _free(grid: Grid) -> dict[str, Extrapolation]:
    return {axis: Extrapolation() for axis in grid.axes}
