"""Metrics: numbers that can be worked out by hand, and zero for the truth."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pdebench_lite.errors import DivergedError, PdebenchError
from pdebench_lite.metrics import error_profile, relative_l2
from pdebench_lite.problem import Observation
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_lite.tasks import FieldEvaluation, FieldTask

TOY = 2 * np.pi


def truth(points: dict[str, Any]) -> np.ndarray:
    """The toy's solution."""
    return np.sin(TOY * (points["x"] - points["t"]))


def test_the_truth_scores_nothing(scores: Any) -> None:
    not_stated = ("initial_coverage", "initial_rel_l2_stated")
    for name, value in scores(truth, "toy:reconstruction").items():
        if name not in not_stated and name not in (
            "spread",
            "residual_rms",
            "shock_position_error",
        ):
            assert value == pytest.approx(0, abs=1e-12), name


def test_a_factor(scores: Any) -> None:
    found = scores(lambda p: 1.5 * truth(p), "toy:reconstruction")
    assert found["rel_l2"] == pytest.approx(0.5)
    assert found["rel_l2_carried"] == pytest.approx(0.5)
    assert found["initial_rel_l2"] == pytest.approx(0.5)
    assert found["misfit"] == pytest.approx(0.5)
    assert found["linf"] == pytest.approx(0.5, rel=1e-3)
    assert found["mae"] == pytest.approx(0.5 * 2 / np.pi, rel=1e-2)
    assert found["initial_violation"] == pytest.approx(0, abs=1e-13)  # its own initial state
    assert found["mass_violation"] == pytest.approx(0, abs=1e-13)


def test_a_constant_is_mass(scores: Any) -> None:
    found = scores(lambda p: truth(p) + 0.1)
    assert found["linf"] == pytest.approx(0.1)
    assert found["mae"] == pytest.approx(0.1)
    assert found["mass_violation"] == pytest.approx(0.1 / (2 / np.pi), rel=1e-3)  # ∫|sin| = 2/π
    assert found["rel_l2"] == pytest.approx(0.1 * np.sqrt(2), rel=1e-2)
    assert found["initial_violation"] == pytest.approx(0.1 * np.sqrt(2), rel=1e-2)
    assert found["misfit"] is None
    assert "rel_l2_carried" not in found


def test_initial_violation_is_measured_at_the_start_only(scores: Any) -> None:
    later = scores(lambda p: truth(p) * np.where(p["t"] > 0, 2.0, 1.0))
    assert later["initial_violation"] == pytest.approx(0, abs=1e-13)
    start = scores(lambda p: truth(p) * np.where(p["t"] > 0, 1.0, 2.0))
    assert start["initial_violation"] == pytest.approx(1.0)
    assert start["rel_l2"] == pytest.approx(np.sqrt(1 / 101), rel=1e-2)


def test_the_second_half_of_time_is_scored_apart(scores: Any) -> None:
    late = scores(lambda p: truth(p) * np.where(p["t"] >= 0.5, 2.0, 1.0))
    assert late["rel_l2_late"] == pytest.approx(1.0)
    early = scores(lambda p: truth(p) * np.where(p["t"] < 0.5, 2.0, 1.0))
    assert early["rel_l2_late"] == pytest.approx(0, abs=1e-13)
    assert early["rel_l2"] == pytest.approx(np.sqrt(50 / 101), rel=1e-2)


def test_what_is_asked_at_the_end_has_no_second_half() -> None:
    known = registry()
    names = {m.name for m in known.metrics_for(known.task("advection-density"))}
    assert "rel_l2" in names
    assert "rel_l2_late" not in names


def test_soft_and_hard_constraint_are_told_apart(scores: Any) -> None:
    """A field that is right with an initial state that is wrong, and the other way round."""
    wrong = scores(truth, "toy:reconstruction", u_initial=lambda p: 3 * np.sin(TOY * p["x"]))
    assert wrong["rel_l2"] == pytest.approx(0, abs=1e-13)
    assert wrong["rel_l2_carried"] == pytest.approx(2.0)
    assert wrong["initial_rel_l2"] == pytest.approx(2.0)
    assert wrong["initial_violation"] == pytest.approx(2 / 3)
    right = scores(
        lambda p: 3 * truth(p), "toy:reconstruction", u_initial=lambda p: np.sin(TOY * p["x"])
    )
    assert right["rel_l2"] == pytest.approx(2.0)
    assert right["rel_l2_carried"] == pytest.approx(0, abs=1e-12)
    assert right["misfit"] == pytest.approx(2.0)


