"""`pinn` on a family: a network for each instance of a query, and nothing learned before."""

import importlib
from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.errors import DivergedError
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_lite.testing import attempt
from pdebench_methods.objectives.pinn_per_instance import InstanceObjective
from pdebench_methods.share import Share

FAMILY = "burgers:family[cells=32,frames=2,train=4,validation=1,test=2]"

ENDLESS = Share(None, np.inf, None)


@pytest.fixture(scope="module")
def known():
    return registry()


@pytest.fixture
def objective(known):
    config = known.configured("pinn[width=4,depth=1,points=64,candidates=128]")[1]
    run = SimpleNamespace(config=config, rng=lambda purpose: generator("test", purpose))
    tools = SimpleNamespace(
        backend="numpy", asarray=np.asarray, to_numpy=np.asarray, activate=None, propagate=None
    )
    return InstanceObjective(View(known.task(FAMILY), lambda p: generator("test", p)), run, tools)


def test_an_initial_state_and_its_derivatives_are_exact_between_the_cells(objective):
    grid = objective.domain.grid(32)
    wave = lambda x: 0.25 + np.sin(3 * np.pi * x)  # noqa: E731
    x = np.linspace(-1, 1, 11)
    found = objective._derivatives_of(wave(grid.centres()), x, 3)
    np.testing.assert_allclose(found[0], wave(x), atol=1e-13)
    np.testing.assert_allclose(found[1], 3 * np.pi * np.cos(3 * np.pi * x), atol=1e-11)
    np.testing.assert_allclose(found[2], -9 * np.pi**2 * np.sin(3 * np.pi * x), atol=1e-10)


def test_the_residual_of_a_network_of_zeros_is_that_of_the_initial_state(objective):
    grid, nu = objective.domain.grid(32), 0.07
    objective.pose(ENDLESS, {"u": np.sin(np.pi * grid.centres())}, {"nu": nu})
    weights = {name: np.zeros_like(v) for name, v in objective.initial().items()}
    x = objective._data["residual:x"]
    u, u_x, u_xx = np.sin(np.pi * x), np.pi * np.cos(np.pi * x), -(np.pi**2) * np.sin(np.pi * x)
    np.testing.assert_allclose(
        objective.loss(weights, objective._data), np.mean((u * u_x - nu * u_xx) ** 2), rtol=1e-12
    )


def test_the_field_begins_at_the_state_that_came_with_the_query(objective):
    grid = objective.domain.grid(32)
    start = np.cos(2 * np.pi * grid.centres())
    objective.pose(ENDLESS, {"u": start}, {"nu": 0.1})
    at = {"x": grid.centres(), "t": np.zeros(32)}
    found = objective.solution(objective.initial(), {}).predict(at)
    np.testing.assert_allclose(found["u"], start, atol=1e-13)


def test_backends_agree_and_take_no_label(known):
    methods = []
    for backend in ("torch", "jax"):
        pytest.importorskip(backend)
        importlib.import_module(known.backend(backend).runtime).prepare("cpu", "float64")
        method = "pinn[width=4,depth=1,points=64,candidates=128]"
        methods.append(attempt(known, FAMILY, method, backend, 10))
    one, other = methods
    assert one.metrics["rel_l2"] == pytest.approx(other.metrics["rel_l2"], rel=1e-6)
    for done in methods:
        assert done.sees == {"residual": True, "embedding": True}
        told = done.solution.details
        assert (told["instances"], told["median_steps"], told["fewest_steps"]) == (2, 10.0, 10)


def test_a_query_of_many_long_trainings_is_not_silent():
    heard = []
    share = Share(None, np.inf, 3, lambda: heard.append(share.steps))
    for step in range(4):
        share.report(step, None, lambda: None)
    assert heard == [0, 1, 2, 3]


def test_an_instance_goes_by_its_own_time_left(objective):
    share = Share(None, 100.0, None)
    objective.pose(share, {"u": np.zeros(32)}, {"nu": 0.1})
    assert objective._run is share


def test_a_share_ends_by_its_own_limits():
    done = lambda: None  # noqa: E731
    share = Share(None, np.inf, 3)
    assert [share.report(step, 1.0, done) for step in (0, 2, 3)] == [False, False, True]
    assert Share(None, 0.0, None).report(1, 1.0, done)
    assert Share(None, 100.0, None).time_left < 100.0
    with pytest.raises(DivergedError, match="loss is nan at step 1"):
        share.report(1, float("nan"), done)


@pytest.mark.parametrize(
    ("problem", "method", "reason"),
    [
        ("burgers:family", "pinn[derivatives=autodiff]", "write constraints=soft"),
        ("pdebench-file", "pinn", "states no residual"),
    ],
)
def test_what_cannot_be_done_is_said(known, problem, method, reason):
    chosen, config = known.configured(method)
    assert reason in chosen.supports(known.task(problem), config).reason
