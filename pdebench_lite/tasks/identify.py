"""Task `identify`: the fields were measured, coefficients of the equation are asked."""

from functools import cached_property
from typing import ClassVar

import numpy as np
from pydantic import Field

from pdebench_lite.problem import Observation, Problem, Unknown
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks.field import FieldTask


class Identify(FieldTask):
    """Find coefficients, numbers or functions, from noisy values of the fields.

    The values are read from the reference (no inverse crime): of a stationary problem at points of
    its space; of an evolution at the same points at `times` equal times up to the end, and the
    initial state is given. Noise is Gaussian, drawn from the data stream.
    """

    class Parameters(Settings):
        """What is measured."""

        points: int = Field(32, ge=4, le=1024, description="cells an axis whose centres are read")
        times: int = Field(4, ge=1, le=100, description="equal times of an evolution")
        noise: float = Field(0.01, ge=0, le=1, description="noise std, relative to the field's rms")

    name = "identify"
    summary = "given noisy values of the fields, find coefficients of the equation"
    ranked: ClassVar[tuple[str, ...]] = ("coefficient_rel_l2", "rel_l2")
    reported = ("misfit", "linf", "mae")

    @classmethod
    def applies(cls, problem: Problem) -> bool:
        """Where the problem names coefficients that may be sought."""
        return bool(problem.sought)

    @property
    def gives(self) -> frozenset[str]:
        """The start of an evolution as well."""
        start = {"initial_state", "ansatz"} if self.problem.domain.time is not None else set()
        return super().gives | start

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The coefficients that the problem names."""
        return tuple(self.problem.sought.values())

    @cached_property
    def _measured(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        domain, n = self.problem.domain, self.parameters.points
        if domain.is_box:
            points = {a: np.ravel(v) for a, v in domain.grid(n).points().items()}
        else:
            points = domain.geometry.quadrature(max(2, n // 4))[0]
        if domain.time is not None:
            size, count = next(iter(points.values())).size, self.parameters.times
            times = np.linspace(domain.time.lower, domain.time.upper, count + 1)[1:]
            points = {a: np.tile(v, count) for a, v in points.items()}
            points[domain.time.name] = np.repeat(times, size)
        return points, self.reference.evaluate(points)

    def observations(self, rng: np.random.Generator) -> tuple[Observation, ...]:
        """Return noisy values of every field that is not known up to a constant only."""
        points, exact = self._measured
        seen = []
        for name in self.problem.measurable:
            noise = float(self.parameters.noise * np.sqrt(np.mean(exact[name] ** 2)))
            values = exact[name] + noise * rng.standard_normal(exact[name].size)
            seen.append(Observation(name, points, values, noise))
        return tuple(seen)
