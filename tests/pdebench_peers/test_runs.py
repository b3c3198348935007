"""Every peer that is installed, held to the contract of runs, on a tiny budget."""

import importlib.metadata
import subprocess
import sys

import numpy as np
import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import execute, plan
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import WEIGHTS
from pdebench_lite.testing import MethodRunContract
from pdebench_methods.pinn import PinnSettings


def installed(distribution: str) -> pytest.MarkDecorator:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return pytest.mark.skip(reason=f"{distribution} is not installed")
    return pytest.mark.slow


@installed("deepxde")
class TestDeepxde(MethodRunContract):
    selector = "deepxde[width=4,depth=1,points=20]"
    problem = "burgers:forward[nu=0.1]"


@installed("deepxde")
class TestDeepxdeMatched(MethodRunContract):
    selector = "deepxde[preset=matched,width=4,depth=1,points=20]"


@installed("jinns")
class TestJinns(MethodRunContract):
    selector = "jinns[width=4,depth=1,points=20]"
    problem = "burgers:forward[nu=0.1]"


@installed("jinns")
class TestJinnsMatched(MethodRunContract):
    selector = "jinns[preset=matched,width=4,depth=1,points=20,optimizer=ssbroyden]"


@installed("pina-mathlab")
class TestPina(MethodRunContract):
    selector = "pina[width=4,depth=1,points=20]"
    problem = "burgers:forward[nu=0.1]"


@installed("pina-mathlab")
class TestPinaMatched(MethodRunContract):
    selector = "pina[preset=matched,width=4,depth=1,points=20]"


@installed("phiflow")
class TestPhiflow(MethodRunContract):
    selector = "phiflow[cells=16]"
    stochastic = False


@installed("phiflow")
class TestPhiflowMatched(MethodRunContract):
    selector = "phiflow[preset=matched,cells=16]"
    stochastic = False


ADAM_STEPS = PinnSettings().adam_steps


def run(selector, problem, results, steps=3):
    """Run one cell of JAX for a few steps; returns its record."""
    budget = Budget(max_steps=steps)
    cells, _ = plan(registry(), problem, selector, "jax", budget=budget, device="cpu")
    (record,) = execute(registry(), cells, {"jax": "cpu"}, results)
    return record


@installed("jinns")
def test_evaluations_of_line_searches_count(tmp_path):
    selector = "jinns[preset=matched,width=4,depth=1,points=20,optimizer={}]"
    searching = run(selector.format("ssbroyden"), "burgers:forward", tmp_path)
    assert searching.evaluations >= 3 * searching.steps, "value, search, gradient at its end"
    assert run(selector.format("adam"), "burgers:forward", tmp_path).evaluations == 3


@installed("phiflow")
def test_the_prior_is_the_mean_squared_slope():
    code = """
import jax  # the backend that the adapter finds
import numpy as np
from pdebench_lite.problem import Axis
from pdebench_peers import phiflow
phiflow.flow.math.set_global_precision(64)
space = Axis("x", -1.0, 1.0, periodic=True)
x = space.lower + (np.arange(64) + 0.5) / 32
u = np.sin(np.pi * x)
simulation = phiflow.Simulation(space, 64, 0.01, 0.01)
plain, with_prior = (float(simulation.loss(x, u, 1, w)(phiflow.wrap(u))) for w in (0.0, 2.0))
slope = (np.roll(u, -1) - np.roll(u, 1)) * 16
print(with_prior - plain - 2.0 * np.mean(slope**2))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert abs(float(done.stdout)) < 1e-12


PINN_PEERS = {"deepxde": "deepxde", "jinns": "jinns", "pina": "pina-mathlab"}


@pytest.mark.parametrize(
    "peer", [pytest.param(k, marks=installed(name)) for k, name in PINN_PEERS.items()]
)
def test_observations_are_fitted_in_single_precision(peer, tmp_path):
    known, selector = registry(), f"{peer}[width=4,depth=1,points=20]"
    budget = Budget(max_steps=2)
    cells, _ = plan(known, "burgers", selector, budget=budget, device="cpu", dtype="float32")
    records = execute(known, cells, {cell.backend: "cpu" for cell in cells}, tmp_path)
    assert {record.status: record.reason for record in records} == {"ok": ""}


SETTINGS = "preset=matched,width=4,depth=1,points=20"
SEEKERS = [
    pytest.param(f"deepxde[{SETTINGS}]", "torch", marks=installed("deepxde")),
    pytest.param(f"deepxde[{SETTINGS}]", "jax", marks=installed("deepxde")),
    pytest.param(f"pina[{SETTINGS}]", "torch", marks=installed("pina-mathlab")),
    *(
        pytest.param(f"jinns[{SETTINGS},optimizer={o}]", "jax", marks=installed("jinns"))
        for o in ("ngd", "ssbroyden", "adam")
    ),
]


def sought(selector, backend, results, steps, dtype="float64"):
    """Return the record of a short run on `burgers:viscosity`, and what was trained for ν."""
    budget = Budget(max_steps=steps)
    cells, _ = plan(
        registry(), "burgers:viscosity", selector, backend, budget=budget, dtype=dtype, device="cpu"
    )
    (record,) = execute(registry(), cells, {backend: "cpu"}, results)
    assert (record.status, record.reason) == ("ok", "")
    with np.load(results / record.cell / WEIGHTS) as weights:
        return record, float(weights["nu"])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("selector", "backend"), SEEKERS)
def test_a_sought_coefficient_is_trained_and_reported(selector, backend, dtype, tmp_path):
    record, raw = sought(selector, backend, tmp_path, 5, dtype)
    assert raw != 0.0, "what it starts from"
    found, true = 0.03 * np.exp(raw), 0.01 / np.pi
    assert record.metrics["nu_rel_error"] == pytest.approx(abs(found - true) / true, rel=1e-5)
    searches = "ngd" in selector or "ssbroyden" in selector
    assert record.evaluations >= record.steps * (2 if searches else 1)


@pytest.mark.parametrize(
    ("peer", "backend"),
    [
        pytest.param(peer, backend, marks=installed(PINN_PEERS[peer]))
        for peer, backend in (
            ("deepxde", "torch"),
            ("deepxde", "jax"),
            ("pina", "torch"),
            ("jinns", "jax"),
        )
    ],
)
def test_as_documented_the_coefficient_itself_is_trained(peer, backend, tmp_path):
    record, found = sought(f"{peer}[width=4,depth=1,points=20]", backend, tmp_path, 5)
    assert found != 0.03, "what it starts from"
    true = 0.01 / np.pi
    assert record.metrics["nu_rel_error"] == pytest.approx(abs(found - true) / true, rel=1e-5)


@pytest.mark.parametrize(("selector", "backend"), [p for p in SEEKERS if p.values[1] == "torch"])
def test_lbfgs_goes_on_with_the_coefficient(selector, backend, tmp_path):
    by_adam, with_lbfgs = (
        sought(selector, backend, tmp_path, steps)[1] for steps in (ADAM_STEPS, ADAM_STEPS + 3)
    )
    assert by_adam != with_lbfgs
