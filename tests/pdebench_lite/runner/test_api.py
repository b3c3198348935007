"""The Python door."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import pdebench_lite
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import Listener, execute, make_budget, plan
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.records import Record


class Diary(Listener):
    """Writes down what it hears."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def begin(self, cells: list[Cell]) -> None:
        self.lines.append(f"begin {len(cells)}")

    def reuse(self, cell: Cell, record: Record) -> None:
        self.lines.append(f"reuse {cell.label}")

    def start(self, cell: Cell) -> None:
        self.lines.append(f"start {cell.label}")

    def progress(self, cell: Cell, watch: Any) -> None:
        if self.lines[-1] != "progress":
            self.lines.append("progress")

    def finish(self, cell: Cell, record: Record) -> None:
        self.lines.append(f"finish {record.status}")


def test_run(fakes: Path, tmp_path: Path) -> None:
    diary = Diary()
    results = tmp_path / "results"
    settings: dict[str, Any] = {"backend": "numpy", "max_steps": 3, "results": results}
    frame = pdebench_lite.run("toy", "fake,picky", listener=diary, **settings)
    assert isinstance(frame, pd.DataFrame)
    assert frame["status"].tolist() == ["ok", "unsupported"]
    assert frame["rel_l2"][0] < 1e-12
    assert diary.lines == [
        "begin 2", "start fake", "progress", "finish ok", "start picky", "finish unsupported"
    ]  # fmt: skip
    diary.lines.clear()
    again = pdebench_lite.run("toy", "fake,picky", listener=diary, seeds=[0], **settings)
    assert diary.lines == ["begin 2", "reuse fake", "reuse picky"]
    pd.testing.assert_frame_equal(frame, again)
    loaded = pdebench_lite.load_records(results)
    assert loaded["cell"].tolist() == frame["cell"].tolist()
    folder = results / frame["cell"][0]
    assert len(pdebench_lite.load_history(folder)) == 4
    assert pdebench_lite.load_fields(folder).u.dims == ("x", "t")


def test_durations_may_be_texts(fakes: Path, tmp_path: Path) -> None:
    with pytest.raises(PdebenchError, match="'soon' is no positive duration"):
        pdebench_lite.run("toy", "fake", max_time="soon", results=tmp_path)
    assert not list(tmp_path.glob("*-*"))


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["max_time", "max_steps", "target_error"])
def test_limits_are_positive_and_finite(name: str, value: Any) -> None:
    limits: dict[str, Any] = dict.fromkeys(("max_time", "max_steps", "target_error"))
    with pytest.raises(PdebenchError, match="must be positive and finite"):
        make_budget(**limits | {name: value})


def test_nothing_is_touched_before_everything_is_checked(fakes: Path, tmp_path: Path) -> None:
    for arguments in (("toy", "fakr"), ("toi", "fake"), ("toy", "haunted")):
        with pytest.raises(PdebenchError):
            pdebench_lite.run(*arguments, results=tmp_path / "results")
    assert not (tmp_path / "results").exists()


def test_an_unwritable_folder_is_found_before_anything_runs(fakes: Path) -> None:
    diary, known = Diary(), registry()
    cells, devices = plan(known, "toy", "fake", "numpy")
    with pytest.raises(PdebenchError, match="cannot write results to '/dev/null'"):
        execute(known, cells, devices, "/dev/null", listener=diary)
    assert diary.lines == []


def test_the_namespace_is_what_it_says() -> None:
    for name in pdebench_lite.__all__:
        assert getattr(pdebench_lite, name) is not None
        assert name in dir(pdebench_lite)
    assert pdebench_lite.__version__.count(".") >= 2
    with pytest.raises(AttributeError, match="no attribute 'runn'"):
        pdebench_lite.runn  # noqa: B018
