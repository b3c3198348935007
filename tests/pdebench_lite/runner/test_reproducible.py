"""The same cell twice: the same numbers, bit by bit; and nothing that is added changes them."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import execute, make_budget, plan
from pdebench_lite.store.records import WEIGHTS, Record, Store, load_history

Race = Callable[..., list[Record]]
MEASURED = ("charged_s", "peak_host_mb")  # columns of the history that differ from run to run
METHODS = {
    "mlp": "mlp[labels=50]",
    "pinn": "pinn[width=8,depth=2,points=60]",
    "diffphys": "diffphys[cells=128,modes=16]",
}


def train(
    method: str, backend: str, folder: Path, max_steps: int | None, max_time: float | None = None
) -> tuple[Record, pd.DataFrame, dict[str, np.ndarray]]:
    """Run one cell on Burgers' equation; returns record, history, and weights."""
    pytest.importorskip(backend)
    known = registry()
    budget = make_budget(max_time, max_steps)
    cells, devices = plan(known, "burgers", METHODS[method], backend, (0,), budget, "cpu")
    (record,) = execute(known, cells, devices, folder)
    assert record.status == "ok", record.reason
    place = Store(folder).folder(record.cell)
    with np.load(place / WEIGHTS, allow_pickle=False) as weights:
        return record, load_history(place), dict(weights)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("method", METHODS)
def test_a_cell_with_max_steps_is_bitwise_the_same_twice(
    method: str, backend: str, tmp_path: Path
) -> None:
    first, second = (train(method, backend, tmp_path / name, 25) for name in "ab")
    assert first[0].metrics == second[0].metrics
    assert first[0].sees == second[0].sees
    assert (first[0].steps, first[0].costs) == (second[0].steps, second[0].costs)
    pd.testing.assert_frame_equal(
        first[1].drop(columns=list(MEASURED)), second[1].drop(columns=list(MEASURED)),
        check_exact=True,
    )  # fmt: skip
    assert first[2].keys() == second[2].keys()
    assert all(np.array_equal(first[2][name], second[2][name]) for name in first[2])


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("method", METHODS)
def test_cells_limited_by_time_agree_on_every_common_step(
    method: str, backend: str, tmp_path: Path
) -> None:
    short, long = (
        train(method, backend, tmp_path / str(seconds), None, seconds)[1].drop(
            columns=list(MEASURED)
        )
        for seconds in (12.0, 18.0)
    )
    both = short.merge(long, on="step", suffixes=("", " of the longer"))
    assert len(both) >= 3
    for name in short.columns.drop("step"):
        # The last row of a run is its end, not a scheduled evaluation: it may lack the loss.
        pair = both[[name, f"{name} of the longer"]].iloc[:-1].to_numpy()
        np.testing.assert_array_equal(pair[:, 0], pair[:, 1], err_msg=name)


def test_what_is_added_to_a_study_changes_no_other_cell(race: Race, store: Store) -> None:
    """Data and draws come from the cell alone, not from its place in a study."""
    words = "fake[act=draws]"
    (alone,) = race(words, max_steps=3)
    text = json.dumps(alone.details, sort_keys=True)
    more = race(
        f"twin,{words},fake", "toy[c=2],toy", seeds=(3, 0), max_steps=3, rerun="all", jobs=2
    )
    (again,) = [r for r in more if r.cell == alone.cell]
    assert again.started >= alone.started
    assert json.dumps(again.details, sort_keys=True) == text
    assert again.metrics == alone.metrics
    (other,) = [
        r for r in more if r.label == alone.label and r.seed == 3 and r.problem_label == "toy"
    ]
    assert other.details["labels"] != alone.details["labels"]
