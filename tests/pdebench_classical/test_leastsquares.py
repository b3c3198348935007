"""Numbers and initial states by least squares: near the bound, with honest intervals."""

import numpy as np
import pytest

from pdebench_lite.plugins import registry
from pdebench_lite.seeding import generator

TASK = "burgers:viscosity[nu=0.1,sensors=16,times=4{}]"
SMALL = "leastsquares[cells=64,modes=8]"


@pytest.mark.parametrize(("more", "numbers"), [("", 18), (",initial=given", 1)])
def test_the_viscosity_is_found_as_well_as_can_be(solved, more, numbers):
    problem = TASK.format(more)
    solution, found = solved(SMALL, problem, "nu_over_bound", "nu_covered", "rel_l2")
    assert solution.parameters == numbers
    assert found["nu_over_bound"] < 3.0
    assert found["nu_covered"] == 1.0
    assert found["rel_l2"] < 0.02
    task = registry().task(problem)
    bound = task.cramer_rao(task.observations(generator("plain", "observations")))
    assert float(solution.deviations["nu"]({})) == pytest.approx(bound, rel=0.35)


def test_the_band_of_the_initial_state_holds_it(solved):
    solution, _ = solved(SMALL, TASK.format(""))
    x = {"x": np.linspace(-1, 1, 50)}
    gap = np.abs(solution.unknowns["u_initial"](x) + np.sin(np.pi * x["x"]))
    assert np.mean(gap <= 1.96 * solution.deviations["u_initial"](x)) > 0.7
    assert np.mean(solution.deviations["u_initial"](x)) < 0.1


def test_without_a_number_to_find_it_says_so():
    description, config = registry().configured("leastsquares")
    answer = description.supports(registry().task("burgers"), config)
    assert not answer.ok
    assert "does not ask for numbers" in answer.reason
