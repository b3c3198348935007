"""`pdebench status`: every state a cell can be in, and what to type about it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from pdebench_lite.runner.states import RERUN, State
from pdebench_lite.store.leases import Leases
from pdebench_lite.store.records import RECORD, Store

STUDY = """\
problem: toy
methods: [fake, "fake[act=exit]", "fake[error=0.1]", "fake[error=0.2]", "fake[error=0.3]", twin]
backend: numpy
max-steps: 3
"""


@pytest.fixture
def results(fakes: Path, tmp_path: Path, pdebench: Callable) -> Path:
    """A results folder that holds one cell of every state."""
    study, folder = tmp_path / "study.yaml", tmp_path / "results"
    study.write_text(STUDY)
    assert pdebench("run", str(study), "--results", str(folder)).status == 1
    store = Store(folder)
    cells = {record.label: record.cell for record in store.load().records}
    path = store.folder(cells["fake[error=0.1]"]) / RECORD
    old = store.read(path.parent)
    path.write_text(
        old.model_copy(
            update={"fingerprint": {**old.fingerprint, "numpy": "0.1"}}
        ).model_dump_json()
    )
    (store.folder(cells["fake[error=0.2]"]) / RECORD).write_text("{")
    for label in ("fake[error=0.3]", "twin"):
        (store.folder(cells[label]) / RECORD).unlink()
        for path in store.folder(cells[label]).iterdir():
            path.unlink()
        store.folder(cells[label]).rmdir()
    return folder


def test_every_state(results: Path, tmp_path: Path, pdebench: Callable) -> None:
    store = Store(results)
    study = str(tmp_path / "study.yaml")
    listed = pdebench("status", study, "--results", str(results), "--format", "json")
    twin = next(row["cell"] for row in json.loads(listed.out) if "twin" in row["title"])
    with Leases(results) as leases:
        assert leases.take(twin)
        answer = pdebench("status", study, "--results", str(results), "--format", "json")
        text = pdebench("status", study, "--results", str(results))
    states = {row["title"].split(" · ")[1]: row for row in json.loads(answer.out)}
    assert {name: row["state"] for name, row in states.items()} == {
        "fake": "fresh",
        "fake[act=exit]": "failed",
        "fake[error=0.1]": "stale",
        "fake[error=0.2]": "corrupt",
        "fake[error=0.3]": "missing",
        "twin": "running",
    }
    assert states["fake[act=exit]"]["note"] == "crashed: the process exited with 3"
    assert states["fake[error=0.1]"]["note"].startswith("numpy 0.1 -> ")
    assert "corrupt record" in states["fake[error=0.2]"]["note"]
    assert states["twin"]["note"].startswith("process ")
    said = "6 cells: 1 running, 1 missing, 1 corrupt, 1 failed, 1 stale, 1 fresh"
    assert said in text.out.splitlines()
    assert "--rerun stale" in text.out
    assert store.load().unsound
    there = pdebench("status", "--results", str(results), "--format", "json")
    found = sorted(row["state"] for row in json.loads(there.out))
    assert found == ["corrupt", "failed", "fresh", "stale"], "of a folder, without a study"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--results", "nowhere"], "no results folder 'nowhere'"),
        (["--results", ".", "--format", "yaml"], "unknown format 'yaml'"),
        (["missing.yaml", "--results", "."], "missing.yaml"),
    ],
)
def test_bad_input(
    words: list[str], message: str, pdebench: Callable, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    answer = pdebench("status", *words)
    assert answer.status == 2
    assert message in answer.line


def test_a_record_of_a_newer_version(results: Path, tmp_path: Path, pdebench: Callable) -> None:
    record = next(r for r in Store(results).load().records if r.status == "ok")
    path = results / record.cell / RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": "99.0", "new": 1}))
    for words in ([], [str(tmp_path / "study.yaml")]):
        answer = pdebench("status", *words, "--results", str(results), "--format", "json")
        (row,) = (row for row in json.loads(answer.out) if row["state"] == "newer")
        assert row["cell"] == record.cell
        assert "pdebench-lite (99.0; this is" in row["note"]
    answer = pdebench("status", "--results", str(results))
    assert "pip install -U pdebench-lite reads records of a newer version" in answer.out


def test_what_is_wanted() -> None:
    assert set(RERUN) == {"failed", "stale", "all"}
    assert State("missing").wanted(frozenset())
    assert State("corrupt").wanted(frozenset())
