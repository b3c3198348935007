"""The bundle: its commands give its bytes, its paper compiles, nothing hostile gets through."""

import csv
import io
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
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.store.records import HISTORY, RECORD, Store
from pdebench_paper.bundle import write_bundle
from pdebench_paper.environments import lock
from pdebench_paper.histories import histories_csv
from pdebench_paper.instructions import SUMS
from pdebench_paper.items import items

TEX = all(map(shutil.which, ("pdflatex", "bibtex")))
QUICK = ("tables/cells.tex", "tables/comparison.tex", "data/cells.csv", "references.bib")
HOSTILE = "=x|y\x1b[31m\n[bold]&_%#${}~^\\input{/etc/passwd}<script>`*é漢"


@pytest.fixture(scope="module")
def world(
    fakes_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path]]:
    """A results folder with real, failed and hostile records, and where to write."""
    root = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PDEBENCH_FAKES", str(root))
        patch.setenv("PYTHONPATH", str(fakes_folder))
        patch.syspath_prepend(str(fakes_folder))
        registry.cache_clear()
        results = root / "results" / "runs"
        methods = "fake[act=improving],fake[act=exit]"
        pdebench_lite.run("toy:reconstruction", methods, max_steps=9, results=results)
        store = Store(results)
        (good,) = [r for r in store.load().records if r.status == "ok"]
        labels = {"label": HOSTILE, "problem_label": HOSTILE, "method": HOSTILE, "problem": HOSTILE}
        bad = good.model_copy(
            update={**labels, "cell": "f" * 16, "status": "crashed", "reason": HOSTILE}
        )
        folder = store.workspace(bad.cell)
        shutil.copy(results / good.cell / HISTORY, folder)
        (folder / "log.txt").write_text("not for others")
        store.publish(bad, folder)
        yield results, root
    registry.cache_clear()


WHOLE = pytest.param("whole", marks=pytest.mark.slow)


@pytest.fixture(scope="module", params=["quick", WHOLE])
def bundle(world: tuple[Path, Path], request: pytest.FixtureRequest) -> Path:
    """The bundle; made of a few items only, or of all."""
    results, root = world
    out = root / request.param / "deep" / "paper"
    lines: list[str] = []
    before = tree(results)
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "quick":
            few = lambda style: [item for item in items(style) if item.path in QUICK]  # noqa: E731
            patch.setattr("pdebench_paper.bundle.items", few)
        made = write_bundle(results, out, registry(), say=lines.append)
    assert made.missing == []
    assert tree(results) == before, "the records are only read"
    assert {Path(name).name for name in made.paths} >= {"paper.tex", "REPRODUCE.md", SUMS}
    assert all("\n" not in line for line in lines)
    return out


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def blocks(text: str) -> list[str]:
    return re.findall(r"```sh\n(.*?)\n```", text, re.DOTALL)


def test_it_holds_what_it_promises(bundle: Path) -> None:
    names = set(tree(bundle))
    assert names >= {"REPRODUCE.md", SUMS, "paper.tex", "data/histories.csv", *QUICK}
    if "whole" in bundle.parts:
        assert names >= {item.path for item in items("plain") if not item.is_folder}
        assert any(name.startswith("figures/toy") and name.endswith("-maps.pdf") for name in names)
    assert any(name.startswith("environments/") for name in names)
    assert any(name.startswith("study") for name in names)
    assert not any(name.endswith(("log.txt", "weights.npz")) for name in names)
    assert not [path for path in bundle.parent.iterdir() if path != bundle], "nothing is left over"


