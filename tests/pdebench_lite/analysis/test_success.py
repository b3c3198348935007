"""Success rates: shares of runs that end with at most some error; failures count against them."""

from typing import Any

import pytest
from scipy.stats import binomtest

from pdebench_lite.analysis.success import success

FINALS = [1e-5, 2e-5, 4e-5, 5e-5, 6e-5, 1e-4, 2e-4, 3e-4, 5e-4]


def entrant_of(bench: Any) -> Any:
    (problem,) = bench.compare().problems
    (entrant,) = problem.contest.entrants
    return entrant


def test_an_error_is_reached_at_or_below_it_with_wilsons_interval(bench: Any) -> None:
    bench.seeds("diffphys", [*FINALS, 0.6])
    found = success(entrant_of(bench), 5e-4)
    assert found.value == pytest.approx(9 / 10)
    expected = binomtest(9, 10).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_failed_run_reached_nothing_whatever_it_had_seen(bench: Any) -> None:
    bench.seeds("diffphys", FINALS)
    bench.add("diffphys", [(1.0, 1e-6)], seed=9, status="timeout", metrics={"rel_l2": 1e-6})
    assert success(entrant_of(bench), 5e-4).value == pytest.approx(9 / 10)


def test_below_the_bound_of_the_reference_nobody_can_tell(bench: Any) -> None:
    bench.seeds("diffphys", [1e-8, 1e-7], reference_bound=1e-5)
    assert success(entrant_of(bench), 9e-6) is None
    assert success(entrant_of(bench), 1e-5).value == 1.0, "they are at the bound"


def test_rates_that_were_asked_for_are_in_every_format(bench: Any) -> None:
    from pdebench_lite.report.comparison import render_comparison

    bench.seeds("diffphys", [*FINALS, 0.6])
    made = bench.compare(success=[5e-4, 1e-12])
    text = " ".join(render_comparison(made, "md", only=["final"]).split())
    assert "| reached 5e-4 | reached 1e-12 |" in text
    assert "| 9 of 10 \\[0.60, 0.98] | – |" in text
    assert "reached: runs that end with rel_l2 at or below it" in text
    (line,) = [x for x in render_comparison(made, "csv").splitlines() if ",success,0.0005," in x]
    assert ",0.9,0.59" in line
    assert '"success_errors": [\n    0.0005' in render_comparison(made, "json")
    assert "reached" not in render_comparison(bench.compare(), "md", only=["final"])
