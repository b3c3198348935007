"""A comparison of chosen methods: the others are named, and still count as the classical solver."""

from typing import Any

import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.report.comparison import render_comparison
from pdebench_lite.report.comparison.aggregate import render_aggregate


@pytest.fixture
def full(bench: Any) -> Any:
    """Three methods, one of them in two configurations, and a classical curve."""
    bench.seeds("mlp", [0.1])
    bench.seeds("pinn", [0.01])
    bench.seeds("pinn", [0.02], label="pinn[width=5]", config={"width": 5})
    bench.seeds("etdrk4", [1e-3], label="etdrk4[cells=32]", config={"cells": 32})
    bench.seeds("etdrk4", [1e-5], label="etdrk4[cells=64]", config={"cells": 64})
    bench.add("mlp", [(1.0, 0.5)], problem_label="other", problem="other")
    return bench


@pytest.mark.parametrize(
    ("asked", "labels"),
    [
        (["pinn"], {"pinn", "pinn[width=5]"}),
        (["pinn[]"], {"pinn"}),
        (["pinn[width=5]", "mlp"], {"pinn[width=5]", "mlp"}),
    ],
)
def test_a_name_means_all_its_settings(full: Any, asked: list[str], labels: set[str]) -> None:
    (problem,) = full.compare(methods=asked, problems=["toy"]).problems
    assert {e.key.label for e in problem.contest.entrants} == labels
    rows = {s.entrant.key.label for block in problem.blocks for s in block.standings}
    assert rows == labels


def test_those_left_out_are_named(full: Any) -> None:
    (problem,) = full.compare(methods=["pinn"]).problems
    assert problem.advice is None, "a classical curve is there, though not shown"
    for text in (
        render_comparison(full.compare(methods=["pinn"]), "md"),
        render_aggregate(full.compare(methods=["pinn"]), "md"),
    ):
        plain = text.replace("\\", "")
        assert "eft out by --methods, though they ran: etdrk4[cells=32], etdrk4[cells=64], mlp" in (
            plain
        )
    assert "left out" not in render_comparison(full.compare(), "md")


def test_a_method_that_no_record_is_of(full: Any) -> None:
    with pytest.raises(PdebenchError, match=r"method in these records 'pin'; did you mean 'pinn'"):
        full.compare(methods=["pin"])
