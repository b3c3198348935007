"""Records and the store: what is written is read, what is unsound is named."""

import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdebench_lite.errors import NewerError, PdebenchError
from pdebench_lite.runner.states import State
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.records import (
    LEFT,
    RECORD,
    Record,
    Store,
    load_fields,
    load_history,
    load_records,
    record_of,
)
from pdebench_lite.version import VERSION, later


def make(seed: int = 0, **values: object) -> Record:
    """Return a record."""
    cell = Cell(
        problem="toy", task="forward", problem_params={"c": 1.0}, problem_label="toy",
        method="fake", family="other", config={"act": "exact"}, label="fake", backend="numpy",
        dtype="float64", device="cpu", budget=Budget(max_steps=3), seed=seed,
    )  # fmt: skip
    given: dict[str, object] = {"metrics": {"rel_l2": 0.25, "mae": None}, "sees": {"labels": 3}}
    return record_of(cell, "ok", **given | values)


def put(store: Store, record: Record) -> Path:
    """Publish a record."""
    return store.publish(record, store.workspace(record.cell))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty results folder."""
    return Store(tmp_path / "deep" / "results")


def test_lists_of_numbers_take_a_line_each(tmp_path: Path) -> None:
    """And text that looks like one is left as it is."""
    text = "[\n 1,\n  2]"
    profile = {"t": [0.0, -0.5, 1e-300], "rel_l2": []}
    record = make(profile=profile, details={"text": text, "mixed": [1, "a\n"], "none": [None, 1]})
    store = Store(tmp_path)
    folder = put(store, record)
    assert store.read(folder) == record
    lines = (folder / RECORD).read_text().splitlines()
    assert '  "t": [ 0.0, -0.5, 1e-300 ],' in lines
    assert '  "none": [ null, 1 ]' in lines


def test_round_trip(store: Store) -> None:
    record = make()
    folder = put(store, record)
    assert folder == store.folder(record.cell)
    assert store.read(folder) == store.get(record.cell) == record
    assert store.load().records == [record]
    assert folder.stat().st_mode & 0o777 == 0o755, "others may read it"
    assert not list(store.root.glob(".*-*"))
    raw = json.loads((folder / RECORD).read_text())
    assert raw["metrics"] == {"rel_l2": 0.25, "mae": None}


def test_a_record_from_before_more_was_kept_is_read(store: Store) -> None:
    folder = put(store, make(steal=0.25))
    assert store.read(folder).row()["steal"] == 0.25
    old = json.loads((folder / RECORD).read_text())
    for name in ("steal", "waited", "processors", "pools", "variables"):
        del old[name]
    (folder / RECORD).write_text(json.dumps(old))
    assert store.read(folder) == make()
    assert make().steal is None


def test_rows_have_the_columns_that_are_promised() -> None:
    promised = (
        "schema cell problem problem_params task method config label backend seed status reason "
        "sees rel_l2 metrics reference_bound setup_s data_s compile_s train_s evaluate_s predict_s "
        "charged_s peak_host_mb peak_device_mb params steps evaluations target_reached device dtype"
    )
    row = make().row()
    assert set(promised.split()) <= set(row)
    assert (row["schema"], row["rel_l2"]) == (1, 0.25)
    assert row["budget"]["max_steps"] == 3


def test_a_frame_has_a_column_for_each_metric(store: Store) -> None:
    for seed in range(2):
        put(store, make(seed))
    frame = load_records(store.root)
    assert frame["rel_l2"].tolist() == [0.25, 0.25]
    assert frame["mae"].isna().all()
    assert frame["seed"].tolist() == [0, 1]
    assert load_records(store.root / "nothing").empty


@pytest.mark.parametrize("status", ["diverged", "timeout", "out-of-memory", "crashed"])
def test_failures(status: str) -> None:
    assert make().model_copy(update={"status": status}).failed
    assert not make().model_copy(update={"status": "unsupported"}).failed


# ---- unsound records -------------------------------------------------------------------------


def test_a_record_truncated_at_every_length(store: Store) -> None:
    put(store, make(1))
    folder = put(store, make(0))
    text = (folder / RECORD).read_bytes()
    for length in range(len(text) - 1):  # the last byte is a newline
        (folder / RECORD).write_bytes(text[:length])
        loaded = store.load()
        assert [r.seed for r in loaded.records] == [1]
        (line,) = loaded.unsound
        assert "\n" not in line
        assert str(folder / RECORD) in line
        assert "corrupt record (" in line
        assert store.get(folder.name) is None
    (folder / RECORD).write_bytes(text[:-1])
    assert store.load().unsound == []


GARBAGE = {
    "bytes": (b"\xff\xfe\x00", "corrupt record"),
    "nothing": (b"", "corrupt record (Invalid JSON: "),
    "list": (b"[]", "corrupt record (Input should be an object); pdebench run with the same"),
    "odd": (
        b'{"schema_version": "2"}',
        "newer version of pdebench-lite (schema '2', not 1; this is",
    ),
    "empty": (b'{"schema_version": 1}', "corrupt record (cell: Field required)"),
    "deep": (b"[" * 100_000, "corrupt record"),
    "nan": (b'{"schema_version": NaN}', "corrupt record ("),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage(store: Store, kind: str) -> None:
    content, message = GARBAGE[kind]
    put(store, make(1))
    folder = store.root / "0123456789abcdef"
    folder.mkdir()
    (folder / RECORD).write_bytes(content)
    loaded = store.load()
    assert len(loaded.records) == 1
    (line,) = loaded.unsound
    assert message in line
    assert "\n" not in line


# ---- records of a newer version ----------------------------------------------------------------


def newer(store: Store, seed: int = 0, **more: object) -> Path:
    """Write the record of a version to come; returns its file."""
    record = make(seed)
    file = store.folder(record.cell) / RECORD
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(record.model_dump(mode="json") | more))
    return file


REMEDY = "update with pip install -U pdebench-lite, or use another --results folder"


@pytest.mark.parametrize(
    ("more", "what"),
    [
        ({"version": "99.0", "uncertainty": 0.1}, "99.0"),
        ({"version": "99.0", "status": "paused"}, "99.0"),
        ({"version": "", "environment": "abc", "uncertainty": 0.1}, "98.1"),
        ({"version": "", "uncertainty": 0.1}, "with the field 'uncertainty'"),
        ({"version": "", "budget": {"max_energy": 1.0}}, "with the field 'budget.max_energy'"),
        ({"version": "", "schema_version": 2}, "schema 2, not 1"),
    ],
)
def test_a_record_of_a_newer_version(store: Store, more: dict[str, object], what: str) -> None:
    store.keep_environment({"installed": {"pdebench-lite": "98.1"}}, "abc")
    file = newer(store, **more)
    with pytest.raises(NewerError) as caught:
        store.read(file.parent)
    assert str(caught.value) == (
        f"{file}: made by a newer version of pdebench-lite ({what}; this is {VERSION}); {REMEDY}"
    )
    assert store.newer([file.parent.name]) == str(caught.value)
    assert not State("newer", str(caught.value)).wanted(frozenset({"all"}))


def test_a_record_of_a_newer_version_is_never_replaced(store: Store) -> None:
    file = newer(store, uncertainty=0.1)
    before = file.read_bytes()
    workspace = store.workspace(make().cell)
    assert store.publish(make(reason="of the old program"), workspace) is None
    assert not store.amend(make(), make(reason="of the old program"))
    assert file.read_bytes() == before


def test_a_record_says_which_version_wrote_it(store: Store) -> None:
    folder = put(store, make())
    raw = json.loads((folder / RECORD).read_text())
    assert raw["version"] == VERSION
    (folder / RECORD).write_text(json.dumps({**raw, "version": "99.0"}))
    assert store.read(folder).version == "99.0", "no field of it is unknown"
    del raw["version"]
    (folder / RECORD).write_text(json.dumps(raw))
    assert store.read(folder).version == ""


@pytest.mark.parametrize(
    ("version", "is_later"),
    [("99", True), ("0.100.0", True), (VERSION, False), ("0.0.9", False), ("x", False), (2, False)],
)
def test_later_versions(version: object, is_later: bool) -> None:
    assert later(version) == is_later


def test_many_unsound_records_are_not_all_named(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    for seed in range(30):
        newer(store, seed, uncertainty=0.1)
    left_out = store.load().left_out
    assert len(left_out) == 11
    assert left_out[-1] == "left out: 20 more records"
    assert load_records(store.root).empty
    assert len(caplog.messages) == 11


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    field=st.sampled_from(sorted(Record.model_fields)),
    value=st.sampled_from([None, [], {}, "x", -1, 1.5, {"a": "b"}, True]),
)
def test_any_other_value_is_read_or_named(store: Store, field: str, value: object) -> None:
    folder = store.root / "0123456789abcdef"
    folder.mkdir(exist_ok=True, parents=True)
    (folder / RECORD).write_text(json.dumps(make().model_dump(mode="json") | {field: value}))
    loaded = store.load()
    assert len(loaded.records) + len(loaded.unsound) == 1
    assert all("\n" not in line for line in loaded.unsound)


def test_other_things_in_the_folder(store: Store) -> None:
    put(store, make())
    store.keep_environment({"cpu": "x"}, "abc")
    (store.root / "note.txt").write_text("mine")
    (store.root / ".hidden").mkdir()
    (store.root / "empty").mkdir()
    (store.root / "odd").mkdir()
    (store.root / "odd" / RECORD).mkdir()
    loaded = store.load()
    assert len(loaded.records) == 1
    assert ["No such file" in loaded.unsound[0], "Is a directory" in loaded.unsound[1]] == [
        True
    ] * 2


def test_a_folder_that_cannot_be_listed(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    put(store, make())

    def refuse(self: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(PdebenchError, match=r"cannot read '.*results': Permission denied"):
        store.load()


# ---- finding ---------------------------------------------------------------------------------


def test_finding_a_record(store: Store) -> None:
    store.keep_environment({"cpu": "x"}, "abc")
    for name in ("e123", "e456", "abc1"):
        (store.root / name).mkdir()
        (store.root / name / RECORD).write_text("{}")
    assert store.find("abc1") == store.find("a") == store.root / "abc1"
    assert store.find(str(store.root / "e123")) == store.root / "e123"
    assert store.find("e1").name == "e123"
    for name in ("e", ""):
        with pytest.raises(PdebenchError, match="record"):
            store.find(name)
    with pytest.raises(PdebenchError, match=r"several records begin with 'e' in .*; see: pdebench"):
        store.find("e")
    for name in ("f", "environments", "../results/abc1x", "*", "[a]", "abc12"):
        with pytest.raises(PdebenchError, match="no record begins with"):
            store.find(name)


# ---- publishing ------------------------------------------------------------------------------


def test_a_record_replaces_an_older_one(store: Store) -> None:
    put(store, make(reason="old"))
    workspace = store.workspace(make().cell)
    (workspace / "new.txt").write_text("new")
    folder = store.publish(make(reason="new"), workspace)
    assert store.read(folder).reason == "new"
    assert {p.name for p in folder.iterdir()} == {RECORD, "new.txt"}
    assert [p.name for p in store.root.glob("[!.]*")] == [folder.name]


def test_readers_never_see_half_a_record(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every step of publishing, the folder holds a whole record or none."""
    put(store, make(reason="old"))
    seen = []
    rename = Path.rename

    def spy(self: Path, target: Path) -> Path:
        seen.append([r.reason for r in store.load().records])
        assert store.load().unsound == []
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", spy)
    put(store, make(reason="new"))
    assert seen == [["old"], []]
    assert [r.reason for r in store.load().records] == ["new"]


