"""One cell as a step function of time, whose end belongs to its budget; nothing is interpolated."""

from math import inf
from typing import Any

import pytest

from pdebench_lite.analysis.outcomes import read_outcome
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import HISTORY

COURSE = [(1.0, 0.5), (3.0, 0.05), (4.0, 0.2), (10.1, 0.02)]


def outcome(bench: Any, course: Any = COURSE, **values: Any) -> Any:
    return read_outcome(bench.store, bench.add("pinn", course, **values), "rel_l2")


def test_the_error_at_a_time_is_the_last_one_before(bench: Any) -> None:
    of = outcome(bench)
    assert [of.at(t) for t in (0.5, 1.0, 3.5, 4.0, 9.9)] == [inf, 0.5, 0.05, 0.2, 0.2]
    assert of.at(10.1) == 0.02


def test_the_end_of_a_run_is_read_at_its_budget(bench: Any) -> None:
    of = outcome(bench, budget=Budget(max_time=10.0))
    assert (of.at(9.99), of.at(10.0)) == (0.2, 0.02), "its last step ended 1% after it"
    late = outcome(bench, [(4.0, 0.2), (10.3, 0.02)], budget=Budget(max_time=10.0))
    assert late.at(10.0) == 0.2, "too late by 3%"


def test_after_the_budget_nobody_knows(bench: Any) -> None:
    assert outcome(bench).at(30.0) is None
    assert outcome(bench, budget=Budget(max_steps=4)).at(30.0) is None
    stopped = outcome(bench, [(1.0, 0.5), (2.0, 0.1)])
    assert stopped.at(30.0) == 0.1, "it ended by itself and keeps its answer"


def test_the_time_to_an_error_is_that_of_its_first_visit(bench: Any) -> None:
    of = outcome(bench)
    assert [of.time_to(e) for e in (0.5, 0.1, 0.02, 0.01)] == [1.0, 3.0, 10.1, inf]
    assert [of.memory_to(e) for e in (0.5, 0.1, 0.01)] == [10.0, 20.0, inf]


def test_on_a_gpu_the_memory_is_the_devices(bench: Any) -> None:
    assert outcome(bench, peak_device_mb=700.0).memory_to(0.5) == 700.0


@pytest.mark.parametrize("status", ["crashed", "diverged", "timeout", "out-of-memory"])
def test_a_failed_cell_is_a_miss_whatever_it_had_reached(bench: Any, status: Any) -> None:
    of = outcome(bench, status=status, reason="why")
    assert (of.final, of.at(4.0), of.time_to(0.5), of.memory_to(0.5)) == (inf,) * 4
    assert (of.time, of.memory_used) == (inf, inf)


def test_errors_below_the_bound_are_the_bound(bench: Any) -> None:
    of = outcome(bench, [(1.0, 1e-3), (2.0, 1e-12)], reference_bound=1e-6)
    assert of.final == of.at(3.0) == 1e-6


def test_a_cell_that_was_told_to_stop_has_not_missed_what_lies_beyond(bench: Any) -> None:
    budget = Budget(max_time=10.0, target_error=0.1)
    reached = outcome(bench, [(1.0, 0.5), (3.0, 0.05)], budget=budget, target_reached=True)
    assert [reached.time_to(e) for e in (0.1, 0.01)] == [3.0, None]
    missed = outcome(bench, [(1.0, 0.5)], budget=budget, target_reached=False)
    assert missed.time_to(0.1) == inf


def test_without_a_history_the_final_score_is_what_is_known(bench: Any) -> None:
    record = bench.add("pinn", [], metrics={"rel_l2": 0.03}, charged_s=7.0)
    of = read_outcome(bench.store, record, "rel_l2")
    assert (of.at(6.9), of.at(7.0), of.time_to(0.1), of.memory_to(0.1)) == (inf, 0.03, 7.0, 50.0)


def test_a_damaged_history_is_told(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    record = bench.add("pinn", COURSE)
    path = bench.store.folder(record.cell) / HISTORY
    path.write_bytes(b"no parquet")
    of = read_outcome(bench.store, record, "rel_l2")
    assert (of.final, of.at(4.0)) == (0.02, inf), "its final score is all that is known"
    (line,) = caplog.messages
    assert line.startswith(f"pdebench: left out: {path}: ")
    path.unlink()
    read_outcome(bench.store, record, "rel_l2")
    assert len(caplog.messages) == 1, "records that came without histories are sound"
