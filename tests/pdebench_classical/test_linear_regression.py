"""`linear-regression`: exact where the basis holds the function, sized by cross-validation."""

import numpy as np
import pytest

from pdebench_classical._linear_regression import _BASES, _fit, _sizes
from pdebench_lite.problem import Observation
from pdebench_lite.registry.discovery import registry
from pdebench_lite.testing import MethodDescriptionContract, MethodRunContract, attempt


class TestLinearRegression(MethodDescriptionContract):
    selector = "linear-regression"


@pytest.mark.slow
class TestLinearRegressionRuns(MethodRunContract):
    selector = "linear-regression[labels=100]"
    problem = "regression"


def labelled(function, n=400, noise=0.0):
    rng = np.random.default_rng(0)
    x = rng.uniform(2.0, 5.0, n)
    return Observation("u", {"x": x}, function(x) + noise * rng.standard_normal(n), noise)


@pytest.mark.parametrize("basis", ["spline", "polynomial"])
def test_cubics_are_found_exactly_and_go_on_outside(basis):
    cubic = np.polynomial.Polynomial([1.0, -2.0, 0.5, 0.3])
    fit = _fit(labelled(cubic), "x", basis, 12)
    x = np.linspace(1.5, 5.5, 50)
    np.testing.assert_allclose(fit(x), cubic(x), rtol=1e-6)


@pytest.mark.parametrize("basis", list(_BASES))
def test_a_basis_has_its_size_and_more_of_it_is_better(basis):
    label = labelled(lambda x: np.exp(np.sin(2 * x)))
    assert _BASES[basis](np.linspace(-1, 1, 7), 9).shape == (7, 9)
    x = np.linspace(label.points["x"].min(), label.points["x"].max(), 200)
    gaps = [np.abs(_fit(label, "x", basis, size)(x) - np.exp(np.sin(2 * x))).max()
            for size in (8, 24)]  # fmt: skip
    assert gaps[1] < 0.1 * gaps[0]


@pytest.mark.parametrize("basis", list(_BASES))
def test_cross_validation_is_near_the_best_size(basis):
    problem = "regression[noise=0.1]"
    auto = attempt(registry(), problem, f"linear-regression[basis={basis}]", "numpy", 1)
    errors = [
        attempt(registry(), problem, f"linear-regression[basis={basis},size={size}]", "numpy",
                1).metrics["rel_l2"]
        for size in (4, 8, 16, 64)
    ]  # fmt: skip
    assert auto.metrics["rel_l2"] < 2 * min(errors)
    assert auto.metrics["rel_l2"] < 0.5 * max(errors)
    assert auto.solution.parameters == auto.solution.details["size"]["u"]


def test_polynomials_stay_small_where_they_would_swing():
    assert max(_sizes(2000, "spline")) > 2 * max(_sizes(2000, "polynomial"))
    assert _sizes(3, "spline") == [4]


def test_as_many_functions_as_labels_leave_nothing_to_validate():
    assert _fit(labelled(np.sin, n=6), "x", "polynomial", 6).score == np.inf


@pytest.mark.parametrize(
    ("problem", "reason"),
    [("burgers", "one variable"), ("derivatives", "no labelled fields")],
)
def test_unsupported_for_a_reason(problem, reason):
    method, config = registry().configured("linear-regression")
    answer = method.supports(registry().task(problem), config)
    assert not answer.ok
    assert reason in answer.reason
