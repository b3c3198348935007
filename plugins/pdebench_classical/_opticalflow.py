"""Solver of `opticalflow`: Gauss–Newton on the motion, the images exactly warped each time."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pdebench_classical._warp import Warp
from pdebench_classical.opticalflow import OpticalflowSettings, motion_along
from pdebench_lite.method import Solution
from pdebench_lite.physics import interpolate_periodic
from pdebench_lite.physics.channels import ChannelAverage, channel_average
from pdebench_lite.physics.fourier_prior import FourierPrior
from pdebench_lite.problem import Domain
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View

_BLURS = (0.2, 0.1, 0.05, 0.025, 0.0125, 0.0)  # standard deviations, in lengths of the domain
_WEIGHTS = tuple(10.0**-k for k in range(15))
_SETTLED = 1e-2  # relative gain of a linearisation below which a stage ends


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
            waves = FourierPrior(view.domain.space, self.config.modes, order=2)
            self.warp = Warp(
                view.domain, waves, lambda p: view.initial_state(p)[self.field], self.config.steps
            )
            seen = view.observations()
            self.x = np.stack(
                [np.concatenate([np.ravel(o.points[a]) for o in seen]) for a in self.names]
            )
            self.t = np.concatenate([np.ravel(o.points[self.time.name]) for o in seen])
            self.t = self.t - self.time.lower
            self.values = np.concatenate([np.ravel(o.values) for o in seen])
            self.noise = float(np.mean([o.noise**2 for o in seen]))
        self.scale = float(np.mean(self.values**2)) or 1.0
        self.coefficients = np.zeros((len(self.names), waves.size))
        self.rough = np.tile(waves.rough, (len(self.names), 1))
        self.weight, self.steps = _WEIGHTS[0], 0

    def minimise(self) -> None:
        """Lower blur and weight together, then the weight alone until the misfit is explained."""
        auto = self.config.weight == "auto"
        weights = iter(_WEIGHTS) if auto else iter(lambda: float(self.config.weight), None)
        for blur in _BLURS:
            self.weight = next(weights)
            if self._stage(self._blurring(blur)):
                return
        while auto:  # the discrepancy principle
            before, self.weight = self._misfit(self.coefficients), next(weights, 0.0)
            if before <= self.noise or not self.weight or self._stage(None):
                return
            if self._misfit(self.coefficients) > 0.9 * before:
                return

    def _stage(self, average: ChannelAverage | None) -> bool:
        """Linearise until that gains nothing; returns whether the run said stop."""
        c, best = self.coefficients, np.inf
        for _ in range(self.config.level_steps):
            residual, jacobian = self._linearised(c, average)
            self.run.count(gradients=1)
            n, ridge = residual.size * self.scale, self.weight * np.diag(self.rough.ravel())
            normal = jacobian.T @ jacobian / n + ridge
            downhill = -(jacobian.T @ residual / n + self.weight * (self.rough * c).ravel())
            step = np.linalg.solve(normal, downhill).reshape(c.shape)
            value = self._value(c, residual)
            for length in (1.0, 0.5, 0.25, 0.125):
                new = self._value(c + length * step, self._gap(c + length * step, average))
                if new < value:
                    break
            else:
                return False
            c, best = c + length * step, new
            self.coefficients, self.steps = c, self.steps + 1
            if self.run.report(self.steps, best, self.solution):
                return True
            if value - best < _SETTLED * value:
                return False
        return False

    def _linearised(
        self, c: np.ndarray, average: ChannelAverage | None
    ) -> tuple[np.ndarray, np.ndarray]:
        motion = self.warp.tabulate(c)
        path = self.warp.path(motion, self.x, self.t)
        values, jacobian = self.warp.values(path[-1]), self.warp.jacobian(motion, path, self.t)
        if average is not None:
            jacobian = average.jacobian(values, jacobian)
        return self._beside(values, average), jacobian

    def _value(self, c: np.ndarray, gap: np.ndarray) -> float:
        rough = self.weight * float(np.sum(self.rough * c**2))
        return float(np.mean(gap**2)) / self.scale + rough

    def _misfit(self, c: np.ndarray) -> float:
        return float(np.mean(self._gap(c) ** 2))

    def _gap(self, c: np.ndarray, average: ChannelAverage | None = None) -> np.ndarray:
        path = self.warp.path(self.warp.tabulate(c), self.x, self.t)
        return self._beside(self.warp.values(path[-1]), average)

    def _beside(self, values: np.ndarray, average: ChannelAverage | None) -> np.ndarray:
        """Return by how much values miss what was observed, or their averages those of that."""
        if average is None:
            return values - self.values
        return np.asarray(average(values) - average(self.values))

    def _blurring(self, width: float) -> ChannelAverage | None:
        """Return Gaussian averages over the points of each image; None for no blur."""
        if not width:
            return None
        exponent = np.where(self.t[:, None] == self.t, 0.0, -np.inf)
        for axis, x in zip(self.domain.space, self.x, strict=True):
            gap = (x[:, None] - x + 0.5 * axis.length) % axis.length - 0.5 * axis.length
            exponent -= 0.5 * (gap / (width * axis.length)) ** 2
        weights = np.exp(exponent)
        return channel_average(self.values, weights / weights.sum(axis=1, keepdims=True))

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
            details={"modes": self.config.modes, "weight": self.weight},
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
