"""Records of another folder: what of them is said to compare with the user's own."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.store.cell import Budget

HERE, THERE = {"cpu": "A", "cores": 2}, {"cpu": "B", "cores": 8}


def environment(bench: Any, name: str, machine: dict[str, Any]) -> None:
    bench.store.keep_environment(machine, name)


@pytest.fixture
def pair(bench: Any, new_bench: Callable[[str], Any]) -> tuple[Any, Any]:
    other = new_bench("shipped")
    environment(bench, "here", HERE)
    environment(other, "there", THERE)
    prints = {"numpy": "2.4", "torch": "2.12", "pdebench_lite": "aaa"}
    bench.add("pinn", environment="here", fingerprint=prints)
    theirs = {"numpy": "2.4", "torch": "2.13", "pdebench_lite": "bbb"}
    day = "2026-11-22T10:00:00+00:00"
    other.add("pinn", environment="there", fingerprint=theirs, started=day)
    other.add("pinn", environment="there", budget=Budget(max_time=99.0), fingerprint=theirs)
    other.add("mlp", environment="there", problem_label="elsewhere")
    return bench, other


def test_what_compares_is_said(pair: Any) -> None:
    bench, other = pair
    (problem,) = bench.compare(other).problems
    assert problem.contest.label == "toy", "a problem that the user never ran is left out"
    (line,) = problem.beside
    assert line.startswith("from shipped, measured 2026-11-22 on B, 8 cores: rows that have a cou")
    assert "counterpart in yours, 1 of 2 (" in line
    assert "the machine is another" in line
    assert "1 of its rows had a budget that none of yours had" in line
    assert "torch 2.13 there, 2.12 here" in line
    assert "numpy" not in line
    assert "since then the sources of pdebench_lite have changed" in line


def test_on_the_same_machine_times_compare(bench: Any, new_bench: Callable[[str], Any]) -> None:
    other = new_bench("shipped")
    for each in (bench, other):
        environment(each, "here", HERE)
        each.add("pinn", environment="here", charged_s=1.0 + (each is other))
    (problem,) = bench.compare(other).problems
    assert len(problem.contest.entrants) == 2, "the same cell, measured again, is another row"
    (line,) = problem.beside
    assert "in yours, 1 of 1 (" in line
    assert "the machine is the same" in line


def test_a_copy_of_a_record_is_no_row(bench: Any, new_bench: Callable[[str], Any]) -> None:
    other = new_bench("shipped")
    for each in (bench, other):
        environment(each, "here", HERE)
        each.add("pinn", environment="here")
    (problem,) = bench.compare(other).problems
    assert len(problem.contest.entrants) == 1
    assert problem.beside == []


def test_nothing_of_ones_own_ran(bench: Any, new_bench: Callable[[str], Any]) -> None:
    other = new_bench("shipped")
    other.add("pinn")
    bench.add("pinn", [], status="unsupported", problem_label="mine")
    with pytest.raises(PdebenchError, match="name a problem of the other folder with --problem"):
        bench.compare(other)
    (problem,) = bench.compare(other, problems=["toy"]).problems
    assert problem.contest.label == "toy"


def test_environments_are_those_of_the_folder(pair: Any) -> None:
    _, other = pair
    path = other.store.root / "environments" / "there.json"
    path.write_text(json.dumps([]))
    (line,) = pair[0].compare(other).problems[0].beside
    assert line.startswith("from shipped, measured 2026-11-22: ")
