"""Task advection-density:transport-2d: its motion, its reference, what it ranks."""

import numpy as np
import pytest

from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_problems.advection_density_2d import Vortex, random_vortex


@pytest.fixture(scope="module")
def task():
    return registry().task("advection-density:transport-2d[points=24]")


def test_the_centre_turns_and_shears():
    """∂u/∂y = −ω + σ, ∂v/∂x = ω at the centre, and no divergence anywhere."""
    vortex, h = Vortex(1.5, 0.5, (0.1, 0.2)), 1e-6
    at = np.array([0.5 - h, 0.5 + h])
    u, v = vortex(np.full(2, 0.5), at)[0], vortex(at, np.full(2, 0.5))[1]
    assert np.diff(u)[0] / (2 * h) == pytest.approx(-1.0, abs=1e-6)
    assert np.diff(v)[0] / (2 * h) == pytest.approx(1.5, abs=1e-6)
    x, y = generator("test").random((2, 50))
    divergence = vortex(x + h, y)[0] - vortex(x - h, y)[0] + vortex(x, y + h)[1]
    np.testing.assert_allclose(divergence, vortex(x, y - h)[1], atol=1e-15)


def test_the_motion_moves_the_target_far(task):
    (target,) = task.observations(generator("test"))
    assert target.values.shape == (24 * 24,)
    start = task.problem.initial_state(target.points)["d"]
    assert np.linalg.norm(start - target.values) > 0.5 * np.linalg.norm(target.values)


def test_the_reference_solves_the_equation(task):
    """Central differences of the reference, at points where the density is steep."""
    points = {a: 0.3 + 0.4 * row for a, row in zip("xyt", generator("p").random((3, 20)))}  # noqa: B905
    h, d = 1e-3, {}
    for a in "xyt":
        ahead, behind = (
            task.reference.evaluate({**points, a: points[a] + s})["d"] for s in (h, -h)
        )
        d[f"d_{a}"] = (ahead - behind) / (2 * h)
    motion = {k: f(points) for k, f in task.problem.coefficient_values().items()}
    residual = task.problem.residual({**d, **motion})["transport"]
    assert np.abs(residual).max() < 5e-3 * np.abs(d["d_t"]).max()
    assert task.reference_bound < 1e-6


def test_the_true_motion_carried_is_the_reference(task):
    axes = {"x": np.linspace(0, 1, 12), "y": np.linspace(0, 1, 12), "t": np.array([0.0, 0.5, 1.0])}
    carried = task.problem.carry(task.problem.coefficient_values(), axes, 1e-6)
    mesh = dict(zip("xyt", (m.ravel() for m in np.meshgrid(*axes.values(), indexing="ij"))))  # noqa: B905
    truth = task.reference.evaluate(mesh)["d"].reshape(12, 12, 3)
    np.testing.assert_allclose(carried.fields["d"], truth, atol=1e-5)


def test_no_motion_scores_what_doing_nothing_does(task):
    def still(points):
        return np.zeros(np.shape(points["x"]))

    known = registry()
    solution = Solution(lambda p: task.problem.initial_state(p), {"u": still, "v": still})
    evaluation = task.evaluate(solution, "history")
    scores = {n: known.metric(n).compute(evaluation) for n in ("rel_l2", "rel_l2_carried")}
    nothing = known.metric("do_nothing_mismatch").compute(evaluation)
    assert scores["rel_l2"] == pytest.approx(nothing)
    assert scores["rel_l2_carried"] == pytest.approx(nothing)


def test_every_instance_has_a_motion_of_its_own():
    motions = {random_vortex(generator("test", i)) for i in range(5)}
    assert len(motions) == 5
    assert all(0.8 <= abs(m.turn) <= 1.8 for m in motions)


def test_methods_of_all_families_can_do_it(task):
    for name in ("mlp", "pinn", "diffphys", "opticalflow"):
        method, config = registry().configured(name)
        assert method.supports(task, config).ok, name
