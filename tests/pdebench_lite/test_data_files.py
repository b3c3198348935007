"""Data files count by their contents and are shown by name: a stranger's problem, method, records.

The stranger's problem reads its speed from the file that `source` names, and his method one from
`start`, on the plugin of fakes.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pdebench_lite
from pdebench_lite import data_files
from pdebench_lite.analysis.entrants import Source, contests
from pdebench_lite.cli import application, commands_for
from pdebench_lite.data_files import DataFile, digest_of
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.study import make_cells
from pdebench_lite.runner.study.file import load_study
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.merge import merge
from pdebench_lite.store.naming import one_name
from pdebench_lite.store.records import LOG, RECORD, Record, Store, record_of
from pdebench_paper.instructions import instructions
from pdebench_paper.studies import study_files

runner = pytest.importorskip("typer.testing").CliRunner()

STRANGER = """
from pdebench_fakes import FakeSettings, Toy, solve
from pdebench_lite import DataFile, Method, Settings, hookimpl

class Measured(Toy):
    name = "measured"
    class Parameters(Settings):
        source: DataFile | None = None
        @property
        def c(self):
            return float(open(self.source).read()) if self.source else 1.0

class Started(FakeSettings):
    start: DataFile | None = None

def begin(view, run):
    if run.config.act == "complain":
        raise RuntimeError(f"'{run.config.start.path}' is too short")
    if run.config.act == "spoil":
        open(run.config.start, "w").write("spoilt")
    return solve(view, run)

@hookimpl
def pdebench_problems():
    return (Measured,)

@hookimpl
def pdebench_methods():
    return (Method("started", "other", "begins at numbers of a file",
                   {"numpy": "pdebench_stranger:begin"}, Started),)
