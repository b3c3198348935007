"""Optimisers of second order on a small physics-informed network, beside Adam."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_methods.objectives.pinn import PinnObjective

PROBLEM = "burgers:forward[nu=0.1]"
NETWORK = "pinn[width=8,depth=2,points=300,redraw=0]"
RATE = 0.05  # Adam's best of 0.005, 0.02 and 0.05


def tools_of(backend: str) -> Any:
    if backend == "torch":
        from pdebench_torch._training import TorchTools as Tools
    else:
        from pdebench_jax._training import JaxTools as Tools
    return Tools


def trained(backend: str, optimizer: str, steps: int) -> tuple[float, float, int]:
    """Return the mean squared residual, the relative L2 error of u, and the evaluations."""
    task, (_, config) = registry().task(PROBLEM), registry().configured(NETWORK)
    run = SimpleNamespace(
        config=config,
        dtype="float64",
        device="cpu",
        max_steps=steps,
        time_left=float("inf"),
        rng=lambda purpose="": generator("m", purpose),
    )
    tools = tools_of(backend)(run)
    pinn = PinnObjective(View(task, lambda purpose: generator("d", purpose)), run, tools)
    start = pinn.initial()
    stage = pinn.next_stage(start, {})
    minimiser = tools.minimiser(replace(stage, optimizer=optimizer), pinn, start, RATE)
    loss, _, evaluations = minimiser.advance(steps)
    unit = generator("points").random((2, 1000))
    points = {"x": 2 * unit[0] - 1, "t": task.problem.domain.time.length * unit[1]}
    found = pinn.solution(minimiser.parameters(), {}).predict(points)["u"]
    truth = task.reference.evaluate(points)["u"]
    error = np.linalg.norm(found - truth) / np.linalg.norm(truth)
    return float(loss), float(error), evaluations


@pytest.mark.parametrize(("optimizer", "steps"), [("ssbroyden", 90), ("lm", 20)])
def test_they_reach_what_adam_does_not(backend, optimizer, steps):
    loss, error, evaluations = trained(backend, optimizer, steps)
    assert loss < 1e-3
    assert error < 0.01
    loss_of_adam, error_of_adam, as_many = trained(backend, "adam", evaluations)
    assert as_many == evaluations
    assert loss < 0.2 * loss_of_adam
    assert error < 0.4 * error_of_adam
