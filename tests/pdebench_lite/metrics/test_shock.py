"""The position of a shock, to a fraction of the search's spacing."""

import numpy as np
import pytest

from pdebench_lite.metrics import CORE_METRICS
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry

(POSITION,) = [m for m in CORE_METRICS if m.name == "shock_position_error"]


def error(selector, change):
    task = registry().task(selector)
    predict = lambda p: change(task.reference.evaluate, p)  # noqa: E731
    return POSITION.compute(task.evaluate(Solution(predict), "history"))


def shifted(by):
    return lambda exact, p: exact({**p, "x": p["x"] - by})


@pytest.mark.parametrize("by", [1e-5, pytest.param(-3e-4, marks=pytest.mark.slow), 0.0237, -0.15])
@pytest.mark.parametrize("selector", ["burgers:forward", "burgers:forward[ic=random,instance=4]"])
def test_a_shift_is_found(selector, by):
    assert error(selector, shifted(by)) == pytest.approx(abs(by), abs=2e-6)


def test_a_shock_may_stand_at_the_seam():
    """Instance shifted so that its shock is at the end of the period: the gap is the short way."""
    task = registry().task("burgers:forward")
    moved = lambda exact, p: exact({**p, "x": p["x"] - 1e-3 + 2.0})  # noqa: E731
    assert error(task.label, moved) == pytest.approx(1e-3, abs=2e-6)


def test_the_truth_and_a_scaled_truth_have_it_right():
    assert error("burgers:forward", lambda exact, p: exact(p)) == 0.0
    half = lambda exact, p: {"u": 0.5 * exact(p)["u"] + 1.0}  # noqa: E731
    assert error("burgers:forward", half) == pytest.approx(0.0, abs=1e-9)


def test_a_field_without_the_shock_is_no_further_off_than_the_window():
    flat = error("burgers:forward", lambda exact, p: {"u": np.cos(np.pi * p["x"])})
    assert 0.01 < flat <= 0.2 + 1e-3


@pytest.mark.parametrize("selector", ["burgers:forward[nu=0.1]", "advection-density"])
def test_none_without_a_shock(selector):
    task = registry().task(selector)
    solution = Solution(task.reference.evaluate, {"u": lambda p: 0 * p["x"] + 1})
    assert POSITION.compute(task.evaluate(solution, "history")) is None