def test_misfit_is_to_what_was_observed(fakes: Path) -> None:
    task = registry().task("toy:reconstruction")
    seen = Observation("u", {"x": np.array([0.0, 0.5]), "t": np.zeros(2)}, np.array([3.0, 4.0]))
    zero = Solution(lambda p: {"u": 0 * p["x"]})
    (misfit,) = [m for m in registry().metrics_for(task) if m.name == "misfit"]
    assert misfit.compute(task.evaluate(zero, "final", (seen,))) == pytest.approx(1.0)
    six = Solution(lambda p: {"u": 0 * p["x"] + 4.0})
    assert misfit.compute(task.evaluate(six, "final", (seen,))) == pytest.approx(1 / 5)


def test_relative_l2() -> None:
    a, b = np.array([3.0, 4.0]), np.array([0.0, 0.0])
    assert relative_l2({"u": b}, {"u": a}) == 1.0
    assert relative_l2({"u": a}, {"u": b}) == 5.0  # nothing to be relative to
    # each field by its own size, whatever its unit
    both = relative_l2({"u": 1.1 * a, "v": 0.7e6 * a}, {"u": a, "v": 1e6 * a})
    assert both == pytest.approx(np.sqrt((0.1**2 + 0.3**2) / 2))


def test_the_error_at_each_time(fakes: Path) -> None:
    task = registry().task("toy")
    solution = Solution(lambda p: {"u": truth(p) * (1 + p["t"])})
    profile = error_profile(task.evaluate(solution, "final"))
    assert profile["rel_l2"] == pytest.approx(profile["t"])
    assert profile["t"] == pytest.approx(np.linspace(0, 1, 101))


def test_history_and_final_score_use_different_points(fakes: Path) -> None:
    task = registry().task("toy")
    assert isinstance(task, FieldTask)
    history, final = task.axes("history"), task.axes("final")
    assert [a.size for a in history.values()] == [150, 41]
    assert [a.size for a in final.values()] == [256, 101]
    inner = set(np.round(history["x"][1:-1], 12)) & set(np.round(final["x"], 12))
    assert not inner


@pytest.mark.parametrize(
    ("answer", "error", "message"),
    [
        (lambda p: {"v": p["x"]}, PdebenchError, r"lacks the field 'u'; it has \['v'\]"),
        (
            lambda p: {"u": p["x"][1:]},
            PdebenchError,
            r"'u' has the shape \(25855,\); return \(25856,\)",
        ),
        (lambda p: {"u": p["x"] * np.nan}, DivergedError, "'u' is not finite"),
        (lambda p: {"u": p["x"] + np.inf}, DivergedError, "'u' is not finite"),
    ],
)
def test_bad_answers(fakes: Path, answer: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        registry().task("toy").evaluate(Solution(answer), "final")


def test_a_missing_coefficient_is_named() -> None:
    task = registry().task("advection-density")
    assert isinstance(task, FieldTask)
    (field,) = task.problem.field_names
    unknown = next(u.name for u in task.unknowns if u.kind == "coefficient")
    with pytest.raises(PdebenchError, match=f"the solution lacks the unknown '{unknown}'"):
        task.evaluate(Solution(lambda p: {field: p["x"]}), "history")


def test_shapes_that_mean_the_same(fakes: Path) -> None:
    task = registry().task("toy")
    column = Solution(lambda p: {"u": truth(p)[:, None].astype(np.float32)})
    evaluation = task.evaluate(column, "final")
    assert isinstance(evaluation, FieldEvaluation)
    assert evaluation.fields["u"].shape == (256, 101)
    assert evaluation.fields["u"].dtype == np.float64


@pytest.mark.parametrize("selector", ["burgers", "burgers:forward[ic=random,instance=2]"])
def test_built_in_problems_score_their_truth_within_its_bound(selector: str) -> None:
    known = registry()
    task = known.task(selector)
    assert isinstance(task, FieldTask)
    solution = Solution(lambda p: {"u": task.reference.evaluate(p)["u"]})
    evaluation = task.evaluate(solution, "final", task.observations(generator(0)))
    assert 0 < task.reference_bound <= 1e-12
    for metric in known.metrics_for(task):
        if metric.name == "residual_rms":  # see test_residual.py
            continue
        value = metric.compute(evaluation)
        limit = evaluation.carried.bound if evaluation.carried else 1e-12
        assert value is None or 0 <= value <= max(1e-12, 2 * limit), metric.name


def test_the_error_of_a_part_that_is_zero_but_for_rounding_is_relative_to_the_whole():
    whole = {"u": np.array([3.0, -3.0, 4e-15])}
    part, answer = {"u": whole["u"][2:]}, {"u": np.array([0.3])}
    assert relative_l2(answer, part) > 1e13
    mean = np.sqrt(np.mean(whole["u"] ** 2))
    assert relative_l2(answer, part, whole) == pytest.approx(0.3 / mean)
    small = {"u": np.array([1e-6])}
    assert relative_l2({"u": np.array([2e-6])}, small, whole) == pytest.approx(1.0), "it is its own"
