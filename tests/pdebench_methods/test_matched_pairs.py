"""Matched pairs: torch and JAX train the same thing from the same weights and points."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_methods.objectives.diffphys import DiffphysObjective
from pdebench_methods.objectives.mlp import MlpObjective
from pdebench_methods.objectives.pinn import PinnObjective

jax = pytest.importorskip("jax")
torch = pytest.importorskip("torch")

OBJECTIVES = {"mlp": MlpObjective, "pinn": PinnObjective, "diffphys": DiffphysObjective}
CASES = [
    ("adam", "burgers", "mlp[labels=200]"),
    ("adam", "burgers:forward", "pinn[points=150]"),
    ("adam", "advection-density", "pinn[points=150]"),
    ("adam", "burgers", "diffphys[cells=64,modes=16]"),
    ("adam", "advection-density", "diffphys[cells=64,modes=16]"),
    ("gd", "burgers", "mlp[labels=200]"),
]
LONG_CASES = [  # variants of those above: JAX compiles each for seconds
    ("adam", "advection-density", "mlp[labels=200]"),
    ("adam", "burgers", "pinn[points=150]"),
    ("adam", "burgers:forward", "pinn[depth=3,points=150,constraints=soft,side_points=20]"),
    ("gd", "burgers:forward", "pinn[depth=3,points=150,constraints=soft,side_points=20]"),
    ("adam", "burgers", "pinn[points=150,derivatives=autodiff]"),
    ("adam", "burgers", "diffphys[cells=64,modes=16,scheme=muscl]"),
    ("gd", "burgers", "diffphys[cells=64,modes=16,scheme=muscl]"),
]


def make(backend: str, problem: str, method: str):
    """Return the objective and the tools of one backend, with the streams of seed 0."""
    if backend == "torch":
        from pdebench_torch._training import TorchTools as Tools
    else:
        from pdebench_jax._training import JaxTools as Tools
    task = registry().task(problem)
    described, config = registry().configured(method)
    run = SimpleNamespace(
        config=config,
        dtype="float64",
        device="cpu",
        max_steps=20,
        time_left=float("inf"),
        rng=lambda purpose: generator("m", purpose),
    )
    tools = Tools(run)
    view = View(task, lambda purpose: generator("d", purpose))
    return OBJECTIVES[described.name](view, run, tools), tools


def trained(backend: str, problem: str, method: str, optimizer: str, steps: int):
    objective, tools = make(backend, problem, method)
    start = objective.initial()
    if method.startswith("diffphys"):
        # At its start, zero, many gradients are nothing but rounding, which Adam would normalise.
        start = {name: generator("start").normal(0, 0.3, v.shape) for name, v in start.items()}
    stage = objective.next_stage(start, {})
    minimiser = tools.minimiser(replace(stage, optimizer=optimizer), objective, start, 1e-3)
    loss, done, evaluations = minimiser.advance(steps)
    return start, float(loss), minimiser.parameters(), done, evaluations


@pytest.mark.parametrize(
    ("optimizer", "problem", "method"),
    [*CASES, *(pytest.param(*case, marks=pytest.mark.slow) for case in LONG_CASES)],
)
def test_twenty_steps_agree(problem, method, optimizer):
    pair = [trained(b, problem, method, optimizer, 20) for b in ("torch", "jax")]
    (start, loss, ours, _, _), (other_start, other_loss, theirs, _, _) = pair
    assert loss == pytest.approx(other_loss, rel=1e-9)
    moved = 0.0
    for name in start:
        assert np.array_equal(start[name], other_start[name])
        scale = max(1.0, float(np.max(np.abs(ours[name]))))
        assert np.max(np.abs(ours[name] - theirs[name])) <= 1e-9 * scale
        moved += float(np.sum(np.abs(ours[name] - start[name])))
    assert moved > 0


@pytest.mark.parametrize("backend", ["torch", pytest.param("jax", marks=pytest.mark.slow)])
def test_jets_and_nested_autodiff_are_the_same_loss(backend):
    losses = []
    for derivatives in ("jets", "autodiff"):
        method = f"pinn[points=100,derivatives={derivatives}]"
        _, loss, parameters, _, _ = trained(backend, "burgers", method, "gd", 3)
        losses.append((loss, parameters["fields.1.weight"]))
    assert losses[0][0] == pytest.approx(losses[1][0], rel=1e-11)
    np.testing.assert_allclose(losses[0][1], losses[1][1], rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("backend", ["torch", pytest.param("jax", marks=pytest.mark.slow)])
def test_lbfgs_goes_on_where_it_stopped(backend):
    """Two calls of ten iterations reach what one call of twenty reaches."""
    objective, tools = make(backend, "burgers", "mlp[labels=200]")
    start = objective.initial()
    stage = objective.next_stage(start, {})
    whole = tools.minimiser(replace(stage, optimizer="lbfgs"), objective, start, 1e-3)
    parts = tools.minimiser(replace(stage, optimizer="lbfgs"), objective, start, 1e-3)
    whole.advance(20)
    for _ in range(2):
        loss, done, _ = parts.advance(10)
        assert done == 10
    initial = trained(backend, "burgers", "mlp[labels=200]", "gd", 1)[1]
    assert float(loss) < 0.5 * initial
    for name, values in whole.parameters().items():
        np.testing.assert_allclose(values, parts.parameters()[name], rtol=1e-6, atol=1e-8)
