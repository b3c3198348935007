"""`regression`: its contract, its labels, and where its tasks look."""

import numpy as np
import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_lite.testing import ProblemContract, attempt

FUNCTIONS = ("smooth", "discontinuous", "high-frequency")


class TestRegression(ProblemContract):
    selector = "regression[noise=0]"


def label(task, n=20_000):
    (found,) = task.labels(generator("labels"), n)
    return found


@pytest.mark.parametrize("function", FUNCTIONS)
def test_labels_are_noisy_samples_of_the_inside(function):
    task = registry().task(f"regression[function={function},noise=0.1]")
    found = label(task)
    x = found.points["x"]
    assert (x.min(), x.max()) == pytest.approx((-1, 1), abs=1e-3)
    exact = task.reference.evaluate({"x": x})["u"]
    gap = found.values - exact
    assert np.std(gap) == pytest.approx(found.noise, rel=0.03)
    assert found.noise == pytest.approx(0.1 * np.sqrt(np.mean(exact**2)), rel=0.03)


def test_both_tasks_have_the_same_labels():
    inside, outside = (label(registry().task(f"regression:{t}"), 50)
                       for t in ("interpolation", "extrapolation"))  # fmt: skip
    np.testing.assert_array_equal(inside.values, outside.values)


@pytest.mark.parametrize("purpose", ["history", "final"])
def test_where_the_tasks_look(purpose):
    inside = registry().task("regression:interpolation").axes(purpose)["x"]
    outside = registry().task("regression:extrapolation").axes(purpose)["x"]
    assert (inside.min(), inside.max()) == (-1, 1)
    assert (outside.min(), outside.max()) == (-2, 2)
    assert np.abs(outside).min() > 1
    assert np.all(np.diff(outside) > 0)


def test_metrics_that_look_elsewhere_do_not_apply():
    names = {m.name for m in registry().metrics_for(registry().task("regression"))}
    assert {"rel_l2", "linf", "mae"} <= names
    assert not names & {"rel_h1", "rel_l2_shock", "shock_position_error", "residual_rms"}


def test_the_functions_are_what_they_are_called():
    def fall(function):
        """Return the largest step between neighbours of 20,001 points."""
        x = np.linspace(-1, 1, 20_001)
        task = registry().task(f"regression[function={function}]")
        return np.abs(np.diff(task.reference.evaluate({"x": x})["u"])).max()

    smooth, jump, fast = map(fall, FUNCTIONS)
    assert jump == pytest.approx(1.0, abs=1e-3)
    assert fast > 5 * smooth
    assert fast < 0.01


@pytest.mark.parametrize("backend", ["torch", pytest.param("jax", marks=pytest.mark.slow)])
def test_a_network_interpolates_and_does_not_extrapolate(backend):
    pytest.importorskip(backend)
    method = "mlp[width=8,depth=1,labels=200,optimizer=lbfgs]"
    done = attempt(registry(), "regression", method, backend, 40)
    inside = done.metrics["rel_l2"]
    elsewhere = registry().task("regression:extrapolation").evaluate(done.solution, "final")
    outside = registry().metric("rel_l2").compute(elsewhere)
    assert inside < 0.1
    assert outside > 5 * inside
