"""Merging: every record arrives once, what differs is a conflict, nothing escapes the target."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.cli import main
from pdebench_lite.errors import PdebenchError
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.leases import Leases
from pdebench_lite.store.merge import Merged, Prefer, merge
from pdebench_lite.store.records import (
    ENVIRONMENTS,
    FIELDS,
    HISTORY,
    LOG,
    RECORD,
    Record,
    Store,
    record_of,
)


def make(seed: int = 0, error: float = 0.25, **values: Any) -> Record:
    cell = Cell(
        problem="toy", task="forward", problem_params={"c": 1.0}, problem_label="toy",
        method="fake", family="other", config={"act": "exact"}, label="fake", backend="numpy",
        dtype="float64", device="cpu", budget=Budget(max_steps=3), seed=seed,
    )  # fmt: skip
    given: dict[str, Any] = {
        "metrics": {"rel_l2": error, "mae": None},
        "environment": "abc",
        "started": "2026-01-01T00:00:00+00:00",
    }
    return record_of(cell, "ok", **given | values)


def put(root: Path, record: Record, **files: str) -> Path:
    store = Store(root)
    workspace = store.workspace(record.cell)
    for name, text in {"log": "a log", **files}.items():
        (workspace / {"log": LOG, "fields": FIELDS}[name]).write_text(text)
    store.keep_environment({"cpu": "a CPU"}, record.environment)
    folder = store.publish(record, workspace)
    assert folder is not None
    return folder


def snapshot(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path, Path]:
    """Two machines' folders, and a target that is not there yet."""
    a, b = tmp_path / "a", tmp_path / "b"
    put(a, make(0))
    put(a, make(1))
    put(b, make(1), fields="the fields")
    put(b, make(2))
    return a, b, tmp_path / "deep" / "all"


def outcomes(done: Merged) -> list[str]:
    return sorted(decision.outcome for decision in done.decisions)


def test_every_record_arrives_once(places: Any) -> None:
    a, b, into = places
    before = snapshot(a), snapshot(b)
    done = merge([a, b], into)
    assert outcomes(done) == ["copied", "copied", "duplicate"]
    assert done.left_out == []
    assert sorted(r.seed for r in Store(into).load().records) == [0, 1, 2]
    assert (into / make(1).cell / FIELDS).read_text() == "the fields", "the fuller one is kept"
    assert (into / make(0).cell / LOG).read_text() == "a log"
    assert json.loads((into / ENVIRONMENTS / "abc.json").read_text()) == {"cpu": "a CPU"}
    assert (snapshot(a), snapshot(b)) == before, "the sources are only read"
    assert not list(into.glob(".*-*"))
    for path in before[0]:
        assert (a / path).read_bytes() == (into / path).read_bytes()
    first = snapshot(into)
    assert outcomes(merge([a, b], into)) == ["duplicate"] * 3
    assert snapshot(into) == first, "merging again changes nothing"


def test_a_target_with_records_of_its_own(places: Any) -> None:
    a, b, into = places
    put(into, make(1))
    put(into, make(5))
    assert outcomes(merge([a, b], into)) == ["copied", "copied", "duplicate", "kept"]
    assert (into / make(1).cell / FIELDS).read_text() == "the fields"


@pytest.mark.parametrize(("prefer", "taken"), [("", None), ("first", 0.25), ("newest", 0.5)])
def test_conflicts(places: Any, prefer: Prefer, taken: float | None) -> None:
    a, b, into = places
    put(a, make(7, environment="old"))
    put(b, make(7, 0.5, started="2026-01-01T01:30:00+01:00", environment="new", steps=3))
    put(b, make(8))
    done = merge([a, b], into, prefer)
    (decision,) = [d for d in done.decisions if d.cell == make(7).cell]
    assert decision.outcome == ("resolved" if prefer else "conflict")
    assert decision.differences["rel_l2"] == [0.25, 0.5]
    assert decision.differences["steps"] == [None, 3]
    assert decision.differences["environment"] == ["old", "new"]
    assert "mae" not in decision.differences
    found = Store(into).get(make(7).cell)
    assert (None if found is None else found.rel_l2) == taken
    assert sorted(r.seed for r in Store(into).load().records if r.seed != 7) == [0, 1, 2, 8]
    kept = {None: set(), 0.25: {"old"}, 0.5: {"new"}}[taken]
    assert {p.stem for p in (into / ENVIRONMENTS).iterdir()} == {"abc", *kept}


def test_the_moment_counts_not_its_text(places: Any) -> None:
    """01:30 in Paris is half past midnight in UTC."""
    a, b, into = places
    put(a, make(7, started="2026-01-01T01:00:00+00:00"))
    put(b, make(7, 0.5, started="2026-01-01T01:30:00+01:00"))
    put(b, make(8, 0.5, started="whenever"))
    put(a, make(8))
    merge([b, a], into, "newest")
    assert [Store(into).get(make(seed).cell).rel_l2 for seed in (7, 8)] == [0.25, 0.25]


def test_the_target_is_the_first_of_the_folders(places: Any) -> None:
    a, _, into = places
    put(into, make(0, 0.75))
    assert outcomes(merge([a], into)) == ["conflict", "copied"]
    assert Store(into).get(make(0).cell).rel_l2 == 0.75
    merge([a], into, "first")
    assert Store(into).get(make(0).cell).rel_l2 == 0.75
    put(a, make(0, 0.5, started="2026-02-01T00:00:00+00:00"))
    merge([a], into, "newest")
    assert Store(into).get(make(0).cell).rel_l2 == 0.5


