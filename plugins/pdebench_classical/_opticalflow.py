"""Solver of `opticalflow`: Gauss–Newton on the motion, the images exactly warped each time."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg

from pdebench_classical._warp import Warp
from pdebench_classical.opticalflow import OpticalflowSettings, motion_along
from pdebench_lite.numerics import interpolate_periodic
from pdebench_lite.problem import Domain
from pdebench_lite.problem.observations import by_time
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.search import Level, RegularisedGaussNewton
from pdebench_methods.search.channels import ChannelAverage, channel_average
from pdebench_methods.search.fourier_prior import FourierPrior
from pdebench_methods.search.gaussian_average import gaussian_average

_BLURS = (0.2, 0.1, 0.05, 0.025, 0.0125)  # standard deviations, in lengths of the domain
_FREE = 10.0  # prior deviation of the mean motion, in units of that of the waves
_SMALLEST_WEIGHT = 1e-14


def solve(view: View, run: Run) -> Solution:
    """Find the smooth steady motion that carries the first image to the observed ones."""
    flow = _Flow(view, run)
    flow.minimise()
    return flow.solution()


class _Flow:
    """The regularised problem: mean (misfit/rms)² + weight·Σ coefficients².

    The misfit is that of the values, or first of wide averages over the channels that they lie in.
    """

    def __init__(self, view: View, run: Run) -> None:
        self.config: OpticalflowSettings = run.config
        self.run, self.domain, (self.field,) = run, view.domain, view.fields
        self.names = [a.name for a in view.domain.space]
        assert view.domain.time is not None
        self.time = view.domain.time
        with run.phase("data"):
            equation = view.equation()
            sought = [u.name for u in view.unknowns]
            along = motion_along(equation.residual, equation.needs, self.field, self.names, sought)
            assert along is not None, "supports() has seen the equation"
            self.sought = [along[axis] for axis in self.names]
            # in a plane unknowns grow with the square, and the work with their cube
            self.modes = self.config.modes // (1 if len(self.names) == 1 else 3)
            waves = FourierPrior(view.domain.space, self.modes, order=2, mean=_FREE)
            unknowns = {u.name: u for u in view.unknowns}
            motion = [unknowns[name] for name in self.sought]
            self.warp = Warp(
                view.domain, waves, lambda p: view.initial_state(p)[self.field],
                self.config.steps, motion,
            )  # fmt: skip
            seen = by_time(view.observations(), self.time.name)
            self.x = np.stack(
                [np.concatenate([np.ravel(o.points[a]) for o in seen]) for a in self.names]
            )
            self.t = np.concatenate([np.ravel(o.points[self.time.name]) for o in seen])
            self.t = self.t - self.time.lower
            self.values = np.concatenate([np.ravel(o.values) for o in seen])
        self.images = seen
        self.scale = float(np.mean(self.values**2)) or 1.0
        self.noise = float(np.mean([o.noise**2 for o in seen])) / self.scale
        self.coefficients = np.zeros((len(self.names), waves.size))
        self.coefficients[:, 0] = [0.0 if u.positive else u.guess / _FREE for u in motion]
        self.weight, self.steps = 1.0, 0

    def minimise(self) -> None:
        """Lower blur and weight together, then the weight alone until it is the likeliest."""
        auto, weight = self.config.weight == "auto", 1.0
        if not auto:
            weight = float(self.config.weight)
        for blur in _BLURS:
            if self._search(self._blurring(blur), weight, weight):
                return
            weight *= 0.1 if auto else 1.0
        self._search(None, weight, _SMALLEST_WEIGHT if auto else weight)

    def _search(self, average: ChannelAverage | None, weight: float, floor: float) -> bool:
        """Go to the minimum for one blur; returns whether the run said stop."""
        search = RegularisedGaussNewton(
            lambda x: self._linearised(x.reshape(self.coefficients.shape), average),
            lambda x: self._gap(x.reshape(self.coefficients.shape), average),
            self.coefficients.ravel(),
            level=lambda x: Level(self.noise, 0.0),
            weight=weight,
            floor=floor,
            chooses=floor < weight,
            ceiling=1.0,
        )
        before = 0
        while search.step():
            self.run.count(gradients=search.evaluations - before)
            before, self.steps = search.evaluations, self.steps + 1
            self._take(search)
            if self.run.report(self.steps, search.loss, self.solution):
                return True
        self._take(search)  # it may have gone back to a larger weight
        return False

    def _take(self, search: RegularisedGaussNewton) -> None:
        self.coefficients = search.x.reshape(self.coefficients.shape)
        self.weight = search.weight

    def _linearised(
        self, c: np.ndarray, average: ChannelAverage | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the gaps and their Jacobian by the coefficients."""
        motion = self.warp.tabulate(c)
        path = self.warp.path(motion, self.x, self.t)
        values, jacobian = self.warp.values(path[-1]), self.warp.jacobian(motion, path, self.t)
        if average is not None:
            jacobian = average.jacobian(values, jacobian)
        return self._beside(values, average), jacobian / np.sqrt(len(jacobian) * self.scale)

    def _gap(self, c: np.ndarray, average: ChannelAverage | None) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):  # a trial too far away
            path = self.warp.path(self.warp.tabulate(c), self.x, self.t)
            return self._beside(self.warp.values(path[-1]), average)

    def _beside(self, values: np.ndarray, average: ChannelAverage | None) -> np.ndarray:
        """Return by how much values, or their averages, miss what was observed.

        In units in which the squares of the gaps of a motionless void sum to one.
        """
        gap = values - self.values if average is None else average(values) - average(self.values)
        return np.asarray(gap) / np.sqrt(gap.size * self.scale)

    def _blurring(self, width: float) -> ChannelAverage:
        """Return Gaussian averages over the points of each image."""
        space = self.domain.space
        blocks = (gaussian_average(o.points, space, width) for o in self.images)
        return channel_average(self.values, linalg.block_diag(*blocks))

    def solution(self) -> Solution:
        """Return the warped first image, and the motion."""
        c, warp = self.coefficients.copy(), self.warp
        motion = warp.tabulate(c)

        def predict(points: dict[str, Any]) -> dict[str, np.ndarray]:
            x = np.stack([np.asarray(points[a], float) for a in self.names])
            t = np.asarray(points[self.time.name], float) - self.time.lower
            return {self.field: warp.values(warp.path(motion, x, t)[-1])}

        return Solution(
            predict=predict,
            unknowns={
                name: _component(self.domain, warp, table)
                for name, table in zip(self.sought, motion, strict=True)
            },
            weights=dict(zip(self.sought, c, strict=True)),
            parameters=c.size,
            details={"modes": self.modes, "weight": self.weight},
        )


def _component(
    domain: Domain, warp: Warp, table: np.ndarray
) -> Callable[[dict[str, Any]], np.ndarray]:
    def component(points: dict[str, Any]) -> np.ndarray:
        cells = [
            (np.asarray(points[a.name], float) - a.lower) / warp.grid.spacing[a.name] - 0.5
            for a in domain.space
        ]
        return np.asarray(interpolate_periodic(table, cells, "cubic"))

    return component
