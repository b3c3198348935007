"""Rescoring: what is recomputed agrees, what is new is written, what was not saved is said."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest

import pdebench_lite
from pdebench_lite.cli import main
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.runner.rescore import NOTE, Rescored, rescore
from pdebench_lite.store.records import FIELDS, RECORD, Store

PLUGIN = """
import numpy as np
from pdebench_lite import Metric, hookimpl

def _peak(e):
    return float(np.max(np.abs(e.fields["u"])))

def _between(e):
    return float(e.solution.predict({"x": np.array([0.123]), "t": np.array([0.456])})["u"][0])

@hookimpl
def pdebench_metrics():
    return (
        Metric("peak", "largest value", _peak),
        Metric("between", "value between the nodes", _between),
        Metric("carried_bound_again", "bound", lambda e: e.carried and e.carried.bound),
        Metric("paths", "paths", lambda e: float(e.carried.paths["departure"][0])),
        Metric("noise", "noise level", lambda e: e.observations[0].noise),
        Metric("broken", "divides", lambda e: 1 / 0),
        Metric("endless", "infinite", lambda e: float("inf")),
        Metric("silent", "None", lambda e: None),
    )
"""
NEW = ("peak", "between", "carried_bound_again", "paths", "noise", "broken", "endless", "silent")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the cells are run, once for all tests."""
    return tmp_path_factory.mktemp("made") / "results"


@pytest.fixture
def results(fakes: Path, made: Path, tmp_path: Path) -> Path:
    """Two finished cells of the toy problem, one that crashed."""
    if not made.exists():
        run_cells(made)
    return Path(shutil.copytree(made, tmp_path / "results"))


def run_cells(folder: Path) -> None:
    problem = "toy[c=1.0],toy:reconstruction[noise=0.01]"
    frame = pdebench_lite.run(
        problem, "fake[error=0.25]", backend="numpy", max_steps=2, results=folder
    )
    assert frame["status"].tolist() == ["ok", "ok"]
    pdebench_lite.run("toy", "fake[act=exit]", backend="numpy", max_steps=2, results=folder)


