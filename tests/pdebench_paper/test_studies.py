"""Study files written from cells stand for exactly these cells."""

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.study import make_cell
from pdebench_lite.runner.study.file import load_study
from pdebench_lite.store.cell import Budget, Cell
from pdebench_paper.studies import study_files

PROBLEMS = ("burgers", "burgers:forward[nu=0.02]", "advection-density")
METHODS = ("pinn", "pinn[width=30]", "mlp[optimizer=adam]", "etdrk4[cells=64]")
BUDGETS = (
    Budget(max_time=30.0),
    Budget(max_time=2.5, max_steps=7),
    Budget(max_steps=100, target_error=1e-3),
    Budget(max_steps=100, max_memory=4e9),
)


def cells_of(
    problems: Sequence[str], methods: Sequence[str], seeds: Sequence[int], budgets: Sequence[Budget]
) -> list[Cell]:
    known = registry()
    cells = []
    for problem, selector, seed, budget in product(problems, methods, seeds, budgets):
        method, config = known.configured(selector)
        for backend in method.solvers:
            task = known.task(problem)
            cells.append(make_cell(task, method, config, backend, seed, budget))
    return cells


EVERY = cells_of(PROBLEMS, METHODS, (0, 1, 3), BUDGETS)


def planned(texts: Sequence[str], folder: Path) -> list[str]:
    hashes = []
    for n, text in enumerate(texts):
        path = folder / f"{n}.yaml"
        path.write_text(text, encoding="utf-8")
        cells, devices = load_study(path).plan(registry())
        hashes += [cell.hash for cell in cells]
        assert set(devices.values()) == {"cpu"}
    return hashes


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(st.sampled_from(EVERY), unique_by=lambda cell: cell.hash, min_size=1, max_size=25))
def test_any_cells(tmp_path: Path, cells: list[Cell]) -> None:
    hashes = planned(study_files(cells, registry()), tmp_path)
    assert sorted(hashes) == sorted(cell.hash for cell in cells), "each once, and no others"


def test_a_full_cross_is_one_short_file(tmp_path: Path) -> None:
    cells = cells_of(PROBLEMS[:2], METHODS[:3], (0, 1), BUDGETS[:1])
    (text,) = study_files(cells, registry())
    assert yaml.safe_load(text) == {
        "problem": ["burgers", "burgers:forward[nu=0.02]"],
        "methods": ["pinn", "pinn[width=30]", "mlp[optimizer=adam]"],
        "backend": ["all"], "device": "cpu", "dtype": ["float64"], "max-time": [30.0], "seeds": 2,
    }  # fmt: skip


def test_methods_of_different_backends_share_a_file() -> None:
    cells = cells_of(("burgers:forward",), ("pinn", "etdrk4"), (0,), BUDGETS[:1])
    assert {cell.backend for cell in cells} == {"torch", "jax", "numpy"}
    assert len(study_files(cells, registry())) == 1
    one = [cell for cell in cells if cell.backend != "jax"]
    assert len(study_files(one, registry())) == 2, "pinn on torch alone is not `all`"


@pytest.mark.parametrize("size", [4e9, 2.0**31, 5e8, 1234567.0, 1.5e9, 123456789.0])
def test_sizes_of_memory_come_back(tmp_path: Path, size: float) -> None:
    (cell, *_) = cells_of(PROBLEMS[:1], METHODS[:1], (0,), [Budget(max_steps=1, max_memory=size)])
    assert planned(study_files([cell], registry()), tmp_path) == [cell.hash]


def test_labels_that_mean_something_else_today_are_written_in_full(tmp_path: Path) -> None:
    (cell, *_) = cells_of(PROBLEMS[:1], ("pinn[width=30]",), (0,), BUDGETS[:1])
    other = cell.model_copy(update={"label": "pinn", "problem_label": "burgers[nu=0.5]"})
    assert planned(study_files([other], registry()), tmp_path) == [cell.hash]


def test_what_is_not_installed_is_written_as_it_was() -> None:
    (cell, *_) = EVERY
    strange = cell.model_copy(
        update={"method": "gone", "label": "gone[a=1]", "config": {"a": 1, "b": "x, y: #"}}
    )
    (text,) = study_files([strange], registry())
    assert yaml.safe_load(text)["methods"] == ['gone[a=1,b="x, y: #"]']
