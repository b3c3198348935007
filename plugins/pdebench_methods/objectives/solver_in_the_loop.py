"""Objective of `diffphys[mode=solver-in-the-loop]`: a network in the loop of a coarse solver.

Um, Brand, Fei, Holl & Thuerey 2020, arXiv:2007.00016, section 4: the network corrects every few
steps of the solver; here a second one fills in what the coarse cells cannot show. They are trained
on precomputed states first ("PRE"), which takes no solver, then through the rollout ("SOL"), so
that the correction meets the states that it leads to.
"""

from collections.abc import Mapping
from math import ceil
from typing import Any, Protocol

import numpy as np

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.numerics import Grid, array_namespace, interpolate_periodic
from pdebench_lite.problem import Arrays
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.convolutions import Stack
from pdebench_methods.objectives.operator import (
    SIZE,
    Features,
    OperatorObjective,
    half_cosine,
    relative_squares,
)
from pdebench_methods.solver_in_the_loop import CELLS
from pdebench_methods.training import Stage, Tools, split, train

_KERNEL = 5
_COURANT = 0.9  # of the stability bound: a corrected state may be a little larger
_KEPT = 1e-2  # of the states' rms: what a mean may change while it counts as kept
_STEPS = 2000  # of adam, where no budget is given
_THROUGH = 0.25  # of the learning rate, for training through the rollout after precomputed states
_ROLLOUT = 2.0  # its compilation over that of precomputed states; 1.6 to 2.0 seen in JAX
_SUBSTEPS, _UP = "substeps", "up"
_BEFORE, _AFTER, _TIME = "before", "after", "time"


class Rolling(Tools, Protocol):
    """The tools of a backend that rolls out steps."""

    def repeat(self, step: Any, state: Arrays, n: int) -> Arrays:
        """Apply a step n times."""