@pytest.fixture
def known(
    results: Path,
    distribution: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Registry:
    """The registry after a plugin of metrics was installed."""
    site = tmp_path / "later"
    distribution(site, "pdebench-later", {"later": "pdebench_later"}, {"pdebench_later.py": PLUGIN})
    monkeypatch.syspath_prepend(str(site))
    registry.cache_clear()
    return registry()


def scored(results: Path, known: Registry, *names: str, replace: bool = False) -> list[Rescored]:
    store = Store(results)
    return list(rescore(store, known, store.load().records, names, replace))


def by_task(done: list[Rescored], task: str) -> dict[str, Any]:
    (one,) = [r for r in done if r.record.task == task and r.record.status == "ok"]
    assert not one.skipped
    return {score.metric: score for score in one.scores}


def test_what_is_recomputed_agrees(results: Path) -> None:
    before = {path: path.read_bytes() for path in results.glob(f"*/{RECORD}")}
    records = Store(results).load().records
    assert any("rel_l2_carried" in r.metrics and "misfit" in r.metrics for r in records)
    names = sorted({name for r in records for name, value in r.metrics.items() if value})
    done = scored(results, registry(), *names)
    for one in done:
        if one.record.status != "ok":
            assert one.skipped == "crashed records have no fields"
            continue
        outcomes = {s.metric: s.outcome for s in one.scores}
        assert {"rel_l2", "mae", "linf", "spread"} <= {m for m in names if outcomes[m] == "agrees"}
        assert "differs" not in outcomes.values()
        saved = [m for m in names if outcomes[m] == "agrees"]
        for metric in saved:
            (score,) = [s for s in one.scores if s.metric == metric]
            assert score.value == pytest.approx(one.record.metrics[metric], rel=1e-12)
    assert by_task(done, "reconstruction")["rel_l2_carried"].outcome == "agrees"
    assert by_task(done, "reconstruction")["initial_rel_l2"].outcome == "agrees"
    assert {path: path.read_bytes() for path in results.glob(f"*/{RECORD}")} == before


def test_new_metrics_are_written_and_say_where_they_come_from(
    results: Path, known: Registry
) -> None:
    done = scored(results, known)
    scores = by_task(done, "reconstruction")
    assert (scores["peak"].outcome, scores["peak"].before) == ("written", None)
    assert scores["peak"].value == pytest.approx(1.25, rel=1e-3)
    assert scores["noise"].outcome == "written"
    assert scores["noise"].value > 0
    for metric, why in {
        "between": "it asks for the solution at points that were not saved",
        "paths": "it asks for 'departure', which is not among the saved fields",
        "broken": "it failed: ZeroDivisionError: division by zero",
        "endless": "it is inf",
    }.items():
        assert (scores[metric].outcome, scores[metric].value) == ("impossible", None)
        assert scores[metric].why == why
    assert "silent" not in scores
    (record,) = [r for r in Store(results).load().records if r.task == "reconstruction"]
    assert record.metrics["peak"] == scores["peak"].value
    assert record.metrics["carried_bound_again"] == record.carried_bound
    assert not set(record.metrics) & {"between", "paths", "broken", "endless", "silent"}
    note = record.details[NOTE]
    assert set(note) == {"peak", "noise", "carried_bound_again"}
    assert note["peak"]["plugin"] == "pdebench_later"
    assert set(note["peak"]["fingerprint"]) >= {
        "pdebench_lite/metrics/metric.py", "pdebench_later.py", "numpy"
    }  # fmt: skip
    assert "before" not in note["peak"]
    again = by_task(scored(results, known), "reconstruction")
    assert {s.outcome for s in again.values()} == {"impossible"}


def test_everything_else_of_a_record_stays(results: Path, known: Registry) -> None:
    before = {r.cell: r for r in Store(results).load().records}
    scored(results, known, "peak")
    for record in Store(results).load().records:
        old = before[record.cell]
        same = set(type(record).model_fields) - {"metrics", "details"}
        assert {n: getattr(record, n) for n in same} == {n: getattr(old, n) for n in same}
        assert old.metrics.items() <= record.metrics.items()
        assert old.details.items() <= record.details.items()
        assert not list((results / record.cell).glob(".*"))


def test_a_value_that_differs_stays_unless_replaced(results: Path, known: Registry) -> None:
    store = Store(results)
    (old,) = [r for r in store.load().records if r.task == "reconstruction"]
    wrong = old.model_copy(update={"metrics": {**old.metrics, "mae": 7.0}})
    assert store.amend(old, wrong)
    score = by_task(scored(results, known, "mae"), "reconstruction")["mae"]
    assert (score.outcome, score.before) == ("differs", 7.0)
    assert store.get(old.cell).metrics["mae"] == 7.0
    score = by_task(scored(results, known, "mae", replace=True), "reconstruction")["mae"]
    assert score.outcome == "replaced"
    record = store.get(old.cell)
    assert record.metrics["mae"] == pytest.approx(old.metrics["mae"], rel=1e-12)
    assert record.details[NOTE]["mae"]["before"] == 7.0


def test_a_record_that_changed_meanwhile_is_left_alone(results: Path, known: Registry) -> None:
    store = Store(results)
    old = store.load().records
    for record in old:
        assert store.amend(record, record.model_copy(update={"wall_s": 123.0}))
    done = list(rescore(store, known, old, ["peak"]))
    assert {one.skipped for one in done} == {
        "it was written by another process meanwhile", "crashed records have no fields"
    }  # fmt: skip
    assert all("peak" not in record.metrics for record in store.load().records)


def test_no_such_metric(results: Path) -> None:
    with pytest.raises(PdebenchError, match="did you mean 'mae'"):
        scored(results, registry(), "mea")


def damage(results: Path, what: str) -> None:
    for path in results.glob(f"*/{FIELDS}"):
        if what == "missing":
            path.unlink()
        elif what == "truncated":
            path.write_bytes(path.read_bytes()[:700])
        else:
            with h5py.File(path, "r+") as file:
                if what == "variable":
                    del file["u_reference"]
                elif "u_observed" in file:
                    file["u_observed"][0] += 1e-3


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("missing", "it has no fields.nc"),
        ("truncated", "cannot be read: "),
        ("variable", "lacks 'u_reference'"),
        ("observations", "no longer those that were saved: the problem has changed since"),
    ],
)
def test_damaged_fields_are_named(results: Path, what: str, why: str) -> None:
    damage(results, what)
    done = scored(results, registry(), "mae")
    (one,) = [r for r in done if r.record.task == "reconstruction"]
    assert why in one.skipped
    assert "\n" not in one.skipped


def test_a_problem_that_is_not_installed(
    results: Path, monkeypatch: pytest.MonkeyPatch, fakes_folder: Path
) -> None:
    import sys

    monkeypatch.setattr(sys, "path", [p for p in sys.path if p != str(fakes_folder)])
    registry.cache_clear()
    done = scored(results, registry(), "mae")
    assert all("unknown problem 'toy'" in r.skipped for r in done if r.record.status == "ok")


def test_the_command(
    results: Path, known: Registry, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(results, copy)
    assert main(["rescore", "--results", str(copy), "--metric", "peak", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert {s["outcome"] for one in answer for s in one["scores"]} == {"written"}
    assert main(["rescore", "--results", str(results)]) == 0
    out = capsys.readouterr().out
    assert "peak" in out
    assert "between: it asks for the solution at points that were not saved (2 records)" in out
    assert "skipped: crashed records have no fields (1 records)" in out
    assert out.endswith(f"2 of 3 records in {results} changed\n")
    assert main(["rescore", "--results", str(results), "--metric", "none"]) == 2
    assert main(["rescore", "--results", str(tmp_path / "nothing")]) == 2