def test_what_does_not_fit_json_is_never_published(store: Store) -> None:
    workspace = store.workspace("x")
    with pytest.raises(ValueError, match="finite number"):
        store.publish(make(metrics={"rel_l2": float("nan")}), workspace)
    assert store.load().records == []


def dead_pid() -> int:
    """The id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_sweeping(store: Store) -> None:
    mine = store.workspace("aaaa")
    dead = dead_pid()
    theirs = mine.with_name(mine.name.replace(str(os.getpid()), str(dead)))
    shutil.copytree(mine, theirs)
    (theirs / "log.txt").write_text("x")
    unfinished = theirs.with_name(theirs.name.replace("aaaa", "bbbb"))
    shutil.copytree(mine, unfinished)
    (store.root / "aaaa").mkdir()
    elsewhere = store.root / f".running-aaaa-{dead}-1@0123456789ab-xyz"
    unknown = store.root / ".running-odd"
    for folder in (elsewhere, unknown):
        folder.mkdir()
    store.sweep()
    assert mine.is_dir(), "its runner lives"
    assert not theirs.exists(), "the cell has its record"
    assert unfinished.is_dir(), "the cell goes on from there"
    assert store.unfinished("bbbb") == [unfinished]
    assert store.unfinished("aaaa") == [elsewhere]
    (mine / LEFT).touch()
    assert mine in store.unfinished("aaaa"), "its runner has left it, though the process lives"
    assert elsewhere.is_dir(), "that may be a machine that shares the folder"
    assert unknown.is_dir()


def test_a_runner_that_died_between_the_renames_loses_no_record(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = make(reason="old")
    put(store, record)
    workspace = store.workspace(record.cell)
    rename = Path.rename

    def die(self: Path, target: Path) -> Path:
        if self == workspace:
            raise KeyboardInterrupt
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", die)
    with pytest.raises(KeyboardInterrupt):
        store.publish(make(reason="new"), workspace)
    monkeypatch.undo()
    (aside,) = store.root.glob(".old-*")
    aside.rename(aside.with_name(aside.name.replace(str(os.getpid()), str(dead_pid()))))
    assert store.load().records == []
    store.sweep()
    assert [r.reason for r in store.load().records] == ["old"]
    assert not list(store.root.glob(".old-*"))


@pytest.mark.parametrize("place", ["/proc/nowhere", "/dev/null", "/dev/null/results"])
def test_folders_that_cannot_be_written(place: str) -> None:
    with pytest.raises(PdebenchError) as caught:
        Store(place).prepare()
    assert f"cannot write results to '{place}': " in str(caught.value)
    assert str(caught.value).endswith("; choose another folder")


def test_environments_are_kept_once(store: Store) -> None:
    store.keep_environment({"cpu": "first"}, "abc")
    store.keep_environment({"cpu": "second"}, "abc")
    (file,) = (store.root / "environments").iterdir()
    assert json.loads(file.read_text()) == {"cpu": "first"}


# ---- elsewhere -------------------------------------------------------------------------------


def test_a_copied_folder_works(
    fakes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from pdebench_lite.cli import main
    from pdebench_lite.cli.notebook import run

    run("toy", "fake", backend="numpy", max_steps=2, results=tmp_path / "results", quiet=True)
    shutil.copytree(tmp_path / "results", tmp_path / "copy")
    shutil.rmtree(tmp_path / "results")
    store = Store(tmp_path / "copy")
    (record,) = store.load().records
    folder = store.find(record.cell[:6])
    assert len(load_history(folder)) == 3
    assert load_fields(folder).u.shape == (256, 101)
    commands: list[Callable[[], int]] = [
        lambda: main(["table", "--results", str(store.root)]),
        lambda: main(["show", record.cell[:6], "--results", str(store.root)]),
    ]
    for command in commands:
        assert command() == 0
        captured = capsys.readouterr()
        assert "toy" in captured.out
        assert captured.err == ""
