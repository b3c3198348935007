"""results/README.md: every column of a table is explained, and the example study is one."""

import csv
import io
import re
from pathlib import Path

import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_lite.report.table import render, rows
from pdebench_lite.runner.study.file import study_of
from pdebench_lite.runner.study.yaml_source import parse
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.records import record_of

README = Path(__file__).parents[1] / "results" / "README.md"


def columns() -> set[str]:
    """Return the columns of `pdebench table --format json` and csv."""
    cell = Cell(
        problem="p", task="t", problem_params={}, problem_label="p", method="m", family="other",
        config={}, label="m", backend="numpy", dtype="float64", device="cpu", seed=0,
        budget=Budget(max_steps=1),
    )  # fmt: skip
    (row,) = rows([record_of(cell, "ok")])
    head = next(csv.reader(io.StringIO(render([], "csv"))))
    return {*row, *head}


@pytest.mark.parametrize("column", sorted(columns()))
def test_every_column_is_explained(column: str) -> None:
    told = re.findall(r"^\| (.+) \|$", README.read_text(), re.M)
    names = {name for row in told for name in re.findall(r"`(\w+)`", row.partition(" | ")[0])}
    if column in Budget.model_fields:  # csv has a column of each
        (budget,) = (row for row in told if row.startswith("`budget`"))
        names |= set(re.findall(r"`(\w+)`", budget))
    assert column in names


def test_the_example_is_a_study() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.S)
    cells, _ = study_of(parse(text, "README"), {"device": "cpu"}).plan(registry())
    assert {c.problem_params.get("instance") for c in cells if c.task == "reconstruction"} == {
        5, 6, 7
    }  # fmt: skip
    forward = [c for c in cells if c.task == "forward"]
    assert {c.method for c in forward} == {"pinn", "etdrk4"}
    assert {c.config["width"] for c in forward if c.method == "pinn"} == {30}
