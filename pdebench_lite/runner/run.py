"""Run: what a method holds while it works: phases, reports, random streams, limits."""

import json
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pdebench_lite.errors import DivergedError
from pdebench_lite.measure.clock import CHARGED, Clock, Phase
from pdebench_lite.measure.energy import EnergyMeter
from pdebench_lite.measure.memory import MemoryMeter
from pdebench_lite.measure.steal import StealMeter
from pdebench_lite.metrics import Metric, trivial_error
from pdebench_lite.problem import Observation, Task
from pdebench_lite.problem.solution import Solution
from pdebench_lite.runner.streams import method_stream
from pdebench_lite.runner.waiting import WaitMeter
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.checkpoints import Checkpoint, write_checkpoint

_PROGRESS_EVERY = 0.25  # seconds between lines for the progress bar
_CLOCK_EVERY = 0.05  # seconds between readings of the clock, each of which waits for the device
_ENERGY_EVERY = 60.0  # seconds between readings of counters of energy, which start again in time
_SAVE_EVERY = float(os.environ.get("PDEBENCH_SAVE_EVERY", "5"))  # seconds between checkpoints,
_SAVE_SHARE = 0.01  # or more, so that saving takes no more than this share of the time
_EVALUATION_RATIO = 1.1  # evaluations at steps that grow by a tenth: some 100 per 10,000 steps
_EVALUATION_SHARE = 0.25  # of a limit of time: what they may take beyond what was charged so far


class Journal:
    """The stream of events from the child to its parent, one JSON object a line."""

    folder: Path | None = None  # where checkpoints go; None keeps none

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        self._file = path.open("a", buffering=1, encoding="utf-8")

    def write(self, kind: str, **values: Any) -> None:
        """Append one event; numbers that are not finite become null."""
        self._file.write(
            json.dumps({"kind": kind, **{k: _plain(v) for k, v in values.items()}}) + "\n"
        )


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


@dataclass(frozen=True)
class Judge:
    """What scores a solution: the task with its truth, the metrics, the observations."""

    task: Task
    metrics: list[Metric]
    observations: tuple[Observation, ...]

    def score(self, evaluation: Any) -> dict[str, float | None]:
        """Compute every metric of an evaluation.

        Raises:
            DivergedError: a metric is not finite.
        """
        return {m.name: _value(m, evaluation) for m in self.metrics}

    def trivial_error(self, evaluation: Any) -> float | None:
        """Return the headline error of an answer that knows nothing; None where it has none."""
        headline = [m for m in self.metrics if m.name in self.task.ranked[:1] and not m.machine]
        return trivial_error(evaluation, headline[0]) if headline else None

    def ranked_only(self) -> "Judge":
        """Return a judge of the ranked metrics alone, for an answer that is not worth more time."""
        ranked = self.task.ranked
        return replace(self, metrics=[m for m in self.metrics if m.name in ranked])

    def watch(self, solution: Solution) -> dict[str, float | None]:
        """Compute the ranked metrics of a solution on the coarser grid of the history."""
        evaluation = self.task.evaluate(solution, "history", self.observations)
        ranked = [m for m in self.metrics if m.name in self.task.ranked]
        return {m.name: _value(m, evaluation) for m in ranked}


def _value(metric: Metric, evaluation: Any) -> float | None:
    computed = metric.compute(evaluation)
    if computed is None:
        return None
    value = float(computed)
    if not math.isfinite(value):
        raise DivergedError(f"the metric {metric.name} is {value}")
    return value


