"""results/README.md: every field of a record is explained, and the example study is one."""

import re
from pathlib import Path

import pytest

from pdebench_lite.plugins import registry
from pdebench_lite.records import Record
from pdebench_lite.study import Cell
from pdebench_lite.study.file import study_of
from pdebench_lite.study.yaml_source import parse

README = Path(__file__).parents[1] / "results" / "README.md"
PLAIN = {*Cell.model_fields, "cell", "schema_version", "reason", "metrics", "ranked", "profile",
         "details", "target_reached", "started"}  # fmt: skip


@pytest.mark.parametrize("field", sorted(set(Record.model_fields) - PLAIN))
def test_every_column_is_explained(field: str) -> None:
    names = {name for row in re.findall(r"^\| (.+?) \|", README.read_text(), re.M)
             for name in re.findall(r"`(\w+)`", row)}  # fmt: skip
    assert field in names


def test_the_example_is_a_study() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", README.read_text(), re.S)
    cells, _ = study_of(parse(text, "README"), {"device": "cpu"}).plan(registry())
    assert {c.problem_params.get("instance") for c in cells if c.task == "reconstruction"} == {
        5, 6, 7
    }  # fmt: skip
    forward = [c for c in cells if c.task == "forward"]
    assert {c.method for c in forward} == {"pinn", "etdrk4"}
    assert {c.config["width"] for c in forward if c.method == "pinn"} == {30}
