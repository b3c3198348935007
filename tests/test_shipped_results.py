"""What ships in results/: sound records without fields, and tables and figures made from them."""

from pathlib import Path

import pytest

from pdebench_lite.cli import main
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.study.file import load_study
from pdebench_lite.store.records import HISTORY, RECORD, Store

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results"
FOLDERS = ("reference", "targets", "gpu")
DOCUMENTS = (
    "README.md",
    "results/tables.md",
    "results/targets.md",
    "results/peers.md",
    "results/gpu.md",
)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_tables_are_those_of_the_records(document, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    assert main(["refresh", "--check", document]) == 0, "make refresh"
    assert capsys.readouterr().out == f"{document}: up to date\n"


@pytest.mark.slow
def test_figures_are_those_of_the_records(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    words = ["plot", "--results", "results/reference", "--format", "svg", "--out", str(tmp_path)]
    assert main(words) == 0
    made, shipped = ({p.name: p.read_bytes() for p in d.iterdir()}
                     for d in (tmp_path, RESULTS / "plots"))  # fmt: skip
    assert sorted(made) == sorted(shipped)
    assert [name for name in made if made[name] != shipped[name]] == []


@pytest.mark.parametrize("name", FOLDERS)
def test_records_are_sound_and_hold_no_fields(name):
    loaded = Store(RESULTS / name).load()
    assert loaded.unsound == []
    assert loaded.records
    for record in loaded.records:
        folder = RESULTS / name / record.cell
        assert {path.name for path in folder.iterdir()} <= {RECORD, HISTORY}
        assert (RESULTS / name / "environments" / f"{record.environment}.json").is_file()


def test_what_ships_is_small():
    files = [path for name in FOLDERS for path in (RESULTS / name).rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    assert size < 5_000_000  # with bands, spectra and tried weights a record has some 10 kB


@pytest.mark.parametrize("path", sorted((RESULTS / "studies").glob("*.yaml")), ids=lambda p: p.stem)
def test_studies_can_be_planned(path, monkeypatch):
    monkeypatch.setattr("importlib.metadata.version", lambda distribution: "1")  # of absent peers
    cells, _ = load_study(path, {"device": "cpu"}).plan(registry())
    assert cells