def test_no_file_tells_of_the_machine_it_was_made_on(world: Any, bundle: Path) -> None:
    for name, content in tree(bundle).items():
        if not name.endswith((".pdf", ".nc", ".parquet")):
            assert str(world[0].parent).encode() not in content, name
            assert str(bundle.parent).encode() not in content, name


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a line in a folder, with `pdebench` that of this checkout."""
    folder = tmp_path / "bin"
    folder.mkdir()
    script = f'#!/bin/sh\nexec "{sys.executable}" -P -m pdebench_lite "$@"\n'
    (folder / "pdebench").write_text(script)
    (folder / "pdebench").chmod(0o755)
    env = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}

    def run(line: str, where: Path) -> str:
        done = subprocess.run(
            line, shell=True, cwd=where, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    return run


@pytest.mark.parametrize("path", ["tables/cells.tex", "references.bib"])
def test_a_command_gives_the_bytes_of_its_item(
    bundle: Path, tmp_path: Path, shell: Callable[..., str], path: str
) -> None:
    copy = shutil.copytree(bundle, tmp_path / "elsewhere")
    (copy / path).write_text("")
    commands = blocks((copy / "REPRODUCE.md").read_text())
    (command,) = [c for c in commands if c.endswith(f" > {path}")]
    shell(command, copy)
    assert (copy / path).read_bytes() == (bundle / path).read_bytes() != b""


@pytest.mark.parametrize("bundle", [WHOLE], indirect=True)
def test_its_commands_give_its_bytes(
    bundle: Path, tmp_path: Path, shell: Callable[..., str]
) -> None:
    copy = shutil.copytree(bundle, tmp_path / "elsewhere")
    commands = [c for c in blocks((copy / "REPRODUCE.md").read_text()) if "--results records" in c]
    paper = [c for c in commands if c.startswith("pdebench paper")]
    assert (len(commands), len(paper)) == (9, 1)
    made = [path for path in copy.rglob("*") if path.parent.name in ("tables", "figures", "data")]
    for path in (*made, copy / "references.bib"):
        if path.name != "histories.csv":  # of the last command
            path.unlink()
    for command in commands:
        shell(command, copy)
    check = blocks((copy / "REPRODUCE.md").read_text())[0]
    assert check.startswith("sha256sum")
    assert shell(check, copy) == ""
    assert tree(copy / "again") == tree(bundle), "a bundle of a bundle is the same"


@pytest.mark.skipif(not TEX, reason="no pdflatex or bibtex here")
def test_the_paper_compiles(bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle, tmp_path / "tex")
    (commands,) = [c for c in blocks((copy / "REPRODUCE.md").read_text()) if "pdflatex" in c]
    for command in commands.splitlines():
        words = command.split()
        if words[0] == "pdflatex":
            words.insert(1, "-interaction=nonstopmode")
        done = subprocess.run(words, cwd=copy, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:].decode(errors="replace")
    log = (copy / "paper.log").read_text(errors="replace")
    assert "undefined" not in log, "a reference or a citation is missing"
    assert "/etc/passwd" not in re.findall(r"\((/\S+)", log)
    assert (copy / "paper.pdf").stat().st_size > 20_000
    if shutil.which("pdftotext"):
        subprocess.run(["pdftotext", "paper.pdf"], cwd=copy, check=True)
        text = (copy / "paper.txt").read_text()
        assert "root:" not in text
        assert "toy" in text


def test_hostile_names_are_harmless(bundle: Path) -> None:
    for name, content in tree(bundle).items():
        assert re.fullmatch(r"[A-Za-z0-9./_-]+", name)
        if name.endswith((".pdf", ".nc", ".parquet", RECORD)):
            continue
        text = content.decode()
        assert "\x1b" not in text, name
        if name.endswith((".tex", ".bib")):
            assert not re.search(r"\\input\{/", text), name
        if name.endswith(".md"):
            assert "<script>" not in text.replace("\\<script", ""), name
        if name.endswith(".csv"):
            for row in csv.reader(io.StringIO(text)):
                assert not any(re.match(r"[=@\t\r]", cell) for cell in row), name


def test_histories(bundle: Path) -> None:
    store = Store(bundle / "records")
    records = store.load().records
    rows = list(csv.DictReader(io.StringIO((bundle / "data/histories.csv").read_text())))
    mine = [row for row in rows if row["cell"] == records[0].cell]
    history = pdebench_lite.load_history(store.folder(records[0].cell))
    assert [int(row["step"]) for row in mine] == history["step"].tolist()
    assert [float(row["charged_s"]) for row in mine] == history["charged_s"].tolist()
    said: list[str] = []
    other = Store(shutil.copytree(store.root, bundle.parents[1] / "damaged"))
    (other.folder(records[0].cell) / HISTORY).write_bytes(b"PAR1 garbage")
    text = histories_csv(other, records, said.append)
    assert records[0].cell not in text
    assert len(said) == 1


# ---- writing over an earlier one ---------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A results folder with one record that never ran; items are not made."""
    from pdebench_lite.store.cell import Budget, Cell
    from pdebench_lite.store.records import record_of
    from pdebench_paper.items import Item

    def make(self: Item, folder: Path, say: Any) -> bool:
        target = folder / self.path
        target.parent.mkdir(exist_ok=True, parents=True)
        if not self.is_folder:
            target.write_text(f"{len(Store(folder / 'records').load().records)}\n")
        return True

    monkeypatch.setattr(Item, "make", make)
    cell = Cell(
        problem="burgers", task="forward", problem_params={}, problem_label="burgers:forward",
        method="pinn", family="physics-informed", config={}, label="pinn", backend="torch",
        dtype="float64", device="cpu", budget=Budget(max_steps=3), seed=0,
    )  # fmt: skip
    store = Store(tmp_path / "results")
    record = record_of(cell, "unsupported", "no reason")
    store.publish(record, store.workspace(record.cell))
    return store.root


