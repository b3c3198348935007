"""Run: reports, schedules and limits, in one process."""

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pdebench_lite.errors import DivergedError
from pdebench_lite.measure.clock import Clock
from pdebench_lite.measure.memory import MemoryMeter
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.run import Journal, Judge, Run
from pdebench_lite.runner.study import make_cell
from pdebench_lite.store.cell import Budget

Make = Callable[..., Run]


def solution(factor: float = 1.0) -> Solution:
    """Return a multiple of the toy's solution."""
    return Solution(lambda p: {"u": factor * np.sin(2 * np.pi * (p["x"] - p["t"]))})


@pytest.fixture
def make(fakes: Path, tmp_path: Path) -> Iterator[Make]:
    """Return a function that makes a run with some limits."""
    known = registry()
    task = known.task("toy")
    method, config = known.configured("fake")
    journals = []

    def run(synchronize: Callable[[], None] = lambda: None, **limits: Any) -> Run:
        cell = make_cell(task, method, config, "numpy", 0, Budget(**limits))
        judge = Judge(task, known.metrics_for(task), ())
        journal = Journal(tmp_path / "journal")
        journals.append(journal)
        return Run(cell, judge, config, "cpu", Clock(synchronize), MemoryMeter(), journal)

    yield run
    for journal in journals:
        journal._file.close()


def events(tmp_path: Path, kind: str) -> list[dict[str, Any]]:
    """What the journal holds of one kind."""
    lines = (tmp_path / "journal").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["kind"] == kind]


def test_candidates_and_losses_are_looked_at_only_when_due(make: Make) -> None:
    class Scalar:
        """A device scalar that counts how often it is read."""

        reads = 0

        def __float__(self) -> float:
            Scalar.reads += 1
            return 0.5

    run, asked = make(max_steps=10_000), []

    def candidate() -> Solution:
        asked.append(run.steps)
        return solution()

    for step in range(1001):
        run.report(step, Scalar(), candidate)
    assert asked[:11] == list(range(11))
    assert asked == sorted(set(asked))
    assert 50 < len(asked) < 70
    assert Scalar.reads == len(asked)
    gaps = np.diff(asked)[20:] / asked[20:-1]
    assert np.all(gaps <= 0.1 + 1 / np.array(asked[20:-1]))


def test_the_schedule_does_not_depend_on_the_clock(make: Make, tmp_path: Path) -> None:
    for delay in (0, 5):
        run = make(lambda n=delay: [None for _ in range(n)])  # type: ignore[misc]
        for step in range(60):
            run.report(step, 1.0, solution)
    steps = [event["step"] for event in events(tmp_path, "history")]
    assert steps[: len(steps) // 2] == steps[len(steps) // 2 :]


def test_evaluations_wait_until_charged_time_has_caught_up(make: Make, tmp_path: Path) -> None:
    """Those of a slow answer end soon after the budget; without a limit of time all take place."""

    def evaluated() -> list[int]:
        return [event["step"] for event in events(tmp_path, "history")]

    run = make(max_time=1000.0)
    run.report(0, None, solution)
    run._clock.spent["evaluate"] += 700.0  # a quarter of the limit is free: 450 s are to be charged
    for step in range(1, 20):
        assert not run.report(step, None, solution)
    assert evaluated() == [0]
    assert run.steps_until_due == 2, "steps go on growing by a tenth"
    run._clock.spent["train"] += 500.0
    for step in range(20, 24):
        run.report(step, None, solution)
    assert evaluated() == [0, 21]
    run.finish(solution())
    assert evaluated() == [0, 21, 23]

    run = make(max_steps=1000)
    run.report(0, None, solution)
    run._clock.spent["evaluate"] += 1e9
    run.report(1, None, solution)
    assert evaluated()[3:] == [0, 1]


def test_stop(make: Make) -> None:
    run = make(max_steps=3)
    assert [run.report(i, None, solution) for i in range(4)] == [False, False, False, True]
    run = make(max_time=1e-9)
    assert run.report(0, None, solution) is False or run.time_left <= 0
    run = make(target_error=0.1)
    assert run.target_reached is False
    assert run.report(0, None, lambda: solution(1.2)) is False
    assert run.report(1, None, lambda: solution(1.05)) is True
    assert run.target_reached is True


def test_time_left(make: Make) -> None:
    assert make(max_steps=1).time_left == math.inf
    assert make(max_time=5.0).time_left == 5.0


@pytest.mark.parametrize("loss", [math.nan, math.inf, np.float64("nan")])
def test_a_python_loss_diverges_at_once(make: Make, loss: float) -> None:
    run = make(max_steps=1000)
    for step in range(500):
        run.report(step, 1.0, solution)
    assert run.steps_until_due > 1
    with pytest.raises(DivergedError, match=r"the loss is (nan|inf) at step 500"):
        run.report(500, loss, solution)


def test_the_last_state_enters_the_history_once(make: Make, tmp_path: Path) -> None:
    run = make(max_steps=1000)
    for step in range(151):
        run.report(step, 1.0, solution)
    assert events(tmp_path, "history")[-1]["step"] < 150
    run.finish(solution(2.0))
    run.finish(solution(2.0))
    last, before = events(tmp_path, "history")[:-3:-1]
    assert (last["step"], last["loss"]) == (150, None)
    assert last["rel_l2"] == pytest.approx(1.0)
    assert before["step"] < 150


def test_methods_have_three_phases(make: Make) -> None:
    with pytest.raises(ValueError, match="a method has the phases data, compile, train"):
        make().phase("evaluate")  # type: ignore[arg-type]


def test_numbers_that_are_not_finite_are_null_in_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.write("odd", value=math.nan, nested={"a": math.inf}, fine=1.5)
    journal._file.close()
    assert events(tmp_path, "odd") == [
        {"kind": "odd", "value": None, "nested": {"a": None}, "fine": 1.5}
    ]
