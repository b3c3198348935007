"""Costs that do not depend on the machine: what each kind of method counts."""

from pathlib import Path

import numpy as np
import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import execute, make_budget, plan
from pdebench_lite.store.records import Record, Store, load_history


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
def test_points_of_a_pinn_are_doubled_up_to_a_limit(backend: str, tmp_path: Path) -> None:
    words = "pinn[width=8,depth=2,points=60,redraw=20,doubling=20,most_points=200]"
    record, history = one(words, backend, tmp_path, 80)
    assert record.steps == 80
    counted = np.nan_to_num([history["evaluations"], history["residual_points"]])
    evaluations, read = np.diff(counted)
    points = dict(zip(history["step"][1:], read / evaluations, strict=True))
    assert {n for step, n in points.items() if step <= 20} == {60}
    assert 120 in points.values(), "one doubling at a time"
    assert {n for step, n in points.items() if step > 60} == {200}


@pytest.mark.slow
def test_diffphys_counts_gradients_and_solver_steps(backend: str, tmp_path: Path) -> None:
    words = "diffphys[cells=32,steps=40,optimizer=adam]"
    record, _ = one(words, backend, tmp_path, 6, "burgers")
    assert record.costs == {"gradients": 6, "solver_steps": 6 * 40}