class Run:
    """One run of one method on one cell.

    Attributes:
        config: the method's settings, as its own model.
        backend, device, dtype, seed: as in the cell; `device` is `cpu` or `cuda:N`.
        max_steps: the largest number of steps allowed, or None; methods may plan with it.
        steps, evaluations: as last reported.
        budget_ended: whether the last report said stop because time or steps were spent.
        costs: what does not depend on the machine, as counted by `count`.
    """

    def __init__(
        self,
        cell: Cell,
        judge: Judge,
        config: Any,
        device: str,
        clock: Clock,
        memory: MemoryMeter,
        journal: Journal,
        restored: Checkpoint | None = None,
        energy: EnergyMeter | None = None,
    ) -> None:
        self.config = config
        self.backend = cell.backend
        self.device = device
        self.dtype = cell.dtype
        self.seed = cell.seed
        self.max_steps = cell.budget.max_steps
        self.steps = 0
        self.evaluations = 0
        self.budget_ended = False
        self.target_reached: bool | None = None if cell.budget.target_error is None else False
        self._cell, self._judge = cell, judge
        self._clock, self._memory, self._journal = clock, memory, journal
        self._energy = energy or EnergyMeter(())
        self._stream = method_stream(cell)
        self._next_evaluation = 0
        self._last_reading = self._last_progress = self._last_sample = 0.0
        self._evaluated = -1
        self._errors: dict[str, float | None] = {}
        self._loss: float | None = None
        self._saved, self._save_cost = time.perf_counter(), 0.0
        self.costs: Counter[str] = Counter()
        self._rows: list[dict[str, Any]] = []
        self._checkpoint, self._taken_up = restored, False

    @property
    def restored(self) -> Checkpoint | None:
        """The checkpoint from which a killed cell goes on, or None.

        Reading it sets counters, clock and history to where they were; a method that saves
        checkpoints reads it before its first report. Data and compilation are not charged again
        from then on, until `caught_up` or a report.
        """
        if self._checkpoint is not None and not self._taken_up:
            self._take_up(self._checkpoint)
            self._taken_up = True
        return self._checkpoint

    def _take_up(self, checkpoint: Checkpoint) -> None:
        """Set counters, clock, schedule and memory to where the checkpoint was made."""
        was = checkpoint.harness
        self.steps, self.evaluations = was["steps"], was["evaluations"]
        self._next_evaluation, self._evaluated = was["next_evaluation"], was["evaluated"]
        self._errors, self._loss = dict(was["errors"]), was["loss"]
        self.target_reached = was["target_reached"]
        self.costs = Counter(was["costs"])
        self._clock.resume(was["spent"])
        self._memory.resume(was["peaks"])
        self._rows = list(was["rows"])
        self._journal.write("resumed", spent=dict(self._clock.spent), rows=self._rows)

    def caught_up(self) -> None:
        """Say that all is again as it was when the checkpoint was made; a report says so too."""
        self._clock.caught_up()

    def phase(self, name: Literal["data", "compile", "train"]) -> AbstractContextManager[None]:
        """Account a block to a phase; what a method does outside any phase counts as training."""
        if name not in ("data", "compile", "train"):
            raise ValueError(f"a method has the phases data, compile, train, not '{name}'")
        return self._clock.phase(name)

    def rng(self, purpose: str = "") -> np.random.Generator:
        """Return a generator of the method's stream, the same for every backend."""
        return self._stream(purpose)

    @property
    def time_left(self) -> float:
        """Charged seconds left, as of the last reading of the clock; infinite without a limit."""
        limit = self._cell.budget.max_time
        return math.inf if limit is None else limit - self._clock.charged

    @property
    def steps_until_due(self) -> int:
        """Steps that may be taken before a report is needed: for an evaluation, or the limit."""
        due = max(1, self._next_evaluation - self.steps)
        return due if self.max_steps is None else max(1, min(due, self.max_steps - self.steps))

    def count(self, **amounts: int) -> None:
        """Count what a method did, for costs that do not depend on the machine.

        Args:
            amounts: such as `residual_points`, `solver_steps`, `gradients`.
        """
        self.costs.update(amounts)

    @property
    def save_due(self) -> bool:
        """Whether it is time for a checkpoint; asked at step boundaries, after a report."""
        if self._journal.folder is None:
            return False
        pause = max(_SAVE_EVERY, self._save_cost / _SAVE_SHARE)
        return not _SAVE_EVERY or time.perf_counter() - self._saved > pause

    def save(self, arrays: Mapping[str, np.ndarray], meta: Mapping[str, Any]) -> None:
        """Write a checkpoint from which the cell can go on after a kill; not charged.

        Saving changes no number: a run that went on from here ends, under `max_steps`, where an
        unbroken one ends.

        Args:
            arrays: everything that changes: parameters, optimiser state, points.
            meta: JSON values, such as the stage of the training.
        """
        began, folder = time.perf_counter(), self._journal.folder
        if folder is None:
            return
        with self._clock.phase("evaluate"):
            harness = {
                "steps": self.steps,
                "evaluations": self.evaluations,
                "next_evaluation": self._next_evaluation,
                "evaluated": self._evaluated,
                "errors": self._errors,
                "loss": self._loss,
                "target_reached": self.target_reached,
                "costs": dict(self.costs),
                "spent": dict(self._clock.spent),
                "peaks": self._memory.peaks,
                "rows": self._rows,
            }
            write_checkpoint(folder, Checkpoint(arrays, meta, harness))
        self._saved = time.perf_counter()
        self._save_cost = self._saved - began

    def report(
        self,
        step: int,
        loss: Any,
        candidate: Callable[[], Solution],
        evaluations: int | None = None,
    ) -> bool:
        """Report a step; returns whether to stop now.

        Args:
            step: accepted parameter updates so far; the start is step 0.
            loss: number or device scalar, read only when an evaluation is due; None if unknown.
            candidate: returns the solution as of now; called only when an evaluation is due.
            evaluations: value-and-gradient (or time-step) calls so far; by default the steps.

        Raises:
            DivergedError: the loss or the solution is not finite.
        """
        self._clock.caught_up()
        self.steps = step = int(step)
        self.evaluations = step if evaluations is None else int(evaluations)
        if isinstance(loss, float) and not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} at step {step}")
        due = step >= self._next_evaluation
        if due and not self._may_evaluate:
            due, self._next_evaluation = False, self._after(step)
        now = time.perf_counter()
        if due or now - self._last_reading > _CLOCK_EVERY:
            self._clock.read()
            self._last_reading = now
            if due:
                self._evaluate(None if loss is None else float(loss), candidate)
            elif now - self._last_progress > _PROGRESS_EVERY:
                self._tell()
            if now - self._last_sample > _ENERGY_EVERY:
                self._last_sample = now
                self._energy.sample()
        limit = self._cell.budget.max_time
        self.budget_ended = (limit is not None and self._clock.charged >= limit) or (
            self.max_steps is not None and step >= self.max_steps
        )
        return self.budget_ended or bool(self.target_reached)

    @property
    def _may_evaluate(self) -> bool:
        """Whether there is time for another evaluation, so that they end soon after the budget."""
        limit = self._cell.budget.max_time
        spent = self._clock.spent["evaluate"]
        return limit is None or spent <= self._clock.charged + _EVALUATION_SHARE * limit

    def _after(self, step: int) -> int:
        """Return the step of the evaluation after this one."""
        return max(step + 1, math.ceil(step * _EVALUATION_RATIO))

    def _evaluate(self, loss: float | None, candidate: Callable[[], Solution]) -> None:
        step = self.steps
        self._next_evaluation = self._after(step)
        self._evaluated = step
        self._loss = loss
        if loss is not None and not math.isfinite(loss):
            raise DivergedError(f"the loss is {loss} at step {step}")
        # All that follows is in the phase `evaluate`: the harness's own work is not charged.
        with self._clock.phase("evaluate"):
            try:
                errors = self._judge.watch(candidate())
            except DivergedError as error:
                raise DivergedError(f"{error} at step {step}") from None
            self._errors = errors
            row = {
                "step": step,
                "evaluations": self.evaluations,
                "charged_s": self._clock.charged,
                "loss": loss,
                "peak_host_mb": self._memory.peak_mb("train"),
                **self.costs,
                **errors,
            }
            self._rows.append(row)
            self._journal.write("history", **row)
            self._tell()
        target = self._cell.budget.target_error
        headline = errors.get(self._judge.task.ranked[0])
        if target is not None and headline is not None and headline <= target:
            self.target_reached = True

    def _tell(self) -> None:
        """Write how far the run is, for the progress bar."""
        self._last_progress = time.perf_counter()
        spent = self._clock.charged
        self._journal.write(
            "progress", step=self.steps, charged_s=spent, loss=self._loss, **self._errors
        )

    def finish(self, solution: Solution) -> None:
        """Add the last state to the history, unless it is there already."""
        if self._evaluated != self.steps:
            self._evaluate(None, lambda: solution)


def phase_hook(
    memory: MemoryMeter,
    journal: Journal,
    energy: EnergyMeter,
    steal: StealMeter,
    waiting: WaitMeter,
) -> Callable[[Phase], None]:
    """Return what the clock calls when the phase changes."""

    def changed(phase: Phase) -> None:
        memory.enter(phase)
        if phase in CHARGED:
            energy.start()
            steal.start()
            waiting.start()
        else:
            energy.stop()
            steal.stop()
            waiting.stop()
        shares = {"steal": steal.share, "waited": waiting.share}
        journal.write("phase", name=phase, wall=time.monotonic(), **shares)

    return changed
