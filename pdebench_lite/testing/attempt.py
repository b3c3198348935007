"""Running a method on a task in this very process: for tests, and for a debugger."""

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pdebench_lite.measure.clock import Clock
from pdebench_lite.measure.memory import MemoryMeter
from pdebench_lite.problem import Arrays, Task
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.run import Journal, Judge, Run
from pdebench_lite.runner.streams import data_stream
from pdebench_lite.runner.study import make_cell
from pdebench_lite.store.cell import Budget, Dtype
from pdebench_lite.tasks import FieldTask


@dataclass(frozen=True)
class Attempt:
    """What came out of a run in this process.

    Attributes:
        solution: what the method returned.
        metrics: the scores on the final grid, as the runner computes them.
        sees: what the method took from its view.
        steps: steps that it reported.
    """

    solution: Solution
    metrics: Mapping[str, float | None]
    sees: Mapping[str, int | bool]
    steps: int


def attempt(
    known: Registry,
    problem: str,
    method: str,
    backend: str,
    max_steps: int,
    seed: int = 0,
    dtype: Dtype = "float64",
) -> Attempt:
    """Run one cell here, without a child process; views, streams and scores are the runner's own.

    Args:
        known: where names are looked up.
        problem: selector of the problem.
        method: selector of the method.
        backend: one of the method's backends; it is used with the settings that this process has.
        max_steps: limit of steps.
        seed: as in `--seed`.
        dtype: floating-point type of the training.

    Raises:
        PdebenchError: a name is unknown, or the method cannot do the task.
        DivergedError: a number is not finite.
    """
    task = known.task(problem)
    chosen, config = known.configured(method)
    cell = make_cell(task, chosen, config, backend, seed, Budget(max_steps=max_steps), dtype)
    module, _, function = chosen.solvers[backend].partition(":")
    solve = getattr(importlib.import_module(module), function)
    streams = data_stream(cell)
    view = View(task, streams)
    judge = Judge(task, known.metrics_for(task), task.observations(streams("observations")))
    clock = Clock()
    run = Run(cell, judge, config, "cpu", clock, MemoryMeter(), _Silence())
    with clock.phase("train"):
        solution = solve(view, run)
    run.finish(solution)
    metrics = judge.score(task.evaluate(solution, "final", judge.observations))
    return Attempt(solution, metrics, view.sees, run.steps)


class _Silence(Journal):
    """A journal that nobody follows."""

    def __init__(self) -> None: ...

    def write(self, kind: str, **values: Any) -> None:
        """Write nothing."""


def true_solution(task: FieldTask) -> Solution:
    """Return the reference of a task as if a method had found it, unknowns included."""
    return Solution(
        predict=task.reference.evaluate,
        unknowns={u.name: _truth(task, u.name, u.field) for u in task.unknowns},
    )


def _truth(task: Task, name: str, field: str) -> Callable[[Arrays], np.ndarray]:
    """Return a true unknown: the initial state of `field`, or the coefficient `name`."""
    if field:
        return lambda points: np.asarray(task.problem.initial_state(points)[field])
    value: Any = task.problem.coefficient_values()[name]
    return lambda points: np.asarray(value(points) if callable(value) else value)
