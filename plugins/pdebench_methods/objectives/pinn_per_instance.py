"""`pinn` on a family: a network is trained for each instance of a query, when it is asked.

Nothing is learned before: a family's equation is known, its initial states and coefficients come
with the query, and no label is taken. So a training is part of the answer, and its time is time
per instance.
"""

from collections.abc import Mapping
from dataclasses import replace
from math import factorial, isfinite
from typing import Any

import numpy as np

from pdebench_lite.numerics import jets, wavenumbers
from pdebench_lite.problem import Arrays, split_derivative
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.objectives.pinn import PinnObjective
from pdebench_methods.share import Share
from pdebench_methods.solutions import network_solution
from pdebench_methods.training import Tools, train

STEPS = 300
"""Steps for each instance where no budget is given."""

_ROUNDING = 1e-14  # of the largest mode: smaller ones are rounding errors of the state


class InstanceObjective(PinnObjective):
    """The loss of `pinn` for one instance at a time, which `pose` chooses.

    The initial state is the trigonometric interpolant of its values at cell centres. Under hard
    constraints the field is u₀(x) + (t − t₀)·N(x, t); u₀ and its derivatives are computed once at
    the collocation points. All that differs between instances is data of the loss, so that one
    compiled program serves them all.
    """

    def __init__(self, view: View, run: Run, tools: Tools) -> None:
        super().__init__(view, run, tools)
        (self.space,), self.clock = view.domain.space, view.domain.time
        needs = map(split_derivative, self.equation.needs)
        words = [(base, suffix) for base, suffix in needs if base in view.fields]
        known = [n for n in self.equation.needs if split_derivative(n)[0] not in view.fields]
        self.coefficients = known
        self._coefficient_keys = [f"/{name}" for name in known]
        self.equation = replace(self.equation, known={n: _given(f"/{n}") for n in known})
        self._orders = 1 + max(suffix.count(self.space.name) for _, suffix in words)
        self.hard = self.settings.constraints == "hard"
        self.ansatz = self._from_the_start if self.hard else None
        self._fixed = self._data
        self._start: dict[str, np.ndarray] = {}
        self._numbers: dict[str, np.ndarray] = {}

    def pose(
        self, run: Share, start: Mapping[str, np.ndarray], coefficients: Mapping[str, float]
    ) -> None:
        """Choose the instance.

        Args:
            run: its part of the budget, whose time left is what counts.
            start: field -> its values at the centres of equal cells, (cells,).
            coefficients: name -> number.
        """
        self._run = run
        self._start = {name: np.asarray(values, float) for name, values in start.items()}
        self._numbers = {f"residual/{k}": np.asarray(v) for k, v in coefficients.items()}
        self._data = {**self._fixed, **self.known_at(self._fixed)}
        if not self.hard:
            assert self.clock is not None, "an initial state belongs to a problem with time"
            x = self._stream("start").uniform(self.space.lower, self.space.upper, self._sides)
            self._data[f"initial:{self.space.name}"] = x
            self._data[f"initial:{self.clock.name}"] = np.full(x.size, self.clock.lower)
            for name, values in self._start.items():
                self._data[f"initial={name}"] = self._derivatives_of(values, x, 1)[0]

    @property
    def _sides(self) -> int:
        return self.settings.side_points

    def initial(self) -> dict[str, np.ndarray]:
        """Draw the weights; the same ones for every instance."""
        return self.model.initial(self._stream("weights"))

    def known_at(self, points: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the coefficients, and under hard constraints u₀ and its x-derivatives."""
        if not self.hard:
            return dict(self._numbers)
        x, found = points[f"residual:{self.space.name}"], dict(self._numbers)
        for name, values in self._start.items():
            rows = self._derivatives_of(values, x, self._orders)
            found |= {f"residual/{name}:{n}": row for n, row in enumerate(rows)}
        return found

    def _derivatives_of(self, values: np.ndarray, x: np.ndarray, orders: int) -> list[np.ndarray]:
        """Return the interpolant of values at cell centres and its first derivatives at points."""
        grid = self.domain.grid(values.size)
        modes, k = np.fft.rfft(values) / values.size, wavenumbers(grid, like=values)
        modes[1:] *= 2.0  # each stands for its conjugate too
        if values.size % 2 == 0:
            modes[-1] = 0.0  # the saw-tooth has no slope on its grid
        kept = np.abs(modes) > _ROUNDING * np.max(np.abs(modes))
        waves = np.exp(1j * np.multiply.outer(x - grid.centres()[0], k[kept]))
        return [(waves @ ((1j * k[kept]) ** n * modes[kept])).real for n in range(orders)]

    def _from_the_start(self, outputs: Arrays, points: Arrays) -> Arrays:
        """u₀(x) + (t − t₀)·N(x, t), with u₀ as it was put next to the points."""
        assert self.clock is not None
        since = points[self.clock.name] - self.clock.lower
        return {name: points[f"/{name}:0"] + since * outputs[name] for name in outputs}

    def variables(self, space: jets.Space, points: Arrays) -> Arrays:
        """Seed the coordinates; initial states are jets whose coefficients are known."""
        at: Arrays = jets.variables(space, {a: points[a] for a in self.domain.names})
        at |= {name: values for name, values in points.items() if name in self._coefficient_keys}
        for name in self.model.fields if self.hard else ():
            known = {}
            for n in range(self._orders):
                word = self.space.name * n
                known[space.index(word)] = points[f"/{name}:{n}"] / float(factorial(n))
            at[f"/{name}:0"] = jets.Jet(space, known)
        return at

    def solution(self, parameters: dict[str, np.ndarray], memo: Mapping[str, Any]) -> Solution:
        """Return the field of this instance, as a function of points on the cells that it has."""
        raw, start = network_solution(self.model, parameters, self._tools, None), self._start
        if not self.hard:
            return raw

        def predict(points: dict[str, Any]) -> dict[str, np.ndarray]:
            x = np.asarray(points[self.space.name])
            given = {f"/{k}:0": self._derivatives_of(v, x, 1)[0] for k, v in start.items()}
            return self._from_the_start(raw.predict(points), {**points, **given})

        return replace(raw, predict=predict)


def _given(name: str) -> Any:
    """Return what reads a number next to points, where a part of the loss has it."""
    return lambda points: points.get(name)


def solve(view: View, run: Run, tools: Tools) -> Solution:
    """Prepare; then train for each instance of a query, which share its time equally.

    A query may take what the budget leaves after compilation; a limit of steps holds for each
    instance. Every instance is answered. The details say how many of the last query there were,
    and how many steps and seconds each was given.
    """
    with run.phase("data"):
        objective = InstanceObjective(view, run, tools)
    with run.phase("compile"):
        cells, once = np.zeros(16), Share(run.config, np.inf, 1)
        objective.pose(
            once, dict.fromkeys(view.fields, cells), dict.fromkeys(objective.coefficients, 1.0)
        )
        train(once, objective, tools)
    answers = _Answers(view, run, objective, tools)
    parameters = sum(int(np.size(values)) for values in objective.initial().values())
    solution = Solution(answers.predict, parameters=parameters, details=answers.told)
    run.report(0, None, lambda: solution)
    return solution


class _Answers:
    """What is done for a query."""

    def __init__(self, view: View, run: Run, objective: InstanceObjective, tools: Tools):
        assert view.domain.time is not None, "a family has times"
        self._run, self._objective, self._tools = run, objective, tools
        self._space, self._clock = view.domain.space[0].name, view.domain.time.name
        self._fields = view.fields
        self._seconds = run.time_left
        self._steps = run.max_steps
        if self._steps is None and not isfinite(self._seconds):
            self._steps = STEPS
        self.told: dict[str, Any] = {}

    def _sign_of_life(self) -> None:
        self._run.report(0, None, lambda: Solution(self.predict))

    def predict(self, query: dict[str, Any]) -> dict[str, np.ndarray]:
        """Return the fields at the times asked: name -> (instances, cells, frames)."""
        x, t = np.asarray(query[self._space]), np.asarray(query[self._clock])
        points = {self._space: np.repeat(x, t.size), self._clock: np.tile(t, x.size)}
        count = len(query[self._fields[0]])
        answer = {name: np.empty((count, x.size, t.size)) for name in self._fields}
        steps, spent = [], 0.0
        for i in range(count):
            left = (self._seconds - spent) / (count - i)
            share = Share(self._run.config, left, self._steps, self._sign_of_life)
            self._objective.pose(
                share,
                {name: query[name][i] for name in self._fields},
                {name: float(query[name][i]) for name in self._objective.coefficients},
            )
            found = train(share, self._objective, self._tools).predict(points)
            for name, values in found.items():
                answer[name][i] = values.reshape(x.size, t.size)
            steps.append(share.steps)
            spent += share.spent
        self.told |= {
            "instances": count,
            "median_steps": float(np.median(steps)),
            "fewest_steps": int(min(steps)),
            "seconds_each": spent / count,
        }
        return answer
