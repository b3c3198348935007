"""Marching the instances of a family, which come with the query; side by side in one array."""

from math import ceil
from typing import Any

import numpy as np

from pdebench_classical.marching import MarchSettings, chosen
from pdebench_lite.errors import UnsupportedError
from pdebench_lite.numerics import Grid, fourier_basis, interpolate_periodic
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

_ABREAST = 16  # instances that share their time step, those with like bounds together


def solve(view: View, run: Run) -> Solution:
    """March every instance of a query; nothing is learned, so all of the cost is the answer's.

    Raises:
        UnsupportedError: the states of the family cannot be put on the configured cells.
    """
    march = _March(view, run.config)
    solution = Solution(
        predict=march.predict,
        details={"scheme": run.config.scheme, "cells": run.config.cells},
    )
    run.report(0, None, lambda: solution)
    return solution


class _March:
    def __init__(self, view: View, config: MarchSettings) -> None:
        assert view.domain.time is not None, "a scheme marches in time"
        self._time, self._space = view.domain.time, view.domain.space[0].name
        self._domain, self._fields, self._config = view.domain, view.fields, config
        _, self._scheme, cells = chosen(view, config)
        self._grid = view.domain.grid(cells)

    def predict(self, query: dict[str, Any]) -> dict[str, np.ndarray]:
        """Return the fields at the times asked: name -> (instances, cells, frames)."""
        asked = self._domain.grid(query[self._space].size)
        start = {name: self._enter(query[name], asked) for name in self._fields}
        axes = {*self._fields, self._space, self._time.name}
        coefficients = {k: np.asarray(v, float) for k, v in query.items() if k not in axes}
        size = next(iter(start.values())).shape[0]
        limits = np.asarray([self._limit(i, start, coefficients) for i in range(size)])
        answer = {
            name: np.empty((size, asked.cells[0], query[self._time.name].size)) for name in start
        }
        for first in range(0, size, _ABREAST):
            nearest = np.argsort(limits, kind="stable")[first : first + _ABREAST]
            state = {name: values[nearest] for name, values in start.items()}
            known = {name: values[nearest, None] for name, values in coefficients.items()}
            t = self._time.lower
            for frame, end in enumerate(query[self._time.name]):
                state = self._advance(state, known, t, float(end), float(limits[nearest[0]]))
                t = float(end)
                for name, values in state.items():
                    answer[name][nearest, :, frame] = self._leave(values, asked)
        return answer

    def _limit(self, i: int, start: dict[str, Any], coefficients: dict[str, Any]) -> float:
        state = {name: values[i] for name, values in start.items()}
        known = {name: float(values[i]) for name, values in coefficients.items()}
        return self._scheme.max_dt(state, known, self._grid)

    def _advance(
        self, state: dict[str, Any], known: dict[str, Any], begin: float, end: float, limit: float
    ) -> dict[str, Any]:
        """March from one frame to the next in equal steps."""
        longest = min(limit, self._grid.longest_step(self._time.length))
        chosen = self._config.steps * (end - begin) / self._time.length
        steps = max(1, ceil((chosen or (end - begin) / longest) - 1e-9))
        dt = (end - begin) / steps
        if dt > limit * (1 + 1e-12):
            raise UnsupportedError(
                f"steps={self._config.steps} is a step of {dt:.3g}, above the stability bound "
                f"{limit:.3g} of an instance; use steps=0 to have them chosen"
            )
        for k in range(steps):
            state = self._scheme.step(state, known, begin + k * dt, dt, self._grid)
        return state

    def _enter(self, values: Any, asked: Grid) -> np.ndarray:
        """Put states on the grid that is marched: (instances, cells)."""
        values, cells, given = np.asarray(values, float), self._grid.cells[0], asked.cells[0]
        if cells == given:
            return values
        if self._scheme.trigonometric or cells > given:
            return _trigonometric(values, asked, self._grid.centres(self._space))
        if given % cells:
            raise UnsupportedError(
                f"cells={cells} do not divide the {given} cells of the states, whose averages they "
                "would hold; give a divisor, or more cells"
            )
        return values.reshape(-1, cells, given // cells).mean(axis=-1)

    def _leave(self, values: np.ndarray, asked: Grid) -> np.ndarray:
        """Read states of the grid that was marched at the points asked."""
        if self._grid.cells == asked.cells:
            return values
        centres = asked.centres(self._space)
        if self._scheme.trigonometric:
            return _trigonometric(values, self._grid, centres)
        places = (centres - self._grid.lower[0]) / self._grid.spacing[self._space] - 0.5
        at = np.broadcast_to(places, (values.shape[0], places.size))
        return interpolate_periodic(values, at, order="cubic")


def _trigonometric(values: np.ndarray, grid: Grid, x: np.ndarray) -> np.ndarray:
    """Evaluate the trigonometric interpolant of states, (instances, cells), at points (n,)."""
    return (np.fft.rfft(values) @ fourier_basis(grid, grid.axes[0], x).T).real
