from collections.abc import Callable
from contextlib import nullcontext
from importlib import import_module
from typing import Any

import pytest

from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator


class PlainRun:
    """A run without evaluations or journal, which says stop at one of its reports, if at all."""

    time_left = float("inf")
    max_steps = None
    seed = 0

    def __init__(self, config: Any, most: float = float("inf")) -> None:
        self.config, self.most = config, most
        self.reports: list[tuple[int, Any]] = []

    def phase(self, name: str) -> Any:
        return nullcontext()

    def rng(self, purpose: str = "") -> Any:
        return generator("plain", purpose)

    def count(self, **amounts: int) -> None: ...

    def report(self, step: int, loss: Any, candidate: Any, evaluations: int | None = None) -> bool:
        self.reports.append((step, loss))
        return len(self.reports) >= self.most


@pytest.fixture
def solved() -> Callable[..., tuple[Solution, dict[str, float | None]]]:
    """Return a function: (method, problem, names of metrics) -> solution, scores on a coarse grid.

    Without the runner and its evaluations, which take longer than these solvers. `most`: the report
    at which the run says stop.
    """

    def solve(
        method: str,
        problem: str,
        *names: str,
        purpose: Any = "history",
        most: float = float("inf"),
    ) -> Any:
        known = registry()
        task = known.task(problem)
        description, config = known.configured(method)
        module, _, function = description.solvers["numpy"].partition(":")
        view = View(task, lambda purpose: generator("plain", purpose))
        solution = getattr(import_module(module), function)(view, PlainRun(config, most))
        evaluation = task.evaluate(solution, purpose, view.observations())
        metrics = {m.name: m for m in known.metrics_for(task)}
        return solution, {name: metrics[name].compute(evaluation) for name in names}

    return solve
