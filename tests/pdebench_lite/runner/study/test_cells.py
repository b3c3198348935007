"""Study: cells from selectors, their identity, durations."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.runner.study import make_cells, parse_duration, parse_size
from pdebench_lite.store.cell import Budget, Cell


@pytest.fixture
def known(fakes: Path) -> Registry:
    """What is installed, the fakes included."""
    return registry()


BASE: dict[str, Any] = {
    "problem": "toy", "task": "forward", "problem_params": {"c": 1.0}, "problem_label": "toy",
    "method": "fake", "family": "other", "config": {"act": "exact"}, "label": "fake",
    "backend": "numpy", "dtype": "float64", "device": "cpu",
    "budget": Budget(max_time=60.0), "seed": 0,
}  # fmt: skip
IDENTITY: dict[str, Any] = {
    "problem": "other", "task": "x", "problem_params": {"c": 2.0}, "method": "x",
    "config": {"act": "x"}, "backend": "jax", "dtype": "float32", "device": "cuda",
    "budget": Budget(max_time=61.0), "seed": 1,
}  # fmt: skip
NAMES = {"problem_label": "x", "family": "classical", "label": "x"}


def test_every_field_is_either_identity_or_name() -> None:
    assert {*IDENTITY, *NAMES} == set(Cell.model_fields)


@pytest.mark.parametrize("field", [*IDENTITY, *NAMES])
def test_the_hash_changes_with_identity_only(field: str) -> None:
    changed = Cell(**BASE | {field: {**IDENTITY, **NAMES}[field]})
    assert (changed.hash != Cell(**BASE).hash) == (field in IDENTITY)


@pytest.mark.parametrize("limit", ["max_time", "max_steps", "target_error", "max_memory"])
def test_every_limit_is_identity(limit: str) -> None:
    budget = Budget(max_time=60.0).model_copy(update={limit: 5})
    assert Cell(**BASE | {"budget": budget}).hash != Cell(**BASE).hash


def test_the_hash_is_the_same_everywhere_and_for_ever() -> None:
    """Written down: folders that were made before must be found again."""
    cell = Cell(**BASE)
    assert cell.hash == "212a8bf9227e5932"
    assert Cell.model_validate_json(cell.model_dump_json()).hash == cell.hash
    code = f"from pdebench_lite.runner.study import Cell; print(Cell(**{cell.model_dump()!r}).hash)"
    for seed in ("1", "2"):
        child = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert child.stdout.strip() == cell.hash


def test_cells_are_crossed_in_order(known: Registry) -> None:
    cells = make_cells(known, "toy,toy[c=2]", "fake,twin", ["numpy"], (0, 3), Budget(max_steps=9))
    assert [(c.problem_label, c.method, c.seed) for c in cells] == [
        (problem, method, seed)
        for problem in ("toy", "toy[c=2.0]")
        for method in ("fake", "twin")
        for seed in (0, 3)
    ]
    assert len({c.hash for c in cells}) == 8
    assert cells[0].title == "toy · fake · numpy · seed 0"


def test_identical_cells_are_merged(known: Registry) -> None:
    cells = make_cells(
        known, "toy,toy:forward,toy[c=1.0],toy[c=1]", "fake,fake[act=exact],fake[seconds=0]",
        ["numpy", "numpy"], (0, 0),
    )  # fmt: skip
    assert len(cells) == 1
    assert cells[0].label == "fake"
    assert cells[0].problem_params == {"c": 1.0}


def test_the_budget_defaults_to_a_minute_where_nothing_limits(known: Registry) -> None:
    def budget(given: Budget | None) -> Budget:
        return make_cells(known, "toy", "fake", budget=given)[0].budget

    assert budget(None) == Budget(max_time=60.0)
    assert budget(Budget(target_error=0.1)) == Budget(max_time=60.0, target_error=0.1)
    assert budget(Budget(max_steps=3)) == Budget(max_steps=3)
    assert budget(Budget(max_time=2)).max_time == 2.0


def test_backends(known: Registry) -> None:
    assert [c.backend for c in make_cells(known, "toy", "twin")] == ["numpy"]
    assert [c.backend for c in make_cells(known, "toy", "twin", ["all"])] == ["numpy"]
    need = r"backend 'ghost' needs no-such-library, not installed here; type: pip install "
    for methods, backends in (("haunted", []), ("fake", ["ghost"])):
        with pytest.raises(PdebenchError, match=need + r'"pdebench-lite\[ghost\]"'):
            make_cells(known, "toy", methods, backends)
    with pytest.raises(PdebenchError, match="unknown backend 'nunpy'; did you mean 'numpy'"):
        make_cells(known, "toy", "fake", ["nunpy"])


@pytest.mark.parametrize(
    ("problems", "methods", "message"),
    [
        ("toi", "fake", "unknown problem 'toi'; did you mean 'toy'?"),
        ("toy:foward", "fake", "unknown task of problem toy: 'foward'; did you mean 'forward'?"),
        ("toy[d=1]", "fake", "unknown parameter of problem toy:forward 'd'"),
        ("toy[points=8]", "fake", "unknown parameter of problem toy:forward 'points'"),
        ("toy[c=0]", "fake", "problem toy:forward: c=0: input should be greater than 0"),
        ("toy:reconstruction[t_obs=9]", "fake", "t_obs=9 lies outside the time span (0, 1]"),
        ("toy", "fakr", "unknown method 'fakr'; did you mean 'fake'?"),
        ("toy", "fake[act=1,bct=2]", "unknown parameter of method fake: 'bct'"),
        ("toy", "fake:x", "a method has no task: write 'fake', not ':x'"),
        ("", "fake", "'' names nothing"),
    ],
)
def test_errors_are_one_line(known: Registry, problems: str, methods: str, message: str) -> None:
    with pytest.raises(PdebenchError) as caught:
        make_cells(known, problems, methods)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_adding_something_changes_no_other_cell(known: Registry) -> None:
    few = make_cells(known, "toy", "fake")
    many = make_cells(known, "toy[c=2],toy", "twin,fake", seeds=range(3))
    assert few[0] in many


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30", 30), ("30s", 30), (" 2m ", 120), ("2min", 120), ("1.5h", 5400), (".5s", 0.5),
     ("90 S", 90), ("1.s", 1)],
)  # fmt: skip
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "s", "0", "0s", "-1s", "1d", "1h30m", "nan", "inf", "1e3", "9" * 400, "٣s x"]
)
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(PdebenchError, match="is not a positive duration; write 30s, 2m or 1h"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4e9), ("500MB", 5e8), (" 1.5 gb", 1.5e9), ("2GiB", 2**31), (".5KB", 500),
     ("1kib", 1024), ("1TB", 1e12)],
)  # fmt: skip
def test_sizes(text: str, size: float) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "4", "GB", "0GB", "-1GB", "4G", "4B", "1e3MB", "nan", "9" * 400 + "GB", "4 GB x"]
)
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(PdebenchError, match="is not a positive size; write 500MB, 4GB or 2GiB"):
        parse_size(text)
