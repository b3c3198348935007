"""The Python door."""

import builtins
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pdebench_lite
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import Listener, execute, make_budget, plain, plan, study_keys
from pdebench_lite.runner.study.file import study_of
from pdebench_lite.runner.study.yaml_source import Source
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


AS_TYPED: dict[str, tuple[Any, dict[str, Any]]] = {
    "texts": ("fake,twin", {"max_steps": 3, "seeds": 2}),
    "lists": (["fake", "twin"], {"max_steps": np.int64(3), "seeds": np.int64(2)}),
    "a tuple": (("fake", "twin"), {"max_steps": 3.0, "seeds": range(2)}),
    "a generator": ((name for name in ("fake", "twin")), {"max_steps": "3", "seeds": (0, 1)}),
    "a Series": (pd.Series(["fake", "twin"]), {"max_steps": 3, "seeds": pd.Series([0, 1])}),
    "arrays": (np.array(["fake", "twin"]), {"max_steps": np.array(3), "seeds": np.arange(2)}),
    "a grid": ({"fake": {}, "twin": None}, {"max_steps": 3, "seeds": [np.int32(0), 1]}),
}


@pytest.mark.parametrize("kind", AS_TYPED)
def test_what_a_notebook_user_types(kind: str, fakes: Path, tmp_path: Path) -> None:
    """Every kind means the same four cells, those of the command line."""
    methods, settings = AS_TYPED[kind]
    given = study_keys(problem=["toy"], methods=methods, backend=("numpy",), **keys(settings))
    given.pop("jobs", None)
    cells, _ = study_of(Source("", {}), given).plan(registry())
    words = {"problem": "toy", "methods": "fake,twin", "backend": "numpy", "max-steps": 3}
    expected, _ = study_of(Source("", {}), {**words, "seeds": 2}).plan(registry())
    assert [cell.hash for cell in cells] == [cell.hash for cell in expected]


def keys(settings: dict[str, Any]) -> dict[str, Any]:
    seeds = plain(settings["seeds"])
    rest = {key: value for key, value in settings.items() if key != "seeds"}
    return {**rest, "seed" if isinstance(seeds, list) else "seeds": seeds}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": -3}, "seeds=-3 must be at least 1"),
        ({"seeds": np.int64(0)}, "seeds=0 must be at least 1"),
        ({"seeds": 1.5}, "seeds=1.5 is not a whole number"),
        ({"seeds": True}, "seeds=True is not a number; write one, such as 10"),
        ({"seeds": [-1]}, "'-1' are not seeds; they are whole numbers from 0"),
        ({"seeds": [0.5]}, "'0.5' are not seeds; write --seed 3 or --seed 0,1,2"),
        ({"seeds": []}, "'' are not seeds; they are whole numbers from 0"),
        ({"jobs": 0}, "jobs=0 must be at least 1"),
        ({"max_steps": "many"}, "max-steps=many is not a number; write one, such as 10"),
        ({"max_steps": 2.5}, "max-steps=2.5 is not a whole number"),
        ({"max_time": [1]}, "max-time=[1] is not a number; write one, such as 10"),
        ({"max_time": -1}, "max-time=-1.0 must be positive and finite"),
        ({"max_time": "soon"}, "'soon' is not a positive duration; write 30s, 2m or 1h"),
        ({"max_memory": "4"}, "'4' is not a positive size; write 500MB, 4GB or 2GiB"),
        ({"target_error": "small"}, "target-error=small is not a number; write one, such as 10"),
        ({"dtype": "float16"}, "no dtype 'float16'; write float32 or float64"),
        ({"device": 1}, "no device '1'; write auto, cpu, cuda or cuda:N"),
        ({"rerun": ["stales"]}, "no --rerun 'stales'; write failed, stale or all"),
        ({"methods": 3}, "3 is not a selector; write name[key=value,…]"),
        ({"methods": ["fake", None]}, "None is not a selector; write name[key=value,…]"),
        ({"backend": ["nunpy"]}, "unknown backend 'nunpy'; did you mean 'numpy'?"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    settings: dict[str, Any], message: str, fakes: Path, tmp_path: Path
) -> None:
    given = {"methods": "fake", "max_steps": 3, "results": tmp_path / "results", **settings}
    with pytest.raises(PdebenchError) as caught:
        pdebench_lite.run("toy", **given)
    assert message in str(caught.value)
    assert not (tmp_path / "results").exists()


def test_budgets_are_the_numbers_that_were_given() -> None:
    given = study_keys(problem="burgers", methods="mlp", max_time=1 / 3, max_memory=np.float64(4e9))
    (budget,) = {c.budget for c in study_of(Source("", {}), given).plan(registry())[0]}
    assert (budget.max_time, budget.max_memory) == (1 / 3, 4e9)


def test_the_table_can_be_kept_in_any_format(fakes: Path, tmp_path: Path) -> None:
    frame = pdebench_lite.run(
        "toy", "fake,fake[error=0.1],picky", max_steps=3, results=tmp_path / "r", quiet=True
    )
    assert frame["config.error"].tolist()[:2] == [0.0, 0.1]
    assert frame["budget.max_steps"].tolist() == [3, 3, 3]
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv")
    again = pd.read_parquet(tmp_path / "a.parquet")
    assert again["rel_l2"].tolist()[:2] == frame["rel_l2"].tolist()[:2]
    assert set(again) == set(frame)
    assert not any(isinstance(value, dict) for name in frame for value in frame[name])


class Shown:
    """What IPython's `display` returns, and what it was updated with."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def update(self, data: dict[str, str], raw: bool) -> None:
        assert raw
        self.texts.append(data["text/plain"])


def test_a_notebook_shows_one_output_that_is_updated(
    fakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown: list[Shown] = []

    def display(data: object, raw: bool, display_id: bool) -> Shown:
        assert raw
        assert display_id
        shown.append(Shown())
        return shown[-1]

    shell = type("ZMQInteractiveShell", (), {})()
    monkeypatch.setattr(builtins, "get_ipython", lambda: shell, raising=False)
    module = ModuleType("IPython.display")
    module.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    pdebench_lite.run("toy", "fake,fake[act=exit]", max_steps=3, seeds=8, results=tmp_path / "r")
    (output,) = shown
    assert any(line.endswith(": starting") for line in output.texts[1].splitlines())
    last = output.texts[-1].splitlines()
    assert last[0] == "16 of 16 done, 8 failed"
    assert last[1] == "(7 lines before)"
    assert len(last) == 12
    assert all(line.isprintable() for text in output.texts for line in text.splitlines())
    assert capsys.readouterr() == ("", "")


def test_elsewhere_progress_is_lines_without_control_characters(
    fakes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pdebench_lite.run("toy", "fake", max_steps=3, results=tmp_path / "r")
    out, err = capsys.readouterr()
    assert out == ""
    first, second = err.splitlines()
    assert first == f"1 cell -> {tmp_path / 'r'}"
    assert second.startswith("[1/1] toy · fake · numpy · seed 0: ok")
    assert first.isprintable()
    assert second.isprintable()
    pdebench_lite.run("toy", "fake", max_steps=3, results=tmp_path / "r", quiet=True)
    assert capsys.readouterr() == ("", "")


def test_durations_may_be_texts(fakes: Path, tmp_path: Path) -> None:
    with pytest.raises(PdebenchError, match="'soon' is not a positive duration"):
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
