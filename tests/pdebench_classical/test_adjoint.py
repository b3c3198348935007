"""The adjoint reconstruction: an exact gradient, and known answers."""

from itertools import pairwise

import numpy as np
import pytest

from pdebench_classical._forward_map import ForwardMap
from pdebench_lite.numerics import diffuse_spectral
from pdebench_lite.problem import Domain, Interval, Observation, Periodic, Scheme, Unknown
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator


def forward_map(selector="burgers[nu=0.05]", cells=64, modes=6, scheme="etdrk4"):
    view = View(registry().task(selector), lambda purpose: generator("adjoint", purpose))
    observations = view.observations()
    return ForwardMap(view.domain, view.solver(scheme), view.unknowns, observations, cells, modes)


@pytest.mark.parametrize("scheme", ["etdrk4", "muscl", "semilagrangian"])
def test_taylor(scheme):
    """‖F(c + εd) − F(c) − ε·J·d‖ falls as ε², which it does for the exact derivative only."""
    map_, random = forward_map(scheme=scheme), np.random.default_rng(0)
    c, d = random.normal(size=(2, map_.size))
    jacobian = map_.pull(c, np.eye(map_.values.size))
    left = []
    for eps in (1e-3, 1e-4, 1e-5):
        gap = map_(c + eps * d) - map_(c) - eps * (jacobian @ d)
        left.append(np.linalg.norm(gap))
    assert np.log10(left[0] / left[1]) == pytest.approx(2, abs=0.1)
    if scheme == "etdrk4":  # the others have kinks that a longer step crosses
        assert np.log10(left[1] / left[2]) == pytest.approx(2, abs=0.1)
    gradient = map_.pull(c, (map_(c) - map_.values)[None])[0]
    np.testing.assert_allclose(gradient, (map_(c) - map_.values) @ jacobian, rtol=1e-10)


def test_the_derivative_to_ten_digits():
    """Central differences extrapolated to O(ε⁴) against one pull."""
    map_, random = forward_map(), np.random.default_rng(1)
    c, d = random.normal(size=(2, map_.size))
    w = random.normal(size=map_.values.size)
    slope = [(w @ map_(c + e * d) - w @ map_(c - e * d)) / (2 * e) for e in (2e-3, 1e-3, 5e-4)]
    first = [(4 * b - a) / 3 for a, b in pairwise(slope)]
    best = (16 * first[1] - first[0]) / 15
    assert map_.pull(c, w[None])[0] @ d == pytest.approx(best, rel=1e-10)


def test_several_fields_and_times():
    """Two diffusing fields seen at two times: the transpose of a map that is linear."""
    domain = Domain(Interval(x=(0, 2 * np.pi)), (0, 1), Periodic("x"))

    def step(state, unknowns, t, dt, grid):
        u, v = (diffuse_spectral(state[k], 0.1, dt, grid) for k in "uv")
        return {"u": u + dt * t * v, "v": v}

    scheme = Scheme(step, lambda *_: 0.1)
    unknowns = tuple(Unknown(f"{k}_initial", "initial", ("x",), k) for k in "uv")
    x = np.linspace(0, 6, 11)
    seen = tuple(
        Observation(k, {"x": x, "t": np.full(11, t)}, np.ones(11), 0.1 * i)
        for i, (k, t) in enumerate((("u", 1.0), ("v", 0.35), ("u", 0.35)))
    )
    map_ = ForwardMap(domain, scheme, unknowns, seen, 32, 3)
    matrix = np.stack([map_(row) for row in np.eye(map_.size)], axis=1)
    assert matrix.shape == (33, 14)
    np.testing.assert_allclose(map_.pull(np.zeros(14), np.eye(33)), matrix, atol=1e-14)
    assert sorted(set(map_.noise)) == pytest.approx([0.0, 0.1, 0.2])


def test_a_smooth_state_is_found(solved):
    _, scores = solved(
        "adjoint[cells=32,modes=4]", "burgers[nu=0.1,t_obs=0.3]", "initial_rel_l2", "rel_l2"
    )
    assert scores["initial_rel_l2"] < 1e-3
    assert scores["rel_l2"] < 1e-3


def test_noise_is_not_fitted(solved):
    """The weight is the larger the more noise there is; the misfit is about the noise."""
    weights = []
    for noise in (0.2, 0.02):
        problem = f"burgers[nu=0.1,t_obs=0.3,noise={noise}]"
        solution, scores = solved("adjoint[cells=32,modes=4]", problem, "misfit")
        weights.append(solution.details["weight"])
        assert 0.7 * noise < scores["misfit"] < 1.1 * noise
    assert weights[0] >= 10 * weights[1]


def test_a_fixed_weight_is_kept(solved):
    solution, _ = solved("adjoint[cells=32,modes=4,weight=0.01]", "burgers[nu=0.1]", "misfit")
    assert solution.details["weight"] == 0.01
    assert solution.details["cells"] == 32


@pytest.mark.parametrize(
    ("method", "problem", "reason"),
    [
        ("adjoint", "burgers:forward", "does not ask for its initial state"),
        ("adjoint", "advection-density", "does not ask for its initial state"),
        ("adjoint", "burgers:pbdl", "fixes the solver's grid"),
        ("adjoint[scheme=lax]", "burgers", "has no scheme 'lax'; it has: muscl"),
    ],
)
def test_refusals_say_why(method, problem, reason):
    description, config = registry().configured(method)
    answer = description.supports(registry().task(problem), config)
    assert not answer.ok
    assert reason in answer.reason