def test_an_earlier_bundle_is_replaced_and_what_else_is_there_stays(
    small: Path, tmp_path: Path
) -> None:
    out = tmp_path / "paper"
    write_bundle(small, out, registry())
    (out / "paper.pdf").write_text("compiled")
    (out / "tables" / "mine.tex").write_text("my own")
    store = Store(small)
    (record,) = store.load().records
    other = record.model_copy(update={"cell": "a" * 16, "seed": 5})
    store.publish(other, store.workspace(other.cell))
    write_bundle(small, out, registry())
    assert len(Store(out / "records").load().records) == 2
    assert (out / "tables/cells.md").read_text() == "2\n"
    shutil.rmtree(small / other.cell)
    write_bundle(small, out, registry())
    assert [p.name for p in (out / "records").iterdir()] == [record.cell]
    assert (out / "paper.pdf").read_text() == "compiled"
    assert (out / "tables" / "mine.tex").read_text() == "my own"


def test_what_was_changed_by_hand_is_not_overwritten(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "paper"
    write_bundle(small, out, registry())
    (out / "paper.tex").write_text("my own words")
    with pytest.raises(PdebenchError, match=r"paper\.tex' was changed since it was made"):
        write_bundle(small, out, registry())
    assert (out / "paper.tex").read_text() == "my own words"


def test_no_folder_of_others_is_written_into(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "thesis"
    out.mkdir()
    write_bundle(small, out, registry())
    shutil.rmtree(out)
    out.mkdir()
    (out / "chapter.tex").write_text("years of work")
    with pytest.raises(PdebenchError, match="no earlier bundle"):
        write_bundle(small, out, registry())
    file = tmp_path / "file"
    file.write_text("")
    for place in (file, file / "below"):
        with pytest.raises(PdebenchError, match="choose another"):
            write_bundle(small, place, registry())


def test_sums_cannot_name_files_elsewhere(small: Path, tmp_path: Path) -> None:
    out, precious = tmp_path / "paper", tmp_path / "precious"
    write_bundle(small, out, registry())
    precious.write_text("")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with (out / SUMS).open("a") as file:
        file.write(f"{empty}  ../precious\n{empty}  {precious}\n")
    write_bundle(small, out, registry())
    assert precious.exists()


def test_an_unknown_style(small: Path, tmp_path: Path) -> None:
    with pytest.raises(PdebenchError, match="did you mean 'neurips'"):
        write_bundle(small, tmp_path / "paper", registry(), style="neurip")
    assert not (tmp_path / "paper").exists()


# ---- environments ------------------------------------------------------------------------------


def test_a_lock_is_a_requirements_file() -> None:
    text = lock(
        "abc",
        {
            "cpu": "A CPU\n-r /etc/passwd", "gpus": ["one", "two"], "driver": "",
            "git": {"commit": "f00", "dirty": True},
            "installed": {"numpy": "2.1", "torch": "2.13+cpu", "pdebench-lite": "0.1.0",
                          "evil\n--index-url http://x": "1", "bad": "1; rm", "odd": None},
        },
    )  # fmt: skip
    lines = text.splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["numpy==2.1", "torch==2.13+cpu"]
    assert "# gpus: one, two" in lines
    assert "# git: commit f00, dirty True" in lines
    assert "# pdebench-lite: 0.1.0, from its source" in lines
    assert "# evil --index-url http://x: 1" in lines
    assert lock("abc", {"installed": "garbage"}).splitlines()[0] == "# environment abc"
