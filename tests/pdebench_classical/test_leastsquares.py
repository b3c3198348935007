"""Numbers and initial states by least squares: near the bound, with honest intervals."""

from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_classical._leastsquares import _Search
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
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


@pytest.mark.parametrize("scheme", ["etdrk4", "muscl", "semilagrangian"])
def test_the_error_of_a_scheme_is_judged_by_its_order(scheme):
    """At the true numbers and state; etdrk4 falls faster than its order says, in space."""
    task = registry().task("burgers:viscosity[nu=0.05,noise=1e-9,sensors=16,times=4]")
    streams = lambda purpose: generator("order", purpose)  # noqa: E731
    config = registry().configured(f"leastsquares[cells=128,modes=8,scheme={scheme}]")[1]
    run = SimpleNamespace(config=config, report=lambda *args: False)
    search = _Search(View(task, streams), run)
    truth = search.fine.start()
    truth[0] = np.log(0.05 / task.unknowns[0].guess) / 10.0
    x = np.linspace(-1, 1, 257)[:-1]
    waves = search.fine.waves.matrix({"x": x})
    truth[1:] = np.linalg.lstsq(waves, -np.sin(np.pi * x), rcond=None)[0]
    real = float(np.sum(search.fine.residuals(truth) ** 2))
    ratio = real / search.solver_error(truth)
    assert 0.1 < ratio < 2.0


def test_without_a_number_to_find_it_says_so():
    description, config = registry().configured("leastsquares")
    answer = description.supports(registry().task("burgers"), config)
    assert not answer.ok
    assert "does not ask for numbers" in answer.reason
