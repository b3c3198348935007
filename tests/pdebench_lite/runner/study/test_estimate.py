"""Estimates of time: from records of the same kind, from budgets, or none."""

import pytest

from pdebench_lite.runner.study.estimate import Estimate, Estimator, duration_text
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.records import Record, record_of


def cell(seed: int = 0, backend: str = "numpy", **limits: float) -> Cell:
    """A cell with a budget."""
    return Cell(
        problem="toy", task="forward", problem_params={}, problem_label="toy", method="fake",
        family="other", config={}, label="fake", backend=backend, dtype="float64", device="cpu",
        budget=Budget.model_validate(limits), seed=seed,
    )  # fmt: skip


def done(seed: int, charged: float, beside: float, steps: int, **limits: float) -> Record:
    """A record of such a cell."""
    return record_of(
        cell(seed, **limits), "ok", charged_s=charged, wall_s=charged + beside, steps=steps
    )


def test_without_records_the_budget_is_all_that_is_known() -> None:
    estimator = Estimator()
    assert estimator.estimate(cell(max_time=30)) == Estimate(30.0, "its budget")
    assert estimator.estimate(cell(max_steps=30)) == Estimate(None, "nothing known")


def test_what_is_not_charged_is_added() -> None:
    estimator = Estimator([done(i, 30, 2 + i, 100, max_time=30) for i in range(3)])
    assert estimator.estimate(cell(max_time=60)) == Estimate(63.0, "3 earlier records")


def test_steps_go_at_their_earlier_pace() -> None:
    estimator = Estimator([done(0, 10, 1, 100, max_time=10)])
    assert estimator.estimate(cell(max_steps=1000)) == Estimate(101.0, "1 earlier record")
    assert estimator.estimate(cell(max_steps=1000, max_time=20)).seconds == 21.0


def test_a_method_that_ends_by_itself_is_not_expected_to_use_its_budget() -> None:
    records = [done(0, 4, 1, 10, max_time=60), done(1, 6, 1, 10, max_time=60)]
    assert Estimator(records).estimate(cell(max_time=600)).seconds == 6.0
    assert Estimator(records).estimate(cell(max_time=2)).seconds == 3.0


def test_only_like_is_compared_with_like() -> None:
    estimator = Estimator([done(0, 4, 1, 10, max_time=60)])
    other = cell(backend="jax", max_time=60)
    assert estimator.estimate(other) == Estimate(60.0, "its budget")
    failed = done(0, 4, 1, 10, max_time=60).model_copy(update={"status": "crashed"})
    assert Estimator([failed]).estimate(cell(max_time=60)).basis == "its budget"


def test_a_record_without_steps_gives_no_pace() -> None:
    estimator = Estimator([done(0, 10, 1, 0, max_time=10)])
    assert estimator.estimate(cell(max_steps=5)).seconds is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (99, "99 s"),
        (100, "2 min"),
        (5900, "98 min"),
        (6000, "1.7 h"),
        (36000, "10.0 h"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
