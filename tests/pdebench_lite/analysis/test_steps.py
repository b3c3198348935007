"""What a step costs, from counts and times that are written down."""

from typing import Any

import pytest

from pdebench_lite.analysis.steps import step_costs
from pdebench_lite.report.comparison import render_comparison

COUNTED = {"steps": 100, "evaluations": 150}


def test_medians_over_seeds_and_ratios_on_one_backend(bench: Any) -> None:
    for seed, seconds in enumerate((1.5, 3.0, 6.0)):
        bench.add("pinn", seed=seed, train_s=seconds, **COUNTED)
    bench.add("diffphys", train_s=9.0, steps=100, evaluations=100)
    bench.add("diffphys", backend="jax", train_s=50.0, steps=100, evaluations=100)
    (problem,) = bench.compare().problems
    costs = step_costs(problem.contest.entrants)
    assert [(c.entrant.key.label, c.entrant.key.backend) for c in costs] == [
        ("pinn", "numpy"), ("diffphys", "numpy"), ("diffphys", "jax"),
    ]  # fmt: skip
    assert costs[0].step.value == pytest.approx(3.0 / 100)
    assert costs[0].evaluation.value == pytest.approx(3.0 / 150)
    assert [c.ratio for c in costs] == pytest.approx([1.0, 0.09 / 0.02, 1.0])


def test_only_what_was_trained_and_counted(bench: Any) -> None:
    bench.add("etdrk4", train_s=1.0, **COUNTED)
    bench.add("pinn", train_s=1.0, steps=100)
    bench.add("diffphys", train_s=1.0, status="diverged", **COUNTED)
    assert step_costs(bench.compare().problems[0].contest.entrants) == []
    assert "cost of a step" not in render_comparison(bench.compare(), "md", only=["steps"])


def test_the_table_is_written_where_it_is_asked_for(bench: Any) -> None:
    alike = {"sees": {"coefficients": True}, **COUNTED}
    bench.add("pinn", train_s=3.0, **alike)
    bench.add("diffphys", train_s=9.0, **alike)
    comparison = bench.compare()
    assert "cost of a step" not in render_comparison(comparison, "md")
    asked = render_comparison(comparison, "md", only=["steps"])
    rows = [line.split(" | ") for line in asked.splitlines() if line.startswith("| ")]
    assert [row[-3:] for row in rows if row[0] in ("| pinn", "| diffphys")] == [
        ["30.0", "20.0", "1.00 |"], ["90.0", "60.0", "3.00 |"],
    ]  # fmt: skip
    numbers = render_comparison(comparison, "csv")
    assert numbers.count(",steps,evaluation_s,") == 2
