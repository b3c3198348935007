"""Coverage: shares that are known beforehand, and what is kept of a band."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pdebench_lite.metrics import NORMAL_95, bands
from pdebench_lite.metrics.coverage import COVERAGE
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_lite.testing import MetricContract

NU = "burgers:viscosity[nu=0.1,sensors=4,times=2]"  # a number is sought beside the state
TOY = "toy:reconstruction"


def truth(points: dict[str, Any]) -> np.ndarray:
    """The toy's initial state."""
    return np.sin(2 * np.pi * points["x"])


@pytest.fixture
def evaluated(fakes: Any) -> Callable[..., Any]:
    """Return a function: errors and stated deviations of the initial state -> an evaluation."""

    def evaluate(error: Any, deviation: Any, selector: str = TOY) -> Any:
        solution = Solution(
            predict=lambda p: {"u": np.zeros(np.shape(p["x"]))},
            unknowns={"u_initial": lambda p: truth(p) + error(p["x"])},
            deviations={} if deviation is None else {"u_initial": lambda p: deviation(p["x"])},
        )
        return registry().task(selector).evaluate(solution, "final")

    return evaluate


def scores(evaluation: Any) -> dict[str, float | None]:
    return {m.name: m.compute(evaluation) for m in COVERAGE}


def test_the_share_of_points_within_the_band(evaluated: Any) -> None:
    """The error is just inside up to x = 0.3 and just outside beyond: 77 of 256 points."""

    def error(x: np.ndarray) -> np.ndarray:
        return np.where(x < 0.3, 0.99, -1.01) * NORMAL_95 * (1 + x)

    found = scores(evaluated(error, lambda x: 1 + x))
    assert found["initial_coverage"] == pytest.approx(np.mean(np.linspace(0, 1, 256) < 0.3))


def test_errors_as_large_as_stated_are_covered_at_95_percent(evaluated: Any) -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(20):
        evaluation = evaluated(lambda x: 0.2 * rng.standard_normal(x.size), lambda x: 0 * x + 0.2)
        shares.append(scores(evaluation)["initial_coverage"])
    assert np.mean(shares) == pytest.approx(0.95, abs=3 * (0.95 * 0.05 / (20 * 256)) ** 0.5)


def test_the_error_that_a_method_expects(evaluated: Any) -> None:
    found = scores(evaluated(lambda x: 0 * x, lambda x: 0 * x + 0.1))
    assert found["initial_rel_l2_stated"] == pytest.approx(0.1 * 2**0.5, rel=1e-2)
    assert found["initial_coverage"] == 1.0


def test_none_where_none_is_stated(evaluated: Any) -> None:
    evaluation = evaluated(lambda x: 0 * x, None)
    assert scores(evaluation) == {"initial_coverage": None, "initial_rel_l2_stated": None}
    assert bands(evaluation) == {}


def test_a_band_is_kept_at_a_hundred_points(evaluated: Any) -> None:
    kept = bands(evaluated(lambda x: 0.5 + 0 * x, lambda x: 0.25 + 0 * x))["u_initial"]
    assert set(kept) == {"x", "found", "true", "deviation"}
    assert {len(values) for values in kept.values()} == {101}
    assert (kept["x"][0], kept["x"][-1]) == (0.0, 1.0)
    np.testing.assert_allclose(np.subtract(kept["found"], kept["true"]), 0.5, atol=1e-3)
    np.testing.assert_allclose(kept["true"], truth({"x": np.array(kept["x"])}), atol=5e-3)
    assert set(kept["deviation"]) == {0.25}


def test_a_band_that_is_not_finite_is_not_kept(evaluated: Any) -> None:
    evaluation = evaluated(lambda x: 0 * x, lambda x: np.where(x > 0.5, np.nan, 1.0))
    assert bands(evaluation) == {}
    assert scores(evaluation)["initial_coverage"] == pytest.approx(0.5)


def test_a_number_has_no_band() -> None:
    task = registry().task(NU)
    solution = Solution(
        predict=lambda p: {"u": np.zeros(np.shape(p["x"]))},
        unknowns={"nu": lambda p: np.asarray(0.1), "u_initial": lambda p: -np.sin(np.pi * p["x"])},
        deviations={"nu": lambda p: np.asarray(0.01)},
    )
    evaluation = task.evaluate(solution, "history", task.observations(generator("test")))
    assert bands(evaluation) == {}
    assert scores(evaluation)["initial_coverage"] is None


class TestCoverage(MetricContract):
    problem = "burgers[nu=0.1]"
    is_error = False

    @pytest.fixture(params=[m.name for m in COVERAGE])
    def metric(self, known, request):
        return known.metric(request.param)
