"""What Lightning costs: the shared loop driven by its Trainer against a plain `for`."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_methods.objectives.pinn import PinnObjective

torch = pytest.importorskip("torch")
STEPS, CHUNK = 300, 100


@pytest.fixture(scope="module")
def minimiser():
    from pdebench_torch._training import TorchTools

    _, config = registry().configured("pinn[points=1000]")
    run = SimpleNamespace(
        config=config,
        dtype="float64",
        device="cpu",
        max_steps=STEPS,
        rng=lambda purpose: generator("m", purpose),
    )
    tools = TorchTools(run)
    view = View(registry().task("burgers:forward"), lambda purpose: generator("d", purpose))
    objective = PinnObjective(view, run, tools)
    start = objective.initial()
    stage = objective.next_stage(start, {})
    return tools, tools.minimiser(replace(stage, optimizer="adam"), objective, start, 1e-3)


def _chunks(minimiser):
    for _ in range(STEPS // CHUNK):
        minimiser.advance(CHUNK)
        yield


@pytest.mark.slow
def test_driving_the_loop(benchmark, race, minimiser):
    tools, adam = minimiser
    benchmark.group = f"{STEPS} Adam steps, pinn[points=1000], torch, float64"
    race(
        {
            "bare loop": lambda: list(_chunks(adam)),
            "Lightning": lambda: tools.drive(_chunks(adam)),
        },
        rounds=5,
    )
