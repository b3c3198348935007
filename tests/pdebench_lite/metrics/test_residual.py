"""The residual of what was returned: worked out by hand, and the harness's own floor."""

import numpy as np
import pytest

from pdebench_lite.metrics import CORE_METRICS
from pdebench_lite.registry.discovery import registry
from pdebench_lite.testing.attempt import true_solution

(RMS,) = [m for m in CORE_METRICS if m.name == "residual_rms"]


def truths_residual(selector):
    task = registry().task(selector)
    return RMS.compute(task.evaluate(true_solution(task), "history"))


@pytest.mark.parametrize(
    ("selector", "floor"),
    [
        ("burgers:forward", 2e-9),
        ("burgers[nu=0.1]", 1e-9),
        ("burgers[nu=0.001]", 1e-7),
        ("burgers[ic=random,instance=3]", 2e-7),
        ("advection-density", 1e-11),
    ],
)
def test_the_floor_of_the_harness(selector, floor):
    """What the exact solution scores: only the differences of the harness can be at fault."""
    assert truths_residual(selector) < floor


def test_a_wave_of_the_wrong_speed(scores):
    """sin 2π(x − 1.1 t) leaves −0.1·2π·cos of the equation with c = 1."""
    rms = scores(lambda p: np.sin(2 * np.pi * (p["x"] - 1.1 * p["t"])))["residual_rms"]
    assert rms == pytest.approx(0.1 * 2 * np.pi / np.sqrt(2), rel=1e-6)


def test_a_solution_of_the_equation_that_is_not_the_one_asked_for(scores):
    """A residual is not an error: three times the solution obeys a linear equation as well."""
    found = scores(lambda p: 3 * np.sin(2 * np.pi * (p["x"] - p["t"])))
    assert found["residual_rms"] < 1e-9
    assert found["rel_l2"] == pytest.approx(2.0)


def test_a_sought_coefficient_is_the_one_that_was_found():
    """Twice the motion with the true density leaves u·d_x, which is −d_t."""
    from pdebench_lite.problem.solution import Solution

    task = registry().task("advection-density")
    true = true_solution(task)
    wrong = Solution(true.predict, {"u": lambda p: 2 * true.unknowns["u"](p)})
    still = Solution(true.predict, {"u": lambda p: 0 * p["x"]})
    twice, none = (RMS.compute(task.evaluate(s, "history")) for s in (wrong, still))
    assert twice == pytest.approx(none, rel=1e-6)
    assert twice > 0.1
