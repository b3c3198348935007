"""Objective of the methods that learn a solution operator from labelled instances."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from math import cos, inf, pi
from typing import Any

import numpy as np

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem.observations import ROUNDING, floored
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_lite.tasks import Ensemble
from pdebench_methods.training import Stage, Tools, split

SIZE = "size"
"""Name in the data of the squared norms that errors are relative to."""

_CHUNK = 32  # instances that are answered at once; one shape, so that it is compiled once


class OperatorObjective(ABC):
    """Mean over instances of ‖answer − truth‖²/‖truth‖², all fields and later frames together.

    What the loss reads, `data`: `start` (fields, instances, cells); a coefficient by its name,
    (instances,); `target` (fields·frames, instances, cells), the frames of a field together;
    `SIZE`, ‖truth‖² of each instance, (instances,), not below the floor of `scales`.
    """

    def __init__(self, view: View, run: Run, tools: Tools) -> None:
        self.settings, self._run, self._tools = run.config, run, tools
        count = self.labels(view.instances)
        labels = view.labels(count) if count else view.blank()
        self.training = Ensemble.gather(labels, view.domain, view.fields)
        run.count(labelled_instances=count)
        self.fields, self.domain = view.fields, view.domain
        self.space, self.clock = view.domain.space[0].name, view.domain.names[-1]
        self.cells = self.training.axes[self.space].size
        self.frames = self.training.axes[self.clock].size - 1
        self._inputs = self._given(self.training.query())
        later = [np.moveaxis(self.training.later()[f], -1, 0) for f in self.fields]
        self._target = np.concatenate(later)  # (fields·frames, instances, cells)
        self._size = _sizes(self._inputs["start"], self._target)

    def labels(self, offered: int) -> int:
        """Return how many of the labelled instances to ask for; 0: names and shapes will do."""
        return self.settings.instances or offered

    def _given(self, query: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        start = np.stack([query[name] for name in self.fields])
        return {"start": start, **{c: query[c] for c in self.training.coefficients}}

    def steps(self) -> int:
        """Return the number of steps where no budget is given."""
        return self.settings.steps

    @abstractmethod
    def initial(self) -> dict[str, np.ndarray]:
        """Draw the parameters to start from."""

    @abstractmethod
    def answer(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return the later frames, laid out as `target` is."""

    def common(self, given: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Return what else `answer` reads, the same for all instances that are given.

        NumPy arrays, and Python values, which are static.
        """
        return {}

    def costs(self, data: Mapping[str, Any]) -> Mapping[str, int]:
        """Return what one evaluation of the loss costs, as `Run.count` takes it."""
        return {}

    def loss(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return the mean squared relative error."""
        return relative_squares(self.answer(parameters, data), data["target"], data[SIZE])

    # ---- the search --------------------------------------------------------------------------

    def next_stage(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> Stage | None:
        """Return one step of Adam on the next minibatch, at the rate of the hour."""
        done = self._progress(memo)
        if done >= 1.0:
            return None
        index = memo["stage"] = memo.get("stage", -1) + 1
        inputs = self.batch(self._chosen(index))
        data, static = split(inputs)
        costs, rate = self.costs(inputs), half_cosine(done)
        return Stage("adam", data, steps=1, keep=True, costs=costs, static=static, rate=rate)

    def batch(self, chosen: np.ndarray) -> dict[str, Any]:
        """Return what the loss reads of some training instances, given by their indices."""
        data = _some(self._inputs, chosen) | {"target": self._target[:, chosen]}
        data |= {SIZE: self._size[chosen]}
        return data | self._common

    @cached_property
    def _common(self) -> dict[str, Any]:
        return self.common(self._inputs)

    def _chosen(self, index: int) -> np.ndarray:
        """Return the instances of a minibatch: every epoch goes through all in a new order."""
        size = min(self.settings.batch, self.training.size)
        epoch, place = divmod(index, self.training.size // size)
        order = self._run.rng(f"epoch{epoch}").permutation(self.training.size)
        return order[place * size : (place + 1) * size]

    def _progress(self, memo: dict[str, Any]) -> float:
        """Return the share of the budget that is spent; with a limit of steps alone, no clock."""
        run, spent = self._run, 0.0
        if run.max_steps is not None:
            spent = run.steps / run.max_steps
        if run.time_left < inf:
            whole = memo.setdefault("seconds", run.time_left)
            spent = max(spent, 1.0 - run.time_left / whole if whole > 0 else 1.0)
        elif run.max_steps is None:
            spent = run.steps / self.steps()
        return min(1.0, spent)

    # ---- the solution ------------------------------------------------------------------------

    def solution(self, parameters: dict[str, np.ndarray], memo: Mapping[str, Any]) -> Solution:
        """Return the trained operator."""

        def predict(query: dict[str, Any]) -> dict[str, np.ndarray]:
            given = self._given(query)
            count, common = given["start"].shape[1], self.common(given)
            parts = []
            for first in range(0, count, _CHUNK):
                chosen = np.minimum(np.arange(first, first + _CHUNK), count - 1)
                part = _some(given, chosen) | common
                parts.append(self._tools.evaluate(self.answer, parameters, *split(part)))
            whole = np.concatenate(parts, axis=1)[:, :count].astype(np.float64)
            frames = whole.reshape(len(self.fields), self.frames, count, self.cells)
            return {name: np.moveaxis(frames[i], 0, -1) for i, name in enumerate(self.fields)}

        return Solution(
            predict=predict,
            weights=parameters,
            parameters=sum(int(np.size(values)) for values in parameters.values()),
        )


def relative_squares(found: Any, truth: Any, size: Any) -> Any:
    """Return the mean over instances of ‖found − truth‖²/size, arrays (…, instances, cells)."""
    xp, rest = array_namespace(found), (*range(found.ndim - 2), found.ndim - 1)
    error = found - truth
    return xp.mean(xp.sum(error * error, axis=rest) / size)


def _sizes(start: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the squared norms of targets (…, instances, cells), as many as there are instances.

    The floor is that of `scales`; the size of an instance is that of its start or its target. An
    instance that is zero everywhere has the size of the others.
    """
    squares = [np.mean(np.square(v), axis=(0, 2)) for v in (start, target)]
    whole = np.maximum(*squares)
    others = float(np.max(whole)) or 1.0
    whole = np.where(whole > ROUNDING**2 * others, whole, others)
    return floored(squares[1], whole) * (target.size / target.shape[1])


def half_cosine(done: float) -> float:
    """Return the factor on a learning rate; Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5.

    Args:
        done: share of the budget that is spent, 0 to 1.
    """
    return 0.5 * (1.0 + cos(pi * done))


def _some(given: Mapping[str, np.ndarray], chosen: np.ndarray) -> dict[str, np.ndarray]:
    return {k: v[:, chosen] if k == "start" else v[chosen] for k, v in given.items()}


class Features:
    """What a network reads of an instance, in units of the training set.

    Args:
        training: the training set.
        fields: names of the fields.
    """

    def __init__(self, training: Ensemble, fields: tuple[str, ...]) -> None:
        self.names = tuple(training.coefficients)
        starts = [training.fields[f][..., 0] for f in fields]
        everything = float(np.mean([np.mean(np.square(training.fields[f])) for f in fields]))
        self.scale = float(np.sqrt(floored(np.mean(np.square(starts)), everything))) or 1.0
        self._logarithmic = {c: bool(np.all(v > 0)) for c, v in training.coefficients.items()}
        self._units = {}
        for name, values in training.coefficients.items():
            seen = np.log(values) if self._logarithmic[name] else values
            self._units[name] = float(np.mean(seen)), float(np.std(seen)) or 1.0

    def __len__(self) -> int:
        return len(self.names)

    def of(self, data: Mapping[str, Any]) -> list[Any]:
        """Return the coefficients, each (instances,), centred; logarithms of positive ones."""
        found = []
        for name in self.names:
            middle, width = self._units[name]
            value = data[name]
            value = array_namespace(value).log(value) if self._logarithmic[name] else value
            found.append((value - middle) / width)
        return found

    def channels(self, state: Any, data: Mapping[str, Any]) -> Any:
        """Return states and coefficients as channels: (fields + coefficients, instances, cells).

        Args:
            state: (fields, instances, cells).
            data: holds the coefficients.
        """
        xp = array_namespace(state)
        ones = xp.ones_like(state[:1])
        extra = [ones * value[None, :, None] for value in self.of(data)]
        return xp.concat([state / self.scale, *extra])
