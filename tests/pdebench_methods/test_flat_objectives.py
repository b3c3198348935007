"""Objectives as functions of one vector: loss, gradient, residuals and Jacobian belong together."""

from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_methods.host import flatten
from pdebench_methods.objectives.mlp import MlpObjective
from pdebench_methods.objectives.pinn import PinnObjective

OBJECTIVES = {"mlp": MlpObjective, "pinn": PinnObjective}
SMALL = "width=5,depth=2"
CASES = [
    pytest.param("burgers:forward", f"pinn[points=40,{SMALL}]", marks=pytest.mark.slow),
    ("burgers:forward", f"pinn[points=40,constraints=soft,side_points=10,{SMALL}]"),
    ("burgers[points=20]", f"pinn[points=40,{SMALL}]"),
    ("advection-density[points=20]", f"pinn[points=40,{SMALL}]"),
    ("advection-density", f"mlp[labels=30,{SMALL}]"),
]


def flat_objective(backend, problem, method):
    if backend == "torch":
        from pdebench_torch._training import TorchFlatObjective as Flat
        from pdebench_torch._training import TorchTools as Tools
    else:
        from pdebench_jax._training import JaxFlatObjective as Flat
        from pdebench_jax._training import JaxTools as Tools

        __import__("jax").config.update("jax_enable_x64", True)
    described, config = registry().configured(method)
    run = SimpleNamespace(
        config=config, dtype="float64", device="cpu", rng=lambda purpose="": generator("m", purpose)
    )
    tools = Tools(run)
    view = View(registry().task(problem), lambda purpose: generator("d", purpose))
    objective = OBJECTIVES[described.name](view, run, tools)
    start = objective.initial()
    stage = objective.next_stage(start, {})
    return Flat(tools, objective, start, stage.data, stage.static), flatten(start)


@pytest.mark.parametrize(("problem", "method"), CASES)
def test_they_belong_together(backend, problem, method):
    flat, x = flat_objective(backend, problem, method)
    value, gradient = flat.value_and_gradient(x)
    r, J = flat.linearise(x)
    assert J.shape == (r.size, x.size)
    assert r @ r == pytest.approx(value, rel=1e-12)
    assert np.sum(flat.residuals(x) ** 2) == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(2 * J.T @ r, gradient, rtol=1e-9, atol=1e-11)
    along = generator("direction").normal(size=x.size)
    higher, lower = (flat.value_and_gradient(x + h * along)[0] for h in (1e-5, -1e-5))
    assert (higher - lower) / 2e-5 == pytest.approx(gradient @ along, rel=1e-5)
