"""Costs that do not depend on the machine: what each kind of method counts."""

from pathlib import Path

import pytest

from pdebench_lite.api import execute, make_budget, plan
from pdebench_lite.plugins import registry
from pdebench_lite.records import Record, Store, load_history


def one(
    method: str, backend: str, folder: Path, max_steps: int, problem: str = "burgers:forward"
) -> tuple[Record, dict]:
    """Run one cell; returns record, and history as lists."""
    known, budget = registry(), make_budget(max_steps=max_steps)
    cells, devices = plan(known, problem, method, backend, (0,), budget, "cpu")
    (record,) = execute(known, cells, devices, folder)
    assert record.status == "ok", record.reason
    history = load_history(Store(folder).folder(record.cell))
    return record, {name: history[name].tolist() for name in history}


def test_a_solver_counts_its_steps(tmp_path: Path) -> None:
    record, history = one("etdrk4[cells=64,steps=40]", "numpy", tmp_path, 1000)
    assert record.costs == {"solver_steps": 40}
    assert history["solver_steps"] == history["step"]


@pytest.mark.slow
def test_a_pinn_counts_gradients_and_points(backend: str, tmp_path: Path) -> None:
    words = "pinn[width=8,depth=2,points=60,optimizer=adam]"
    record, history = one(words, backend, tmp_path, 12)
    assert record.evaluations == record.steps == 12
    assert record.costs == {"gradients": 12, "residual_points": 12 * 60}
    assert history["residual_points"][-1] == 720
    assert history["gradients"][1:] == history["evaluations"][1:]


@pytest.mark.slow
def test_diffphys_counts_gradients_and_solver_steps(backend: str, tmp_path: Path) -> None:
    words = "diffphys[cells=32,steps=40,optimizer=adam]"
    record, _ = one(words, backend, tmp_path, 6, "burgers")
    assert record.costs == {"gradients": 6, "solver_steps": 6 * 40}
