"""Every peer that is installed, held to the contract of runs, on a tiny budget."""

import importlib.metadata

import pytest

from pdebench_lite.api import execute, plan
from pdebench_lite.plugins import registry
from pdebench_lite.study import Budget
from pdebench_lite.testing import MethodRunContract


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
