"""Share: the part of a run's budget that one of several trainings may take."""

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from pdebench_lite.errors import DivergedError
from pdebench_lite.problem.solution import Solution
from pdebench_lite.store.checkpoints import Checkpoint


class Share:
    """Stands for the run in a training that answers a query, where the harness holds the clock.

    It counts steps and time of its own and saves no checkpoint.

    Attributes:
        config: the method's settings.
        steps, evaluations: as last reported.
        restored, save_due: there are no checkpoints.
    """

    restored: Checkpoint | None = None
    save_due = False

    def __init__(
        self,
        config: Any,
        seconds: float,
        max_steps: int | None,
        alive: Callable[[], object] = lambda: None,
    ) -> None:
        """Begin now.

        Args:
            config: the method's settings.
            seconds: how long the training may take; infinite for no limit.
            max_steps: limit of steps, or None.
            alive: told of every report: a query of many long trainings is not silent.
        """
        self.config, self._alive = config, alive
        self.steps = self.evaluations = 0
        self._began, self._seconds, self._max_steps = time.perf_counter(), seconds, max_steps

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Account nothing: the harness times the answer as a whole."""
        return nullcontext()

    @property
    def spent(self) -> float:
        """Seconds since the beginning."""
        return time.perf_counter() - self._began

    @property
    def time_left(self) -> float:
        """Seconds left; infinite without a limit."""
        return self._seconds - self.spent

    @property
    def steps_until_due(self) -> int:
        """Steps before the next report: few at first, so that a slow training stops in time."""
        due = max(1, self.steps)
        return due if self._max_steps is None else max(1, min(due, self._max_steps - self.steps))

    def caught_up(self) -> None:
        """Nothing was to be done again."""

    def save(self, arrays: Mapping[str, Any], meta: Mapping[str, Any]) -> None:
        """Keep nothing; it is never due."""

    def count(self, **amounts: int) -> None:
        """Count nothing: costs are those of what was learned before the query."""

    def report(
        self,
        step: int,
        loss: Any,
        candidate: Callable[[], Solution],
        evaluations: int | None = None,
    ) -> bool:
        """Take note of a step; returns whether to stop now.

        Raises:
            DivergedError: the loss is not finite.
        """
        self.steps, self.evaluations = step, step if evaluations is None else evaluations
        self._alive()
        if isinstance(loss, float) and not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} at step {step}")
        full = self._max_steps is not None and step >= self._max_steps
        return full or self.time_left <= 0