class CorrectionObjective(OperatorObjective):
    """Relative squared error of a corrected coarse solver.

    A state is averaged onto coarse cells. Each of the `corrections` is a number of solver steps,
    the fewest that are stable, after which s ← s + Δt·N(s). Where the labels keep the means of the
    fields, N is the difference of what passes two faces, so that s keeps them too. At the end s is
    interpolated by cubics to the cells asked, and M(s) is added cell by cell. N and M begin as
    zero: training begins at the coarse solver.

    Precomputed are the states that the solver passes on the cells of the labels, averaged: N learns
    to lead from one of them, advanced by the coarse solver, to the next. With the coarse cells as
    fine as those there is nothing to learn from them, and the rollout is trained from the start.

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
        inputs, fields = 2 * len(self.fields) + len(self.features), len(self.fields)
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
        self._conservative = self._keeps_means()
        self._share = 0.0
        if s.channels and s.precomputed and self._ratio > 1 and self.scheme.cells is None:
            self._share = s.precomputed
            self._before, self._after = self._precompute()

    def labels(self, offered: int) -> int:
        """Return how many labelled instances to ask for; the solver alone learns from none."""
        return super().labels(offered) if self.settings.channels else 0

    def steps(self) -> int:
        """Return the number of steps where no budget is given; `steps` are the solver's."""
        return _STEPS

    def initial(self) -> dict[str, np.ndarray]:
        """Draw the weights."""
        rng = self._run.rng("weights")
        return self._network.initial(rng) | self._fill.initial(rng)

    def common(self, given: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Return the interpolation matrix, and the solver steps for each correction."""
        coarse = {**given, "start": _averages(given["start"], self._ratio)}
        return {_UP: self._up} | self._substeps(coarse, self.grid)

    def costs(self, data: Mapping[str, Any]) -> Mapping[str, int]:
        """Count the steps of the coarse solver, once for all that it advances at once."""
        if _BEFORE in data:
            return {}
        return {"solver_steps": self.frames * self._corrections * data[_SUBSTEPS]}

    # ---- the search --------------------------------------------------------------------------

    def next_stage(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> Stage | None:
        """Return one step of Adam on the next minibatch: precomputed states, then the rollout."""
        done, share = self._progress(memo), self._share
        if done >= 1.0:
            return None
        index = memo["stage"] = memo.get("stage", -1) + 1
        data = self.batch(self._chosen(index))
        if done < share:
            data |= {_BEFORE: self._before[:, :, self._chosen(index)]}
            data |= {_AFTER: self._after[:, :, self._chosen(index)]}
            rate = half_cosine(done / share)
        else:
            rate = half_cosine((done - share) / (1.0 - share)) * (_THROUGH if share else 1.0)
        leg = "precomputed" if _BEFORE in data else "rollout"
        goes_on, memo["leg"] = memo.get("leg") == leg, leg
        effort = _ROLLOUT if leg == "rollout" else 1.0
        arrays, static = split(data)
        return Stage(
            "adam", arrays, steps=1, keep=goes_on, costs=self.costs(data), leg=leg, effort=effort,
            static=static, rate=rate,
        )  # fmt: skip

    def loss(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return the mean squared relative error of the rollout or, before, of its parts."""
        if _BEFORE not in data:
            return super().loss(parameters, data)
        xp, target, size = array_namespace(data["target"]), data["target"], data[SIZE]
        spans, fields, count, cells = data[_BEFORE].shape
        states = xp.concat([data[_BEFORE][k] for k in range(spans)], axis=1)
        known = {name: xp.concat([data[name]] * spans) for name in self.features.names}
        found = self._corrected(parameters, states, known)
        error = xp.reshape(found, (fields, spans, count, cells))
        error = error - xp.permute_dims(data[_AFTER], (1, 0, 2, 3))
        apart = xp.mean(xp.sum(error * error, axis=(0, 1, 3)) / (size / self._ratio))
        shown = _averages(xp.reshape(target, (fields, self.frames, count, -1)), self._ratio)
        frames = [self._read(parameters, shown[:, k], data) for k in range(self.frames)]
        return apart + relative_squares(self._laid_out(frames), target, size)

    # ---- the corrected solver ----------------------------------------------------------------

    def answer(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Roll out, correct, and return the later frames on the cells asked."""
        coarse = _averages(data["start"], self._ratio)
        state: Arrays = {name: coarse[i] for i, name in enumerate(self.fields)}

        def advance(state: Arrays, k: Any) -> Arrays:
            state = self._march(state, data, self._start + k * self._span, self.grid)
            if not parameters:
                return state
            found = self._corrected(parameters, self._stacked(state), data)
            return {name: found[i] for i, name in enumerate(self.fields)}

        frames = []
        for frame in range(self.frames):
            first = frame * self._corrections

            def later(state: Arrays, k: Any, first: int = first) -> Arrays:
                return advance(state, first + k)

            state = self._repeat(later, state, self._corrections)
            frames.append(self._read(parameters, self._stacked(state), data))
        return self._laid_out(frames)

    def _march(self, state: Arrays, data: Mapping[str, Any], t: Any, grid: Grid) -> Arrays:
        """Advance states by the solver alone, by as much as lies between two corrections."""
        dt = self._span / data[_SUBSTEPS]
        known = {name: data[name][:, None] for name in self.features.names}

        def step(state: Arrays, j: Any) -> Arrays:
            return self.scheme.step(state, known, t + j * dt, dt, grid)

        return self._repeat(step, state, data[_SUBSTEPS])

    def _corrected(self, parameters: dict[str, Any], state: Any, data: Mapping[str, Any]) -> Any:
        """Correct states: (fields, instances, coarse cells), the same shape."""
        found = self._network(parameters, self._seen(state, data))
        if self._conservative:
            found = found - array_namespace(found).roll(found, 1, axis=-1)
        return state + self._span * self.features.scale * found

    def _seen(self, state: Any, data: Mapping[str, Any]) -> Any:
        """Return what the networks read: fields, coefficients, differences of the fields."""
        xp = array_namespace(state)
        steepness = xp.roll(state, -1, axis=-1) - xp.roll(state, 1, axis=-1)
        return xp.concat([self.features.channels(state, data), steepness / self.features.scale])

    def _read(self, parameters: dict[str, Any], state: Any, data: Mapping[str, Any]) -> Any:
        """Return the fields on the cells asked: (fields, instances, cells)."""
        xp = array_namespace(state)
        smooth = state @ data[_UP]
        if not parameters:
            return smooth
        detail = self._fill(parameters, self._seen(state, data))  # (fields·ratio, instances, …)
        fields, count, cells = state.shape
        detail = xp.reshape(detail, (fields, self._ratio, count, cells))
        detail = xp.reshape(xp.permute_dims(detail, (0, 2, 3, 1)), (fields, count, self.cells))
        return smooth + self.features.scale * detail

    def _stacked(self, state: Arrays) -> Any:
        values = [state[name] for name in self.fields]
        return array_namespace(values[0]).stack(values)

    def _laid_out(self, frames: list[Any]) -> Any:
        """Return frames, each (fields, instances, cells), as `target` is laid out."""
        xp = array_namespace(frames[0])
        return xp.reshape(xp.stack(frames, axis=1), (-1, *frames[0].shape[1:]))

    # ---- what is known before the search -----------------------------------------------------

    def _substeps(self, given: Mapping[str, np.ndarray], grid: Grid) -> dict[str, int]:
        """Return how many steps between corrections are stable for all instances."""
        limits = []
        for i in range(given["start"].shape[1]):
            state = {name: given["start"][j, i] for j, name in enumerate(self.fields)}
            known = {name: float(given[name][i]) for name in self.features.names}
            limits.append(self.scheme.max_dt(state, known, grid))
        limit = min(_COURANT * min(limits), 4.0 * self._span)
        return {_SUBSTEPS: max(1, ceil(self._span / limit))}

    def _keeps_means(self) -> bool:
        """Say whether the means of the fields stay what they are in all labelled instances."""
        means = [np.mean(values, axis=1) for values in self.training.fields.values()]
        return all(np.max(np.abs(m - m[:, :1])) < _KEPT * self.features.scale for m in means)

    def _precompute(self) -> tuple[np.ndarray, np.ndarray]:
        """Return states that the coarse solver has advanced by one span, and where they belong.

        Returns:
            Both (spans, fields, instances, coarse cells).
        """
        before, after, fine = [], [], self._inputs["start"]
        steps = self._substeps(self._inputs, self._grid_of(fine))
        for k in range(self.frames * self._corrections):
            common = {**self._inputs, _TIME: np.asarray(self._start + k * self._span)}
            averages = _averages(fine, self._ratio)
            coarse = common | self._common | {"start": averages}
            before.append(self._tools.evaluate(self._advanced, {}, *split(coarse)))
            finely = common | steps | {"start": fine}
            fine = self._tools.evaluate(self._advanced, {}, *split(finely))
            after.append(_averages(fine, self._ratio))
        return np.stack(before), np.stack(after)

    def _advanced(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Advance states (fields, instances, cells) on whatever cells they have."""
        state = {name: data["start"][i] for i, name in enumerate(self.fields)}
        return self._stacked(self._march(state, data, data[_TIME], self._grid_of(data["start"])))

    def _grid_of(self, states: Any) -> Grid:
        """Return the grid of states (…, cells)."""
        return self.domain.grid(states.shape[-1])


def _averages(values: Any, ratio: int) -> Any:
    """Average groups of neighbouring cells along the last axis."""
    xp = array_namespace(values)
    return xp.mean(xp.reshape(values, (*values.shape[:-1], -1, ratio)), axis=-1)


def solve(view: View, run: Run, tools: Rolling) -> Solution:
    """Train the corrections; without a network, return the coarse solver alone."""
    with run.phase("data"):
        objective = CorrectionObjective(view, run, tools)
    if run.config.channels:
        return train(run, objective, tools)
    solution = objective.solution({}, {})
    run.report(0, None, lambda: solution)
    return solution
