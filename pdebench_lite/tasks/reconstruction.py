"""Task `reconstruction`: a later snapshot is given, the field and its initial state are asked."""

from functools import cached_property
from typing import ClassVar

import numpy as np
from pydantic import Field

from pdebench_lite.errors import PdebenchError
from pdebench_lite.problem import Observation, Problem, Unknown
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks.field import FieldTask

_GOLDEN = 0.5 * (5.0**0.5 - 1.0)


class Reconstruction(FieldTask):
    """Recover a field over the whole of space-time from one snapshot and the equation.

    The snapshot is read from the certified reference at cell centres (no inverse crime), with
    Gaussian noise drawn from the data stream. Nothing that knows the initial state is given. Fields
    that are known up to a constant only are not observed.

    An equation of second order in time has two snapshots, because u and u_t at the start are
    unknown; only u there is asked. The earlier one is taken at `t_obs` times the golden section, so
    that no wave of the domain is zero in both.
    """

    class Parameters(Settings):
        """`t_obs`: time of the snapshot; `points`: cells an axis; `noise`: std / snapshot rms."""

        t_obs: float = Field(0.5, gt=0, description="time of the snapshot")
        points: int = Field(128, ge=4, le=4096, description="observed cell centres per axis")
        noise: float = Field(0.0, ge=0, le=1, description="noise std, relative to snapshot rms")

    name = "reconstruction"
    summary = "given u at one time on cell centres, find the field and its initial state"
    ranked: ClassVar[tuple[str, ...]] = ("rel_l2", "rel_l2_carried", "initial_rel_l2", "mae")
    reported = ("misfit", "linf", "initial_violation", "mass_violation")

    def __init__(self, problem: Problem, parameters: Parameters) -> None:
        super().__init__(problem, parameters)
        time = problem.domain.time
        if time is None or not time.lower < parameters.t_obs <= time.upper:
            span = "no time axis" if time is None else f"({time.lower:g}, {time.upper:g}]"
            raise PdebenchError(f"t_obs={parameters.t_obs:g} lies outside the time span {span}")

    @classmethod
    def applies(cls, problem: Problem) -> bool:
        """Where an evolution on a box states its initial state."""
        domain = problem.domain
        if domain.time is None or not domain.is_box:
            return False
        return problem.starts and domain.time.lower < 0.5 <= domain.time.upper

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """The initial state of every field."""
        axes = tuple(a.name for a in self.problem.domain.space)
        return tuple(
            Unknown(f"{f}_initial", "initial", axes, f, self.problem.unit(f))
            for f in self.problem.evolved
        )

    @cached_property
    def _snapshot(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        domain = self.problem.domain
        assert domain.time is not None
        points = domain.grid(self.parameters.points).points()
        flat = {name: np.ravel(values) for name, values in points.items()}
        size, start = next(iter(flat.values())).size, domain.time.lower
        shares = _GOLDEN ** np.arange(self.problem.order)[::-1]
        times = start + shares * (self.parameters.t_obs - start)
        flat = {name: np.tile(values, times.size) for name, values in flat.items()}
        flat[domain.time.name] = np.repeat(times, size)
        return flat, self.reference.evaluate(flat)

    def observations(self, rng: np.random.Generator) -> tuple[Observation, ...]:
        """Return the snapshots of every field on the cell centres."""
        points, exact = self._snapshot
        snapshots = []
        for name in self.problem.measurable:
            noise = float(self.parameters.noise * np.sqrt(np.mean(exact[name] ** 2)))
            values = exact[name] + noise * rng.standard_normal(exact[name].size)
            snapshots.append(Observation(name, points, values, noise))
        return tuple(snapshots)
