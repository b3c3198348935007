"""`diffphys` without time: a coefficient is found through an implicit solve."""

from math import inf
from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.numerics.krylov import HOST
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_lite.testing.attempt import attempt
from pdebench_methods.objectives.diffphys import StationaryObjective, fitting

PROBLEM = "darcy:identify[points=16]"


def objective(method):
    task, (_, config) = registry().task(PROBLEM), registry().configured(method)
    run = SimpleNamespace(
        time_left=inf, config=config, dtype="float64", rng=lambda p: generator("m", p)
    )
    tools = SimpleNamespace(machine=HOST)
    return fitting(View(task, lambda p: generator("d", p)), run, tools)


def test_both_ways_of_seeing_agree_and_begin_at_the_guess():
    it = objective("diffphys[cells=16,modes=3]")
    assert isinstance(it, StationaryObjective)
    start = it.initial()
    assert start["a"].size == 16
    np.testing.assert_array_equal(it.solution(start, {}).unknowns["a"](
        {"x": np.array([0.2]), "y": np.array([0.7])}), [1.0])  # fmt: skip
    stage = it.next_stage(start, {})
    assert stage.optimizer == "gauss-newton"
    assert not any(name.startswith("blur") for name in stage.data), "nothing moves"
    residuals = it.residuals(start, stage.inputs)
    assert float(np.sum(residuals**2)) == pytest.approx(it.misfit(start))


def test_cells_are_thrice_those_observed_and_the_jacobian_is_of_these():
    it = objective("diffphys")
    assert (it.cells, it.jacobian_cells) == (48, 16)
    assert it.may_refine(it.cells)
    assert not objective("diffphys[cells=16]").may_refine(16)


@pytest.mark.parametrize(
    ("method", "reason"),
    [
        ("diffphys[steps=10]", "has no time: leave out steps"),
        ("diffphys[scheme=etdrk4]", "has no time: leave out scheme"),
        ("diffphys[basis=cells]", "periodic"),
    ],
)
def test_what_does_not_apply_is_refused(method, reason):
    task, (known, config) = registry().task(PROBLEM), registry().configured(method)
    support = known.supports(task, config)
    assert not support.ok
    assert reason in support.reason


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_a_permeability_is_found_from_noisy_pressures(backend):
    """1 % noise on 16² values: a within a tenth, and the field within the noise."""
    pytest.importorskip(backend)
    done = attempt(registry(), PROBLEM, "diffphys[cells=32,modes=6]", backend, 40)
    metrics = done.metrics
    assert metrics["coefficient_rel_l2"] < 0.1
    assert metrics["rel_l2"] < 0.01
