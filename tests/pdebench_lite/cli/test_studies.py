"""`pdebench run STUDY.yaml`, `--dry-run`, `--json`, `--rerun`, `--jobs`; `pdebench study`."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pdebench_lite.runner.environment import threads
from pdebench_lite.store.records import Store

Command = Callable[..., Any]

STUDY = """\
problem: toy
methods:
  - fake:
      error: [0.5, 0.25]
  - fake[act=exit]
backend: numpy
max-steps: 3
"""


@pytest.fixture
def study(fakes: Path, tmp_path: Path) -> Path:
    """A study of three cells, one of which fails."""
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def test_a_study_from_beginning_to_end(pdebench: Command, study: Path, tmp_path: Path) -> None:
    words = ("run", study, "--results", tmp_path / "r")
    before = pdebench(*words, "--dry-run")
    assert before.status == 0
    *rows, total = before.out.splitlines()
    assert [row.split(None, 2)[1] for row in rows] == ["missing"] * 3
    assert all("run, ? (nothing known)" in row for row in rows)
    assert total == ("3 cells, 3 to run; time unknown: 3 with steps only and no earlier record")
    assert not (tmp_path / "r").exists(), "a dry run makes nothing"

    ran = pdebench(*words)
    assert ran.status == 1
    assert "[3/3] toy · fake[act=exit] · numpy · seed 0: crashed: the process exited with 3" in (
        ran.err
    )
    records = {r.label: r for r in Store(tmp_path / "r").load().records}
    assert records["fake[error=0.25]"].metrics["rel_l2"] == pytest.approx(0.25)

    after = pdebench(*words, "--dry-run", "--max-steps", "6000000")
    rows = after.out.splitlines()
    assert all("run, about " in row and "(2 earlier records)" in row for row in rows[:-1])
    done = pdebench(*words, "--dry-run")
    assert [row.split(None, 2)[1] for row in done.out.splitlines()[:-1]] == [
        "fresh", "fresh", "failed"
    ]  # fmt: skip
    assert done.out.splitlines()[-1] == "3 cells, 0 to run"
    again = pdebench(*words, "--dry-run", "--rerun", "failed,stale")
    assert re.match(r"3 cells, 1 to run; about \d+ s with --jobs 1", again.out.splitlines()[-1])


def test_a_dry_run_for_programs(pdebench: Command, study: Path, tmp_path: Path) -> None:
    words = ("run", study, "--results", tmp_path / "r", "--dry-run", "--json")
    rows = json.loads(pdebench(*words, "--max-time", "7s").out)
    assert [(r["state"], r["run"], r["seconds"], r["basis"]) for r in rows] == [
        ("missing", True, 7.0, "its budget")
    ] * 3
    assert rows[0]["config"]["error"] == 0.5


def test_more_cells_at_a_time_than_processors_are_not_silent(
    pdebench: Command, study: Path, tmp_path: Path
) -> None:
    answer = pdebench("run", study, "--results", tmp_path / "r", "--dry-run", "--jobs", 999)
    assert answer.status == 0
    assert answer.err.startswith("pdebench: 999 cells at a time share ")
    assert len(answer.err.splitlines()) == 1


def test_events_of_a_real_run(pdebench: Command, study: Path, tmp_path: Path) -> None:
    answer = pdebench("run", study, "--results", tmp_path / "r", "--json", "--jobs", 2)
    assert answer.status == 1
    assert bool(answer.err) == (threads() < 2), "two cells on one processor"
    events = [json.loads(line) for line in answer.out.splitlines()]
    kinds = [e["event"] for e in events if e["event"] != "progress"]
    assert (kinds[0], kinds[-1]) == ("begin", "end")
    assert sorted(kinds[1:-1]) == ["finish"] * 3 + ["start"] * 3
    assert kinds[1:3] == ["start", "start"], "two cells at once"
    assert events[-1]["failed"] == 1
    statuses = sorted(e["record"]["status"] for e in events if e["event"] == "finish")
    assert statuses == ["crashed", "ok", "ok"]


def test_rerun(pdebench: Command, study: Path, tmp_path: Path) -> None:
    words = ("run", study, "--results", tmp_path / "r")
    pdebench(*words, "--quiet")
    started = {r.cell: r.started for r in Store(tmp_path / "r").load().records}
    kept = pdebench(*words)
    assert kept.status == 1, "the study holds a failure, if an old one"
    assert kept.err.count("already") == 3
    failed = pdebench(*words, "--rerun", "failed")
    assert failed.err.count("already") == 2
    assert "exited with 3" in failed.err
    assert len(started) == 3


def test_options_replace_keys(pdebench: Command, study: Path, tmp_path: Path) -> None:
    words = ("run", study, "--results", tmp_path / "r", "--dry-run", "--json")
    rows = json.loads(
        pdebench(*words, "--methods", "twin", "--seeds", 2, "--max-memory", "2GB").out
    )
    assert [(r["method"], r["seed"]) for r in rows] == [("twin", 0), ("twin", 1)]
    assert rows[0]["budget"]["max_memory"] == 2e9


def test_a_bad_study_is_one_line(pdebench: Command, study: Path, tmp_path: Path) -> None:
    study.write_text(STUDY + "max-stepps: 3\n")
    answer = pdebench("run", study, "--results", tmp_path / "r")
    assert answer.status == 2
    assert answer.line.startswith(f"{study}:8: unknown key 'max-stepps'; did you mean 'max-steps'?")
    assert pdebench("run", tmp_path / "none.yaml").line == (
        f"cannot read '{tmp_path / 'none.yaml'}': No such file or directory; name a study file, "
        "or write pdebench run --problem … --methods …"
    )


def test_schema_and_check(pdebench: Command, study: Path) -> None:
    answer = pdebench("study", "--schema")
    assert answer.status == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(answer.out))
    checked = pdebench("study", study)
    assert checked.out.splitlines() == [
        "     3  toy",
        f"     3  cells in all; what each is: pdebench run {study} --dry-run",
    ]
    for words in (("study",), ("study", study, "--schema")):
        assert pdebench(*words).line == "name one study file, or write pdebench study --schema"
