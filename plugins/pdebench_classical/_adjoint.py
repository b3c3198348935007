"""Solver of `adjoint`: coefficients of the initial state, fitted through the problem's solver."""

import contextlib
from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np

from pdebench_classical._forward_map import ForwardMap, grown
from pdebench_classical._trajectory import Trajectory
from pdebench_classical.adjoint import AdjointSettings
from pdebench_lite.problem import Unknown
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

_WEIGHTS = tuple(10.0**-k for k in range(1, 11))  # below, gradients are no longer exact enough
_GRIDS = 2  # the finest grid and those of half as many cells before it
_SETTLED = 1e-3  # relative gain of an iteration at which a weight is done with
_ITERATIONS = 30  # at one weight


def solve(view: View, run: Run) -> Solution:
    """Minimise mean (misfit/rms of the data)² + weight·Σ coefficients².

    With `weight=auto` the weight falls tenfold until the misfit is explained by the noise and the
    solver's own error (Morozov's discrepancy principle; Engl, Hanke & Neubauer 1996, sect. 4.3):
    first on a coarse grid, then from there on a finer one.
    """
    with run.phase("data"):
        search = _Search(view, run)
    search.minimise()
    return search.solution()


class _Search:
    """The regularised least-squares problem, and where its minimisation stands."""

    def __init__(self, view: View, run: Run) -> None:
        self.view, self.run = view, run
        self.config: AdjointSettings = run.config
        orders = view.schemes()
        self.scheme_name = self.config.scheme or max(orders, key=lambda name: orders[name])
        self.scheme = view.solver(self.scheme_name)
        self.observations = view.observations()
        self.map = self._map(self.config.cells >> (_GRIDS - 1))
        self.coarse = self._map(self.config.cells >> _GRIDS)
        self.fine = self._map(2 * self.map.grid.cells[0])
        self.coefficients = self.map.first()
        self.rough = np.tile(self.map.waves.rough, len(view.unknowns))
        self.weight = _WEIGHTS[0]
        self.scale = float(np.mean(self.map.values**2)) or 1.0
        self.steps = self.evaluations = 0
        self.correction = np.zeros(self.map.values.size)
        self.freedom = 0.0  # of the fit at the present weight

    def _map(self, cells: int) -> ForwardMap:
        view, modes = self.view, min(self.config.modes, self.config.cells // 16)
        return ForwardMap(
            view.domain, self.scheme, view.unknowns, self.observations, cells, modes, self._tell
        )

    def minimise(self) -> None:
        """Lower the weight, and refine the grid where its own error is all that is left."""
        with contextlib.suppress(_Enough):
            self._tell()
            self._descend()

    def _tell(self, loss: float | None = None) -> None:
        """Report the best state so far.

        Raises:
            _Enough: the run said stop.
        """
        if self.run.report(self.steps, loss, self.solution, self.evaluations):
            raise _Enough

    def _descend(self) -> None:
        if self.config.weight != "auto":
            while True:
                self.weight = float(self.config.weight)
                self._minimise_at_weight()
                if not self._refined():
                    return
        weights = iter(_WEIGHTS)
        while True:
            for self.weight in weights:
                before, last = self._misfit(), self.coefficients
                self._minimise_at_weight()
                misfit = self._misfit()
                if misfit <= self._explained():
                    break
                if misfit > 0.5 * before:  # no longer the weight's doing: the one before is taken
                    self.coefficients, self.weight = last, min(10.0 * self.weight, _WEIGHTS[0])
                    break
            noise = float(np.mean(self.map.noise**2))
            if self._misfit() <= noise or not self._refined():
                return
            self._minimise_at_weight()

    def _refined(self) -> bool:
        """Go on to the next finer grid, if there is one."""
        if self.map.grid.cells[0] >= self.config.cells:
            return False
        self.coarse, self.map = self.map, self.fine
        self.fine = self._map(2 * self.map.grid.cells[0])
        return True

    def _misfit(self) -> float:
        """Return the mean squared misfit, marched on the fine grid."""
        return float(np.mean((self.fine(self.coefficients) - self.map.values) ** 2))

    def _explained(self) -> float:
        """Return the mean square that noise and the solver's own error explain.

        Of the noise that is what the fit cannot follow, 1 − trace(hat matrix)/values (Thompson et
        al. 1991, doi:10.1109/34.88568, "equivalent degrees of freedom"); the solver's error is
        Richardson's, of the fine grid: its gap to the grid of the search over 2ᵖ − 1.
        """
        error = self._defect(self.coefficients) / (2.0**self.scheme.order - 1.0)
        left = 1.0 - self.freedom / self.map.values.size
        return float(left * np.mean(self.map.noise**2) + np.mean(error**2))

    def _defect(self, c: np.ndarray) -> np.ndarray:
        """Return what marching on the fine grid changes in the observed values."""
        return self.fine(c) - self.map(c)

    def _minimise_at_weight(self) -> None:
        """Run SciPy's L-BFGS-B at the present weight.

        In the variables z, c = c₀ + Rz, in which the Gauss–Newton Hessian at the start, with the
        Jacobian of the coarser grid, is the identity: then a few iterations are enough. The misfit
        is corrected by the defect at the start, so that the fine grid is what the data are fitted
        on, though gradients are taken on this one (Stetter 1978, doi:10.1007/BF01432879).
        """
        from scipy.linalg import cholesky, solve_triangular
        from scipy.optimize import Bounds, minimize

        origin, weight, n = self.coefficients, self.weight, self.map.values.size
        rows = np.eye(n) * np.sqrt(2.0 / (self.scale * n))
        jacobian = self.coarse.pull(origin, rows)
        self.evaluations += 1
        self.run.count(gradients=1)
        hessian = jacobian.T @ jacobian + 2 * weight * np.diag(self.rough)
        self.freedom = float(np.trace(np.linalg.solve(hessian, jacobian.T @ jacobian)))
        root = cholesky(hessian)  # hessian = rootᵀ·root, c = c₀ + root⁻¹·z
        self.correction = self._defect(origin)
        first, _ = self._loss(origin)
        # Within the quadratic model the way to the minimum is no longer than √(2·loss); the box
        # keeps trial steps from states that the scheme cannot march.
        reach = 2.0 * float(np.sqrt(2.0 * first))
        last = first

        def loss(z: np.ndarray) -> tuple[float, np.ndarray]:
            nonlocal last
            with np.errstate(over="ignore", invalid="ignore"):
                last, gradient = self._loss(origin + solve_triangular(root, z))
            if not (np.isfinite(last) and np.isfinite(gradient).all()):
                return 10.0 * first, np.zeros_like(z)  # too far: the line search turns back
            return last, solve_triangular(root, gradient, trans="T")

        def callback(xk: np.ndarray) -> None:
            self.coefficients, self.steps = origin + solve_triangular(root, xk), self.steps + 1
            self._tell(last)

        minimize(
            loss,
            np.zeros(origin.size),
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(-reach, reach),
            callback=callback,
            options={"maxcor": 20, "ftol": _SETTLED, "gtol": 0.0, "maxiter": _ITERATIONS},
        )

    def _loss(self, c: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the objective and its gradient."""
        factor = 2.0 / (self.scale * self.map.values.size)
        target = self.map.values - self.correction
        observed, pulled = self.map.value_and_pull(c, lambda seen: factor * (seen - target))
        self.evaluations += 1
        self.run.count(gradients=1)
        misfit = float(np.mean((observed - target) ** 2)) / self.scale
        smooth = self.rough * c
        return misfit + self.weight * float(c @ smooth), pulled[0] + 2 * self.weight * smooth

    def solution(self) -> Solution:
        """Return the found state, marched by the scheme over the whole time."""
        view, c, map_, time = self.view, self.coefficients.copy(), self.map, self.view.domain.time
        assert time is not None
        steps = ceil(time.length / map_.dt - 1e-9)
        march = Trajectory(
            view.domain, self.scheme, map_.grid, map_.start(c), time.length / steps, steps,
            view.fields,
        )  # fmt: skip
        for _ in range(steps):
            march.advance()
        rows = c.reshape(len(view.unknowns), -1)
        found = list(zip(view.unknowns, rows, strict=True))

        def initial(u: Unknown, row: np.ndarray) -> Callable[[dict[str, Any]], np.ndarray]:
            return lambda points: grown(u, map_.waves.matrix(points) @ row)

        return Solution(
            predict=march.predict,
            unknowns={u.name: initial(u, row) for u, row in found},
            weights={u.name: row for u, row in found},
            parameters=c.size,
            details={
                "scheme": self.scheme_name,
                "cells": map_.grid.cells[0],
                "dt": map_.dt,
                "weight": self.weight,
            },
        )


class _Enough(Exception):  # noqa: N818 - no error: the run said stop
    """Ends the search, SciPy's loop included."""
