"""Sums over blocks of points are the loss and the gradient of all points at once."""

from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_methods.objectives.pinn import PinnObjective

jax = pytest.importorskip("jax")


@pytest.fixture
def _double():
    """Compute in double precision, as the runner does for a cell of float64."""
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def objective_of(points):
    from pdebench_jax._training import JaxTools

    method = f"pinn[width=4,depth=2,constraints=soft,side_points=20,points={points}]"
    _, config = registry().configured(method)
    run = SimpleNamespace(
        config=config, dtype="float64", device="cpu", rng=lambda purpose="": generator("m", purpose)
    )
    tools = JaxTools(run)
    view = View(registry().task("burgers"), lambda purpose: generator("d", purpose))
    objective = PinnObjective(view, run, tools)
    start = objective.initial()
    data = objective.next_stage(start, {}).data
    return objective, tools.on_device(start), tools.on_device(data)


@pytest.mark.usefixtures("_double")
@pytest.mark.parametrize("points", [100, pytest.param(777, marks=pytest.mark.slow), 1000])
def test_blocks_are_the_whole(points):
    from pdebench_jax._blocks import value_and_gradient

    objective, start, data = objective_of(points)
    value, gradient = jax.jit(value_and_gradient(objective))(start, data)
    whole, slope = jax.jit(jax.value_and_grad(objective.loss))(start, data)
    assert float(value) == pytest.approx(float(whole), rel=1e-13)
    for name in start:
        np.testing.assert_allclose(gradient[name], slope[name], rtol=1e-11, atol=1e-13)


@pytest.mark.usefixtures("_double")
def test_several_processors_share_large_blocks(monkeypatch):
    from pdebench_jax import _blocks

    objective, start, data = objective_of(1000)

    def passes(processors):
        function = _blocks.value_and_gradient(objective, processors)
        return str(jax.make_jaxpr(function)(start, data)).count("scan[")

    assert (passes(1), passes(2)) == (1, 0)
    monkeypatch.setattr(_blocks, "SHARED", 600)
    assert passes(2) == 1


@pytest.mark.usefixtures("_double")
@pytest.mark.parametrize(
    ("points", "parts"), [pytest.param(998, 1, marks=pytest.mark.slow), (1001, 1), (1002, 2)]
)
def test_the_mean_of_the_halves_is_the_whole(points, parts):
    from pdebench_jax._blocks import halves

    objective, start, data = objective_of(points)
    found = halves(data)
    assert len(found) == parts
    mean = sum(float(objective.loss(start, part)) for part in found) / parts
    assert mean == pytest.approx(float(objective.loss(start, data)), rel=1e-13)