def test_a_cell_at_work_in_the_target_is_left_alone(places: Any) -> None:
    a, b, into = places
    into.mkdir(parents=True)
    with Leases(into) as leases:
        assert leases.take(make(0).cell)
        assert outcomes(merge([a, b], into)) == ["busy", "copied", "duplicate"]
        assert Store(into).get(make(0).cell) is None


def test_a_record_of_a_newer_version_stays_in_the_target(places: Any) -> None:
    a, _, into = places
    theirs = into / make(0).cell / RECORD
    theirs.parent.mkdir(parents=True)
    theirs.write_text(json.dumps(make(0, 0.75).model_dump(mode="json") | {"uncertainty": 0.1}))
    before = theirs.read_bytes()
    done = merge([a], into, "first")
    assert sorted(outcomes(done)) == ["copied", "newer"]
    assert theirs.read_bytes() == before
    (line,) = done.left_out
    assert "made by a newer version of pdebench-lite" in line
    assert not list(into.glob(".running-*"))


# ---- hostile folders -------------------------------------------------------------------------


def test_corrupt_records_are_named_and_left_out(places: Any) -> None:
    a, b, into = places
    (a / make(0).cell / RECORD).write_text("{}")
    (a / "0123456789abcdef").mkdir()
    wrong = a / "fedcba9876543210"
    wrong.mkdir()
    (wrong / RECORD).write_text(json.dumps(make(3).model_dump(mode="json")))
    done = merge([a, b], into)
    assert sorted(r.seed for r in Store(into).load().records) == [1, 2]
    assert len(done.left_out) == 3
    assert all("\n" not in line and str(a) in line for line in done.left_out)


def test_links_are_not_followed(places: Any, tmp_path: Path) -> None:
    a, b, into = places
    secret = tmp_path / "secret"
    secret.write_text("a secret")
    (a / make(0).cell / FIELDS).symlink_to(secret)
    (b / make(2).cell).rename(tmp_path / "elsewhere")
    (b / make(2).cell).symlink_to(tmp_path / "elsewhere")
    (a / ENVIRONMENTS / "abc.json").unlink()
    (a / ENVIRONMENTS / "abc.json").symlink_to(secret)
    done = merge([a, b], into)
    assert sum("links are not followed" in line for line in done.left_out) == 2
    assert b"a secret" not in snapshot(into).values()
    assert sorted(r.seed for r in Store(into).load().records) == [0, 1]


@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "a/b", "x" * 65, "a\n"])
def test_a_record_cannot_name_a_file_elsewhere(places: Any, name: str) -> None:
    a, b, into = places
    path = a / make(0).cell / RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), "environment": name}))
    done = merge([a, b], into)
    assert len(done.left_out) == 1
    assert {p.name for p in into.parent.iterdir()} == {into.name}


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000])
def test_an_environment_that_is_garbage(places: Any, text: str) -> None:
    a, b, into = places
    put(a, make(9, environment="odd"))
    (a / ENVIRONMENTS / "odd.json").write_text(text)
    done = merge([a, b], into)
    assert done.left_out == [f"{a / ENVIRONMENTS / 'odd.json'}: missing or no environment"]
    assert not (into / ENVIRONMENTS / "odd.json").exists()


def test_environments_of_one_name_that_differ(places: Any) -> None:
    a, b, into = places
    (b / ENVIRONMENTS / "abc.json").write_text('{"cpu": "another"}')
    done = merge([a, b], into)
    assert done.left_out == [
        f"{b / ENVIRONMENTS / 'abc.json'}: differs from the target's, which stays"
    ]
    assert json.loads((into / ENVIRONMENTS / "abc.json").read_text()) == {"cpu": "a CPU"}


def test_bad_folders(places: Any, tmp_path: Path) -> None:
    a, _, into = places
    with pytest.raises(PdebenchError, match="no results folder"):
        merge([a, tmp_path / "nothing"], into)
    assert not into.exists()
    with pytest.raises(PdebenchError, match="is the target itself"):
        merge([a], a / "." / "x" / "..")
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(PdebenchError, match="cannot write results to"):
        merge([a], file)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_target_that_cannot_be_written(places: Any, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    with pytest.raises(PdebenchError, match="cannot write results to"):
        merge([places[0]], locked)


# ---- the command -----------------------------------------------------------------------------


def test_the_command(places: Any, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, into = places
    put(a, make(7, reason="\x1b[31m=1+1"))
    put(b, make(7, 0.5))
    words = ["merge", str(a), str(b), "--into", str(into)]
    assert main(words) == 1
    out = capsys.readouterr().out
    assert "conflict" in out
    assert "rel_l2: 0.25 | 0.5" in out
    assert "--prefer first or --prefer newest" in out
    assert "\x1b" not in out
    assert main([*words, "--prefer", "newest", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    by_cell = {one["cell"]: one for one in answer["cells"]}
    assert by_cell[make(7).cell]["taken"] == str(a), "of two as new as each other the first"
    assert answer["left_out"] == []
    assert main([*words, "--prefer", "oldest"]) == 2
    assert "unknown --prefer 'oldest'" in capsys.readouterr().err
    assert main(["merge", str(a)]) == 2


def test_records_only_leaves_fields_and_logs_behind(places: Any) -> None:
    a, b, into = places
    put(b, make(3), fields="the fields")
    (b / make(3).cell / HISTORY).write_bytes(b"a history")
    assert main(["merge", str(a), str(b), "--into", str(into), "--records-only"]) == 0
    kept = {path.name for path in into.rglob("*") if path.is_file() and path.parent != into}
    assert kept == {RECORD, HISTORY, "abc.json"}
    assert len(Store(into).load().records) == 4
