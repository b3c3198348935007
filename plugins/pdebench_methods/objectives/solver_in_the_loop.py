"""Objective of `diffphys[mode=solver-in-the-loop]`: a network in the loop of a coarse solver.

Um, Brand, Fei, Holl & Thuerey 2020, arXiv:2007.00016, section 4 ("SOL"): the correction is trained
through the rollout, so that it meets the states that it leads to. Here the network corrects every
few steps of the solver, and a second one fills in what the coarse cells cannot show.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, Protocol

import numpy as np

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.method import Solution
from pdebench_lite.physics import array_namespace, interpolate_periodic
from pdebench_lite.problem import Arrays
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View
from pdebench_methods.convolutions import Stack
from pdebench_methods.objectives.operator import Evaluator, Features, OperatorObjective
from pdebench_methods.solver_in_the_loop import CELLS
from pdebench_methods.training import train

_KERNEL = 5
_COURANT = 0.9  # of the stability bound: a corrected state may be a little larger
_STEPS = 2000  # of adam, where no budget is given
_SUBSTEPS, _UP = "substeps=", "up"


class Rolling(Evaluator, Protocol):
    """The tools of a backend that rolls out steps."""

    def repeat(self, step: Any, state: Arrays, n: int) -> Arrays:
        """Apply a step n times."""


class CorrectionObjective(OperatorObjective):
    """Relative squared error of a corrected coarse solver.

    A state is averaged onto coarse cells. Each of the `corrections` is a number of solver steps,
    the fewest that are stable, after which s ← s + Δt·N(s). At the end s is interpolated by cubics
    to the cells asked, and M(s) is added cell by cell. N and M begin as zero: training begins at
    the coarse solver.

    Raises:
        UnsupportedError: the coarse cells do not divide those of the states.
    """

    def __init__(self, view: View, run: Run, tools: Rolling) -> None:
        super().__init__(view, run, tools)
        s, self._repeat = self.settings, tools.repeat
        self.scheme = view.solver(s.scheme or next(iter(view.schemes())))
        coarse = s.cells or self.scheme.cells or CELLS
        if self.cells % coarse:
            raise UnsupportedError(
                f"cells={coarse} do not divide the {self.cells} cells of {view.label}"
            )
        self.grid, self._ratio = view.domain.grid(coarse), self.cells // coarse
        self.features = Features(self.training, self.fields)
        inputs, fields = len(self.fields) + len(self.features), len(self.fields)
        self._network = Stack("correct", inputs, fields, s.channels, s.layers, _KERNEL, 0.0)
        outputs = fields * self._ratio
        self._fill = Stack("fill", inputs, outputs, s.channels, s.layers, _KERNEL, 0.0)
        fine = view.domain.grid(self.cells).centres(self.space)
        places = (fine - self.grid.lower[0]) / self.grid.spacing[self.space] - 0.5
        at = np.broadcast_to(places, (coarse, self.cells))
        self._up = interpolate_periodic(np.eye(coarse), at, order="cubic")
        # corrections of every frame, whose spans are equal
        self._corrections = ceil(s.corrections / self.frames)
        times = self.training.axes[self.clock]
        self._span = float(times[1] - times[0]) / self._corrections
        self._start = float(times[0])

    def labels(self, offered: int) -> int:
        """Return how many labelled instances to ask for; the solver alone needs but their shape."""
        return super().labels(offered) if self.settings.channels else 1

    def steps(self) -> int:
        """Return the number of steps where no budget is given; `steps` are the solver's."""
        return _STEPS

    def initial(self) -> dict[str, np.ndarray]:
        """Draw the weights."""
        rng = self._run.rng("weights")
        return self._network.initial(rng) | self._fill.initial(rng)

    def common(self, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the interpolation matrix, and in a name the solver steps for each correction."""
        coarse, limits = _averages(given["start"], self._ratio), []
        for i in range(coarse.shape[1]):
            state = {name: coarse[j, i] for j, name in enumerate(self.fields)}
            known = {name: float(given[name][i]) for name in self.features.names}
            limits.append(self.scheme.max_dt(state, known, self.grid))
        limit = min(_COURANT * min(limits), 4.0 * self._span)
        n = max(1, ceil(self._span / limit))
        return {_UP: self._up, f"{_SUBSTEPS}{n}": np.zeros(1)}

    def costs(self, data: Mapping[str, Any]) -> Mapping[str, int]:
        """Count the steps of the coarse solver, once for all that it advances at once."""
        return {"solver_steps": self.frames * self._corrections * _substeps(data)}

    def answer(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Roll out, correct, and return the later frames on the cells asked."""
        xp, n = array_namespace(data["start"]), _substeps(data)
        dt = self._span / n
        known = {name: data[name][:, None] for name in self.features.names}
        coarse = _averages(data["start"], self._ratio)
        state: Arrays = {name: coarse[i] for i, name in enumerate(self.fields)}

        def advance(state: Arrays, k: Any) -> Arrays:
            def step(state: Arrays, j: Any) -> Arrays:
                t = self._start + (k * n + j) * dt
                return self.scheme.step(state, known, t, dt, self.grid)

            state = self._repeat(step, state, n)
            if not parameters:
                return state
            found = self._network(parameters, self._seen(state, data))
            scale = self._span * self.features.scale
            return {name: state[name] + scale * found[i] for i, name in enumerate(self.fields)}

        frames = []
        for frame in range(self.frames):
            first = frame * self._corrections

            def later(state: Arrays, k: Any, first: int = first) -> Arrays:
                return advance(state, first + k)

            state = self._repeat(later, state, self._corrections)
            frames.append(self._read(parameters, state, data))
        count = data["start"].shape[1]
        stacked = xp.stack(frames, axis=1)  # (fields, frames, instances, cells)
        return xp.reshape(stacked, (-1, count, self.cells))

    def _seen(self, state: Arrays, data: Mapping[str, Any]) -> Any:
        stacked = array_namespace(data["start"]).stack([state[name] for name in self.fields])
        return self.features.channels(stacked, data)

    def _read(self, parameters: dict[str, Any], state: Arrays, data: Mapping[str, Any]) -> Any:
        """Return the fields on the cells asked: (fields, instances, cells)."""
        xp = array_namespace(data["start"])
        smooth = xp.stack([state[name] for name in self.fields]) @ data[_UP]
        if not parameters:
            return smooth
        detail = self._fill(parameters, self._seen(state, data))  # (fields·ratio, instances, …)
        fields, count, cells = len(self.fields), smooth.shape[1], self.grid.cells[0]
        detail = xp.reshape(detail, (fields, self._ratio, count, cells))
        detail = xp.reshape(xp.permute_dims(detail, (0, 2, 3, 1)), (fields, count, self.cells))
        return smooth + self.features.scale * detail


def _averages(values: Any, ratio: int) -> Any:
    """Average groups of neighbouring cells along the last axis."""
    xp = array_namespace(values)
    return xp.mean(xp.reshape(values, (*values.shape[:-1], -1, ratio)), axis=-1)


def _substeps(data: Mapping[str, Any]) -> int:
    return next(int(name.removeprefix(_SUBSTEPS)) for name in data if name.startswith(_SUBSTEPS))


def solve(view: View, run: Run, tools: Rolling) -> Solution:
    """Train the corrections; without a network, return the coarse solver alone."""
    with run.phase("data"):
        objective = CorrectionObjective(view, run, tools)
    if run.config.channels:
        return train(run, objective, tools)
    solution = objective.solution({}, {})
    run.report(0, None, lambda: solution)
    return solution
