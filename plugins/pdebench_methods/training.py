"""The training loop that every backend shares: stages of an objective, an optimiser for each.

A backend brings its `Tools` (arrays, optimisers, rollouts); an objective brings the loss. The loop
is a generator that does at most `CHUNK` optimiser steps at a time, so that a plain `for` (JAX) and
Lightning's `training_step` (torch) drive the same code.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run
from pdebench_methods.settings import TrainingSettings

CHUNK = 100
_COMPILATIONS = 3.5  # a compiled L-BFGS step takes three to four times as long to make as Adam's
Data: TypeAlias = dict[str, Any]
Loss: TypeAlias = Callable[[dict[str, Any], Data], Any]


@dataclass(frozen=True)
class Stage:
    """One leg of a training: an optimiser, its data, and when to go on.

    Attributes:
        optimizer: `gd`, `adam` or `lbfgs`.
        data: NumPy arrays that the loss reads; shapes stay the same from stage to stage.
        steps: number of steps, or None for as many as the budget allows.
        tolerance: the stage ends when ten steps of `lbfgs` lower the loss by less than this
            fraction; 0 ends it only when the loss no longer falls at all.
    """

    optimizer: Literal["gd", "adam", "lbfgs"]
    data: dict[str, np.ndarray]
    steps: int | None = None
    tolerance: float = 0.0


class Objective(Protocol):
    """What is minimised, in array-API arithmetic."""

    def initial(self) -> dict[str, np.ndarray]:
        """Return the parameters to start from."""

    def loss(self, parameters: dict[str, Any], data: Data) -> Any:
        """Return the scalar loss; traced, compiled and differentiated by the backend."""

    def stages(self, current: Callable[[], dict[str, np.ndarray]]) -> Iterator[Stage]:
        """Yield the stages; `current()` returns the parameters as of now."""

    def solution(self, parameters: dict[str, np.ndarray]) -> Solution:
        """Return the solution that the parameters stand for."""


class Minimiser(Protocol):
    """An optimiser at work on one loss."""

    def advance(self, steps: int) -> tuple[Any, int, int]:
        """Do that many steps; returns loss (device scalar), steps done, evaluations done."""

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the parameters as of now."""


class Tools(Protocol):
    """What a backend brings."""

    def asarray(self, values: np.ndarray) -> Any:
        """Move an array to the device, in the dtype of the run."""

    def to_numpy(self, values: Any) -> np.ndarray:
        """Bring an array to the host."""

    def minimiser(
        self,
        optimizer: str,
        loss: Loss,
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
        learning_rate: float,
    ) -> Minimiser:
        """Make an optimiser and compile its first step."""

    def drive(self, chunks: Iterator[None]) -> None:
        """Exhaust the training loop."""


def two_stages(settings: TrainingSettings, data: dict[str, np.ndarray]) -> Iterator[Stage]:
    """Yield the stages of a plain training on fixed data."""
    for name in settings.optimizer.split("+"):
        last = settings.optimizer.endswith(name)
        yield Stage(name, data, None if last else settings.adam_steps)  # type: ignore[arg-type]


def train(run: Run, objective: Objective, tools: Tools) -> Solution:
    """Minimise an objective within the budget; returns the solution of the last state."""
    with run.phase("data"):
        start = objective.initial()
    loop = _Loop(run, objective, tools, start)
    with run.phase("train"):
        tools.drive(loop.chunks())
    solution = objective.solution(loop.parameters)
    return replace(solution, details={**solution.details, "ended": loop.ended})


class _Loop:
    def __init__(
        self, run: Run, objective: Objective, tools: Tools, start: dict[str, np.ndarray]
    ) -> None:
        self.run, self.objective, self.tools = run, objective, tools
        self._start = start
        self._minimiser: Minimiser | None = None
        self._pace = 0.0  # seconds per step, of the last chunk
        self.step = self.evaluations = 0
        self.ended = "budget"

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        return self._minimiser.parameters() if self._minimiser else self._start

    @property
    def _affordable(self) -> int:
        """Steps that fit in half of the time left, so that a slow objective stops in time.

        Without a time limit this is no limit: the chunks, and with them the counts of evaluations,
        are then the same in every run.
        """
        left = self.run.time_left
        if left == math.inf or self._pace == 0.0:
            return CHUNK
        return max(1, int(0.5 * left / self._pace))

    def _report(self, loss: Any | None) -> bool:
        candidate = lambda: self.objective.solution(self.parameters)  # noqa: E731
        return self.run.report(self.step, loss, candidate, self.evaluations)

    def chunks(self) -> Iterator[None]:
        """Do at most CHUNK steps per item, until the budget or the stages end."""
        if self._report(None):
            return
        longest, made = 0.0, set[str]()
        for stage in self.objective.stages(lambda: self.parameters):
            if stage.optimizer not in made and self.run.time_left < _COMPILATIONS * longest:
                self.ended = f"no time left to compile {stage.optimizer}"
                return
            made.add(stage.optimizer)
            begun = time.perf_counter()
            with self.run.phase("compile"):
                self._minimiser = self.tools.minimiser(
                    stage.optimizer,
                    self.objective.loss,
                    self.parameters,
                    stage.data,
                    self.run.config.learning_rate,
                )
            longest = max(longest, time.perf_counter() - begun)
            for stop in self._stage(stage, self._minimiser):
                if stop:
                    return
                yield
        self.ended = "converged"

    def _stage(self, stage: Stage, minimiser: Minimiser) -> Iterator[bool]:
        begun, marked, mark = self.step, self.step, float("inf")
        while stage.steps is None or self.step - begun < stage.steps:
            left = CHUNK if stage.steps is None else stage.steps - (self.step - begun)
            n = min(CHUNK, left, self.run.steps_until_due, self._affordable)
            before = time.perf_counter()
            loss, steps, evaluations = minimiser.advance(n)
            if stage.optimizer == "lbfgs" or not self._pace:
                float(loss)  # waits for the device: the pace below is a real one
            self._pace = (time.perf_counter() - before) / n
            self.step += steps
            self.evaluations += evaluations
            yield self._report(loss)
            if stage.optimizer == "lbfgs":
                if steps < n:
                    return  # the line search found no lower point
                if self.step - marked >= 10:
                    now = float(loss)
                    if not now < mark * (1.0 - stage.tolerance):
                        return
                    marked, mark = self.step, now
