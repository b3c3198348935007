"""Task burgers:viscosity: what it gives, what can be reached at best, and its metrics."""

import numpy as np
import pytest

from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_problems.burgers_viscosity import METRICS

EASY = "burgers:viscosity[nu=0.1,sensors=16,times=4]"


def drawn(selector=EASY):
    task = registry().task(selector)
    return task, task.observations(generator("test"))


def scores(task, observations, found, std=None):
    def zero(points):
        return {"u": np.zeros(np.shape(points["x"]))}

    unknowns = {"nu": lambda points: np.asarray(found), "u_initial": lambda p: -np.sin(p["x"])}
    deviations = {} if std is None else {"nu": lambda points: np.asarray(std)}
    evaluation = task.evaluate(Solution(zero, unknowns, deviations), "history", observations)
    return {m.name: m.compute(evaluation) for m in METRICS}


def test_samples_are_the_reference_with_noise():
    task, (seen,) = drawn()
    assert sorted(set(seen.points["t"])) == pytest.approx([0.25, 0.5, 0.75, 1.0])
    gap = seen.values - task.reference.evaluate(seen.points)["u"]
    assert np.std(gap) == pytest.approx(seen.noise, rel=0.3)
    assert seen.noise == pytest.approx(
        0.01 * np.sqrt(np.mean(task.truth("final")["u"] ** 2)), rel=0.05
    )


def test_what_is_sought_and_given():
    unknown, given = (
        registry().task(f"burgers:viscosity[initial={i}]") for i in ("unknown", "given")
    )
    assert [u.name for u in unknown.unknowns] == ["nu", "u_initial"]
    assert not unknown.gives & {"initial_state", "ansatz"}
    assert [u.name for u in given.unknowns] == ["nu"]
    assert given.gives >= {"initial_state", "ansatz"}
    for task in (unknown, given):
        assert "nu" not in task.known_coefficients()


def test_the_bound_of_one_number_is_noise_over_sensitivity():
    task, observations = drawn("burgers:viscosity[nu=0.1,sensors=16,times=4,initial=given]")
    (seen,) = observations
    h = 1e-3
    more, less = (
        registry().task(f"burgers:forward[nu={0.1 + d}]").reference.evaluate(seen.points)["u"]
        for d in (h, -h)
    )
    slope = (more - less) / (2 * h)
    assert task.cramer_rao(observations) == pytest.approx(
        seen.noise / np.linalg.norm(slope), rel=1e-4
    )


def test_the_bound_is_that_of_the_best_linear_estimate():
    """Eighteen parameters: the deviation of ν in (JᵀJ)⁻¹, inverted as a whole."""
    task, observations = drawn()
    (seen,) = observations
    J = task._sensitivities(task.problem.exact, seen.points["x"], seen.points["t"]) / seen.noise
    assert J.shape == (64, 18)
    expected = 0.1 * np.sqrt(np.linalg.inv(J.T @ J)[0, 0])
    assert task.cramer_rao(observations) == pytest.approx(expected, rel=1e-6)
    known, same = drawn("burgers:viscosity[nu=0.1,sensors=16,times=4,initial=given]")
    assert known.cramer_rao(same) < task.cramer_rao(observations)


def test_twice_the_noise_is_twice_the_bound():
    a, b = (drawn(f"burgers:viscosity[nu=0.1,sensors=16,times=4,noise={n}]") for n in (0.01, 0.02))
    assert b[0].cramer_rao(b[1]) == pytest.approx(2 * a[0].cramer_rao(a[1]), rel=1e-9)


def test_metrics():
    task, observations = drawn()
    bound = task.cramer_rao(observations)
    off = scores(task, observations, 0.1 + 2 * bound)
    assert off["nu_rel_error"] == pytest.approx(2 * bound / 0.1)
    assert off["nu_over_bound"] == pytest.approx(2.0)
    assert off["nu_covered"] is None
    assert scores(task, observations, 0.1 + 2 * bound, bound)["nu_covered"] == 0.0
    assert scores(task, observations, 0.1 - 1.9 * bound, bound)["nu_covered"] == 1.0
    assert scores(task, (), 0.1)["nu_over_bound"] is None


def test_what_was_found_is_carried_with_the_viscosity_that_was_found():
    task, observations = drawn("burgers:viscosity[nu=0.1,initial=given]")
    other = registry().task("burgers:forward[nu=0.2]").truth("history")["u"]
    solution = Solution(
        lambda points: {"u": 0.0 * points["x"]}, {"nu": lambda points: np.asarray(0.2)}
    )
    evaluation = task.evaluate(solution, "history", observations)
    np.testing.assert_allclose(evaluation.carried.fields["u"], other, atol=2e-3)


def test_what_depends_on_the_viscosity_is_found_once_for_all_steps():
    torch = pytest.importorskip("torch")
    problem = registry().task("burgers:viscosity").problem
    scheme, grid = problem.schemes()["etdrk4"], problem.domain.grid(48)
    state = {"u": torch.as_tensor(-np.sin(np.pi * grid.centres()))}
    nu = {"nu": torch.tensor([[0.02], [0.1]], dtype=torch.float64)}  # two at once
    prepared = scheme.prepared(nu, 0.01, grid)
    assert set(prepared) > set(nu)
    found = scheme.step(state, prepared, 0.0, 0.01, grid)["u"]
    assert torch.equal(found, scheme.step(state, nu, 0.0, 0.01, grid)["u"])
    alone = scheme.step({"u": state["u"].numpy()}, {"nu": 0.1}, 0.0, 0.01, grid)["u"]
    np.testing.assert_allclose(found[1].numpy(), alone, atol=1e-14)