"""


@pytest.fixture
def stranger(
    fakes: Path,
    distribution: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Path]:
    """Install the stranger's plugin; returns the folder, that of a user, where the test stands."""
    site, home = tmp_path / "site", tmp_path / "home" / "maria"
    distribution(
        site, "pdebench-stranger", {"stranger": "pdebench_stranger"},
        {"pdebench_stranger.py": STRANGER},
    )  # fmt: skip
    home.mkdir(parents=True)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([os.environ["PYTHONPATH"], str(site)]))
    monkeypatch.setenv("PDEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(data_files, "_seen", {})
    monkeypatch.chdir(home)
    registry.cache_clear()
    yield home
    sys.modules.pop("pdebench_stranger", None)


def run(problem: str, methods: str, results: str = "r") -> Any:
    return pdebench_lite.run(problem, methods, max_steps=2, results=results)


def pdebench(*words: str) -> str:
    done = runner.invoke(
        application(commands_for(list(words))), list(words), catch_exceptions=False
    )
    return done.stdout + done.stderr


def sums(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def cell_of(problem: str, method: str = "fake") -> Cell:
    (cell,) = make_cells(registry(), problem, method, ["numpy"], budget=Budget(max_steps=2))
    return cell


def labels(results: str) -> list[tuple[str, int]]:
    return [(c.label, len(c.entrants)) for c in contests([Source(Store(results))])]


# ---- contents are what counts ------------------------------------------------------------------


def test_other_contents_under_the_same_path_are_another_problem(stranger: Path) -> None:
    for text, method in (("1.0", "fake"), ("2.0", "twin")):
        Path("d.txt").write_text(text)
        run("measured[source=d.txt]", method)
    one, two = (hashlib.sha256(text).hexdigest()[:12] for text in (b"1.0", b"2.0"))
    expected = {(f"measured[source=d.txt@{digest}]", 1) for digest in (one, two)}
    assert set(labels("r")) == expected
    for folder, record in zip("ab", Store("r").load().records, strict=True):
        shutil.copytree(f"r/{record.cell}", f"{folder}/{record.cell}")
    assert not merge([Path("a"), Path("b")], Path("both")).conflicts
    assert set(labels("both")) == expected
    table = pdebench("table", "--results", "both")
    assert one in table
    assert two in table


def test_a_file_of_pdebench_is_what_it_holds(stranger: Path) -> None:
    order = ["data", "write", "--problem", "burgers:family[cells=16]", "--instances", "9"]
    sizes = "train=3,test=3,validation=3"
    for seed, method in ((0, "linear-regression"), (1, "etdrk4")):
        pdebench(*order, "--out", "d.hdf5", "--seed", str(seed))
        run(f"pdebench-file[path=d.hdf5,{sizes}]", method)
        assert f"d.hdf5@{sums('d.hdf5')[:12]}" in pdebench("table", "--results", "r")
    first, second = Store("r").load().records
    assert first.problem_label != second.problem_label
    assert first.problem_params["path"] != second.problem_params["path"]


def test_the_same_contents_are_one_problem_wherever_they_lie(stranger: Path) -> None:
    Path("d.txt").write_text("1.0")
    before = run("measured[source=d.txt]", "fake")
    Path("old").mkdir()
    Path("old/e.txt").write_text("1.0")
    Path("link.txt").symlink_to("old/e.txt")
    paths = ("d.txt", "old/e.txt", "link.txt", f"{stranger}/d.txt", "~/old/e.txt", "old/../d.txt")
    assert {cell_of(f"measured[source={path}]").hash for path in paths} == {before.cell[0]}
    Path("d.txt").rename("old/moved.txt")
    again = run("measured[source=old/moved.txt]", "fake,twin")
    assert again.started[0] == before.started[0], "it is not run twice"
    assert set(again.problem_label) == {f"measured[source=d.txt@{sums('link.txt')[:12]}]"}
    assert labels("r") == [(again.problem_label[0], 2)]


def test_two_folders_that_name_a_file_differently_are_raced(stranger: Path) -> None:
    for name, method, folder in (("a", "fake", "one"), ("b", "twin", "two")):
        Path(f"{name}.txt").write_text("1.0")
        run(f"measured[source={name}.txt]", method, folder)
    both = contests([Source(Store("one")), Source(Store("two"), "two")])
    assert [len(contest.entrants) for contest in both] == [2]
    digest = sums("a.txt")[:12]
    for name in ("measured", "measured[source=a.txt]", f"measured[source=a.txt@{digest}]"):
        assert "fake" in pdebench("table", "--results", "one", "--problem", name)
    merge([Path("one"), Path("two")], Path("both"))
    again = merge([Path("one"), Path("two")], Path("both"))  # copies differ from nothing
    assert not again.conflicts


def test_a_method_s_file_counts_by_its_contents_too(stranger: Path) -> None:
    Path("s.txt").write_text("1")
    Path("t.txt").write_text("1")
    one = cell_of("toy", "started[start=s.txt]")
    assert one.hash == cell_of("toy", "started[start=t.txt]").hash
    assert one.label == f"started[start=s.txt@{sums('s.txt')[:12]}]"
    Path("t.txt").write_text("2")
    assert one.hash != cell_of("toy", "started[start=t.txt]").hash


def test_what_seeds_a_cell_is_not_the_name_of_its_file(stranger: Path) -> None:
    from pdebench_lite.runner.streams import data_stream, method_stream

    Path("a.txt").write_text("1.0")
    Path("b.txt").write_text("1.0")
    a, b = (cell_of(f"measured[source={name}.txt]") for name in "ab")
    for stream in (data_stream, method_stream):
        assert stream(a)("x").random() == stream(b)("x").random()


def test_an_override_of_a_study_means_contents(stranger: Path) -> None:
    Path("a.txt").write_text("1.0")
    Path("b.txt").write_text("2.0")
    Path("c.txt").write_text("2.0")
    Path("s.yaml").write_text(
        "problem: ['measured[source=a.txt]', 'measured[source=b.txt]']\nmethods: fake\n"
        "max-steps: 2\noverrides: {'measured[source=c.txt]': {max-steps: 7}}\n"
    )
    cells, _ = load_study(Path("s.yaml")).plan(registry())
    assert [cell.budget.max_steps for cell in cells] == [2, 7]


# ---- what others see ---------------------------------------------------------------------------


def test_no_folder_of_the_user_is_shown(stranger: Path) -> None:
    Path("deep").mkdir()
    Path("deep/d.txt").write_text("1.0")
    run(f"measured[source={stranger}/deep/d.txt]", "fake")
    made = run("toy", f"started[start={stranger}/deep/d.txt,act=complain]")
    assert made.reason[0] == "RuntimeError: 'd.txt' is too short"
    formats = ("text", "md", "latex", "csv", "json")
    shown = [pdebench("table", "-v", "--results", "r", "--format", name) for name in formats]
    shown += [pdebench(verb, "--results", "r") for verb in ("compare", "status")]
    shown += [path.read_text() for name in (RECORD, LOG) for path in Path("r").rglob(name)]
    assert sum("d.txt" in text for text in shown) >= len(shown) - 1, "one log is empty"
    for text in shown:
        assert "maria" not in text


@pytest.mark.slow
def test_no_folder_of_the_user_is_in_report_figures_or_bundle(stranger: Path) -> None:
    Path("deep").mkdir()
    Path("deep/d.txt").write_text("1.0")
    run(f"measured[source={stranger}/deep/d.txt]", "fake,twin")
    pdebench("report", "--results", "r", "--out", "shown/report.html")
    pdebench("plot", "--results", "r", "--out", "shown/figures")
    pdebench("paper", "--results", "r", "--out", "shown/bundle")
    digest = sums("deep/d.txt")
    assert f"{digest}  d.txt\nEND\n" in Path("shown/bundle/REPRODUCE.md").read_text()
    paths = list(Path("shown").rglob("*"))
    assert any(f"d.txt-{digest[:12]}" in path.name for path in paths), "figures are named by it"
    for path in paths:
        assert "maria" not in path.name
        assert path.is_dir() or b"home/maria" not in path.read_bytes(), path


def test_a_bundle_says_which_file_it_needs_and_runs_where_it_is(
    stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("d.txt").write_text("1.0")
    cell, digest = cell_of("measured[source=d.txt]"), sums("d.txt")
    (study,) = study_files([cell], registry())
    text = instructions([], ["study.yaml"], [], "plain", "1", 1, [("d.txt", digest)])
    block = f"sha256sum --check <<'END'\n{digest}  d.txt\nEND\n"
    assert block in text
    assert subprocess.run(["sh", "-c", block], capture_output=True).returncode == 0

    # somebody else, on whose machine nothing is known of the file
    Path("d.txt").unlink()
    monkeypatch.setattr(data_files, "_seen", {})
    monkeypatch.setenv("PDEBENCH_CACHE", str(stranger / "cache-of-another"))
    assert study_files([cell], registry()) == [study.replace("measured[", "measured:forward[")]
    Path("study.yaml").write_text(study)
    for found, words in ((None, "there is no file"), ("2.0", "has other contents")):
        if found:
            Path("d.txt").write_text(found)
        needed = f"needs the file 'd.txt' whose SHA-256 begins with {digest[:12]}, but .*{words}"
        with pytest.raises(PdebenchError, match=needed) as refused:
            load_study(Path("study.yaml")).plan(registry())
        assert str(refused.value).startswith("study.yaml:2: problem measured:forward: source=")
    Path("d.txt").write_text("1.0")
    (again,), _ = load_study(Path("study.yaml")).plan(registry())
    assert again.hash == cell_of("measured[source=d.txt]").hash


def test_a_record_leads_back_to_its_file_wherever_it_is_typed(
    stranger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("deep").mkdir()
    Path("deep/d.txt").write_text("1.0")
    done = run("measured[source=deep/d.txt]", "fake")
    monkeypatch.setattr(data_files, "_seen", {})  # as in another process
    monkeypatch.chdir("/")
    label = done.problem_label[0]
    assert cell_of(label).hash == done.cell[0]
    assert registry().task(label).problem.parameters.source.path == stranger / "deep/d.txt"
    said = pdebench("rescore", "--metric", "mae", "--replace", "--results", str(stranger / "r"))
    assert "skipped" not in said
    assert "of 1 records" in said


def test_records_whose_files_had_two_names_can_be_rescored(stranger: Path) -> None:
    for name, method in (("a", "fake"), ("b", "twin")):
        Path(f"{name}.txt").write_text("1.0")
        run(f"measured[source={name}.txt]", method)
    for path in Path("r").rglob(RECORD):
        stored = json.loads(path.read_text())
        del stored["metrics"]["mae"]
        path.write_text(json.dumps(stored))
    assert "2 of 2 records" in pdebench("rescore", "--metric", "mae", "--results", "r")


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("absent.txt", "source='absent.txt': there is no file '.*/maria/absent.txt'"),
        ("folder", "is a folder or a device; name the file in it"),
        ("dangling.txt", "dangling.txt' is a link to 'gone.txt', which is not there"),
        ("7", "source=7: not the name of a file"),
        (f"x.txt@{'a' * 64}", "source='x.txt@a{12}': needs the file 'x.txt' .* there is no file"),
    ],
)
def test_a_file_that_is_not_there(stranger: Path, typed: str, words: str) -> None:
    Path("folder").mkdir()
    Path("dangling.txt").symlink_to("gone.txt")
    with pytest.raises(PdebenchError, match=words):
        registry().task(f"measured[source={typed}]")


def test_a_file_that_may_not_be_read(stranger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    Path("shut.txt").write_text("1.0")
    monkeypatch.setattr(data_files, "open", refuse, raising=False)
    with pytest.raises(PdebenchError, match=r"cannot read '.*shut\.txt': Permission denied"):
        registry().task("measured[source=shut.txt]")


# ---- hashing -----------------------------------------------------------------------------------


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Names of the files that were read to be hashed, as they are."""
    read: list[str] = []
    real = hashlib.file_digest

    def spy(file: Any, kind: Any) -> Any:
        read.append(Path(file.name).name)
        return real(file, kind)

    monkeypatch.setattr(data_files.hashlib, "file_digest", spy)
    monkeypatch.setattr(data_files, "_seen", {})
    monkeypatch.setenv("PDEBENCH_CACHE", str(tmp_path / "cache"))
    return read


def wait_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    now = data_files.time.time_ns() + 3600 * 10**9
    monkeypatch.setattr(data_files.time, "time_ns", lambda: now)


def test_a_file_is_read_once_for_each_of_its_contents(
    tmp_path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "d.bin"
    file.write_bytes(b"one")
    wait_an_hour(monkeypatch)
    assert digest_of(file) == digest_of(file) == hashlib.sha256(b"one").hexdigest()
    monkeypatch.setattr(data_files, "_seen", {})  # as in another process
    digest_of(file)
    assert hashed == ["d.bin"]
    stamp = file.stat().st_mtime_ns
    file.write_bytes(b"two")
    os.utime(file, ns=(stamp, stamp))  # as tools do that keep times
    assert digest_of(file) == hashlib.sha256(b"two").hexdigest()
    assert hashed == ["d.bin"] * 2


def test_a_file_that_has_just_been_written_is_not_trusted_to_stay(
    tmp_path: Path, hashed: list[str]
) -> None:
    file = tmp_path / "d.bin"
    file.write_bytes(b"one")
    digest_of(file)
    digest_of(file)
    assert hashed == ["d.bin"] * 2


def test_a_cache_that_is_broken_or_cannot_be_written_costs_time_only(
    tmp_path: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "d.bin"
    file.write_bytes(b"one")
    for text in ("{", "[]", '{"x": 3}', '{"x": [1]}'):
        (tmp_path / "cache").mkdir(exist_ok=True)
        (tmp_path / "cache" / "data-files.json").write_text(text)
        monkeypatch.setattr(data_files, "_seen", {})
        assert digest_of(file) == hashlib.sha256(b"one").hexdigest()
    monkeypatch.setenv("PDEBENCH_CACHE", str(file))  # no folder
    assert digest_of(file) == hashlib.sha256(b"one").hexdigest()


def test_nothing_is_hashed_to_help_or_list_or_tabulate(
    stranger: Path, hashed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("d.txt").write_text("1.0")
    run("measured[source=d.txt]", "fake")
    hashed.clear()
    for words in ("--help", "run --help", "list problems -v", "list methods -v"):
        pdebench(*words.split())
    for verb in ("table", "compare", "status"):
        pdebench(verb, "--results", "r")
    assert hashed == []


def test_a_file_that_changes_under_a_cell_gives_no_record(stranger: Path) -> None:
    Path("d.txt").write_text("1.0")
    with pytest.raises(PdebenchError, match=r"d\.txt' was changed while a cell read it"):
        run("toy", "started[start=d.txt,act=spoil]")
    assert Store("r").load().records == []


# ---- records from before -----------------------------------------------------------------------


def test_records_that_name_a_file_by_its_path_are_read_and_told_apart(stranger: Path) -> None:
    Path("d.txt").write_text("1.0")
    run("measured[source=d.txt]", "fake")
    (new,) = Store("r").load().records
    path = "/home/jan/data/d.txt"
    for n, mark in enumerate(("abcabcabcabc", "defdefdefdef")):
        cell = f"{n:016x}"
        old = new.model_copy(
            update={
                "cell": cell,
                "problem_params": {"source": path},
                "problem_label": f"measured[source={path}]",
                "fingerprint": {**new.fingerprint, path: mark},
            }
        )
        Store("r").publish(Record(**old.model_dump()), Store("r").workspace(cell))
    (now,) = {record.problem_label for record in [new]}
    assert sorted(labels("r")) == sorted(
        [(now, 1), *((f"measured[source=d.txt@old-{m}]", 1) for m in ("abc" * 4, "def" * 4))]
    )
    for verb in ("table", "compare", "status"):
        said = pdebench(verb, "--results", "r")
        assert "d.txt@old-abc" in re.sub(r"\s", "", said)
        assert "jan" not in said
    assert pdebench("status", "--results", "r").count("stale ") >= 2
    with open(f"r/{0:016x}/{RECORD}") as file:
        assert json.load(file)["problem_params"] == {"source": path}, "reading changes nothing"


def test_records_of_elsewhere_may_be_called_anything(stranger: Path) -> None:
    path, digest = "/home/jan/d.txt", "a" * 64
    odd: list[dict[str, Any]] = [
        {"problem_params": {"x": path}, "fingerprint": {path: "abc"}, "problem_label": "=1+["},
        {"problem_params": {"x": f"d@{digest}"}, "started": "2", "problem_label": "]@"},
        {"problem_params": {"x": [{"y": f"c@{digest}"}]}, "started": "1", "label": "a[b]"},
        {"config": {"kind": "numpy"}, "fingerprint": {"numpy": "abcdef"}},
    ]
    for n, values in enumerate(odd):
        made = record_of(cell_of("toy"), "ok").model_copy(update={**values, "cell": f"{n:016x}"})
        Store("r").publish(made, Store("r").workspace(made.cell))
    loaded = {r.cell: r for r in Store("r").load().records}
    assert len(loaded) == 4
    assert loaded[f"{0:016x}"].problem_params == {"x": "d.txt@old-abc"}
    assert loaded[f"{1:016x}"].problem_params == {"x": f"c@{digest}"}
    assert loaded[f"{3:016x}"].config == {"kind": "numpy"}
    assert one_name(loaded.values()) == list(loaded.values()), "once is enough"


def test_equal_files_are_equal_whatever_they_are_called(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text("x")
    one, two = (DataFile.of(tmp_path / name) for name in "ab")
    assert one == two
    assert hash(one) == hash(two)
    assert os.fspath(one) == str(tmp_path / "a")
    assert str(one) == f"a@{hashlib.sha256(b'x').hexdigest()}"
