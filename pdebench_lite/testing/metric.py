"""MetricContract: a metric is a finite number that the true solution makes small."""

import re
from dataclasses import replace
from math import isfinite
from typing import Any, ClassVar

import numpy as np
import pytest

from pdebench_lite.metrics import Metric
from pdebench_lite.problem import Task
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.seeding import generator
from pdebench_lite.tasks import FieldTask
from pdebench_lite.testing.attempt import true_solution


class MetricContract:
    """What every metric owes.

    Attributes:
        selector: name of the metric.
        problem: selector of a field task for which it has a meaning.
        is_error: whether the metric is an error: about zero for the truth, larger for worse.
        at_truth: what an error may be for the truth.
    """

    selector: str
    problem: ClassVar[str] = "burgers[nu=0.1]"
    is_error: ClassVar[bool] = True
    at_truth: ClassVar[float] = 1e-3

    @pytest.fixture
    def known(self) -> Registry:
        """Return the registry in which names are looked up; override it for toys."""
        return registry()

    @pytest.fixture
    def metric(self, known: Registry) -> Metric:
        """Return the metric."""
        return known.metric(self.selector)

    @pytest.fixture
    def task(self, known: Registry) -> FieldTask:
        """Return the task on which it is tried."""
        task = known.task(self.problem)
        assert isinstance(task, FieldTask), f"{self.problem} is not a field task; name another"
        return task

    def test_metadata(self, metric: Metric) -> None:
        """Name, summary and unit are there."""
        assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name), f"bad name {metric.name!r}"
        assert metric.summary, "no summary"
        assert metric.unit, "no unit; write dimensionless"

    def test_applies_to_any_task_or_says_no(self, known: Registry, metric: Metric) -> None:
        """`applies` answers for every task there is, and is never surprised by one."""
        for problem in known.problems.values():
            for kind in known.tasks_of(problem).values():
                task = kind(problem(problem.Parameters()), kind.Parameters())
                assert isinstance(metric.applies(task), bool), f"{metric.name} of {task.label}"

    def test_applies_here(self, known: Registry, metric: Metric, task: Task) -> None:
        """The metric is computed for the task on which it is tried."""
        assert metric.name in {m.name for m in known.metrics_for(task)}

    def test_value(self, metric: Metric, task: FieldTask) -> None:
        """It is a finite Python float or None; the truth makes an error about zero."""
        truth = true_solution(task)
        exact = _score(metric, task, truth)
        wrong = _score(metric, task, _spoiled(truth))
        for value in (exact, wrong):
            assert value is None or (type(value) is float and isfinite(value)), repr(value)
        if self.is_error:
            assert exact is not None, "an error of the truth is None here; try another problem"
            assert abs(exact) <= self.at_truth, f"the truth has {metric.name}={exact:.3g}"
            assert wrong is not None
            assert wrong > abs(exact), f"wrong fields and unknowns have {wrong:.3g}"


def _score(metric: Metric, task: FieldTask, solution: Solution) -> float | None:
    observations = task.observations(generator("contract", "observations"))
    return metric.compute(task.evaluate(solution, "history", observations))


def _spoiled(solution: Solution) -> Solution:
    """Return a solution whose fields and unknowns are all wrong, by a tenth and a wave."""

    def predict(points: dict[str, Any]) -> dict[str, np.ndarray]:
        wave = 0.1 * np.cos(3.0 * sum(points.values()))
        return {k: 1.1 * v + wave for k, v in solution.predict(points).items()}

    unknowns = {k: _scaled(f) for k, f in solution.unknowns.items()}
    return replace(solution, predict=predict, unknowns=unknowns)


def _scaled(function: Any) -> Any:
    return lambda points: 1.2 * function(points)
