"""Problems of one task in one comparison: ranks stay theirs, conditions are audited together."""

from typing import Any

import pytest

from pdebench_lite.analysis import Source, by_task
from pdebench_lite.report.comparison.aggregate import render_aggregate
from pdebench_lite.store.cell import Budget


@pytest.fixture
def together(bench: Any) -> Any:
    """Two methods at nu of 0.1 and 0.02; one of them had more time at the second."""
    for nu, factor in ((0.1, 1.0), (0.02, 10.0)):
        for method, error in (("pinn", 1e-3), ("diffphys", 1e-2 / factor**2)):
            bench.seeds(
                method, [factor * error * (1 + k / 10) for k in range(7)],
                problem_label=f"toy[nu={nu}]", problem_params={"nu": nu, "c": 1.0},
                reference_bound=nu * 1e-6, sees={"residual": True},
                budget=Budget(max_time=20.0 if nu == 0.02 and method == "pinn" else 10.0),
            )  # fmt: skip
    bench.seeds("mlp", [0.1], problem_label="other", problem_params={})
    return by_task(bench.compare(), [Source(bench.store)])


def test_one_problem_of_a_task_stays_as_it_is(together: Any) -> None:
    assert [p.contest.label for p in together.problems] == ["other", "toy"]
    assert not together.problems[0].parameters


def test_rows_are_in_the_order_of_the_parameters_and_ranked_within_a_problem(together: Any) -> None:
    _, toy = together.problems
    assert list(toy.parameters) == ["nu"], "c is the same everywhere"
    (block,) = toy.blocks
    rows = [
        (s.entrant.record.problem_params["nu"], s.entrant.key.label, s.rank)
        for s in block.standings
    ]
    assert rows == [
        (0.02, "diffphys", 1), (0.02, "pinn", 1), (0.1, "pinn", 1), (0.1, "diffphys", 2)
    ]  # fmt: skip


def test_what_differs_between_problems_is_named_in_its_row(together: Any) -> None:
    _, toy = together.problems
    unequal = {
        (e.record.problem_params["nu"], e.key.label): toy.marks(e) for e in toy.contest.entrants
    }
    assert unequal.pop((0.02, "pinn")) == ["budget 20 s"]
    assert not any(unequal.values())


def test_the_missing_classical_solver_is_missed_once(together: Any) -> None:
    text = render_aggregate(together, "md")
    assert text.count("o classical solver among these records") == 2, "once for toy, once for other"
    assert "### toy by nu: medians over seeds" in text
    assert "Reference bound at most 1.0e-07; " in text
    assert "| rank | nu | method |" in text
    assert "ranks within each problem" in text
