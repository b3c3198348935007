"""When training pays off: the rule, on records made by hand."""

from math import inf

import pytest

from pdebench_lite.analysis.payoff import payoffs
from pdebench_lite.registry.discovery import registry
from pdebench_lite.report.payoff import render_payoffs
from pdebench_lite.runner.study import make_cell
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import record_of


def record(method, error, each, params=0, charged=0.0, problem="burgers:family", **other):
    known = registry()
    task = known.task(problem)
    described, config = known.configured(method)
    backend = next(iter(described.solvers))
    cell = make_cell(task, described, config, backend, 0, Budget(max_time=30.0), "float64")
    return record_of(
        cell, "ok", params=params, charged_s=charged, data_s=0.25 * charged, threads=1,
        ranked=list(task.ranked), metrics={"rel_l2": error, "instance_s": each}, **other,
    )  # fmt: skip


def machine(record):
    return record.device_name


TRAINED = {"method": "cnn", "error": 0.02, "each": 0.001, "params": 100, "charged": 30.0}
SOLVERS = [("muscl[cells=32]", 0.03, 0.002), ("muscl[cells=64]", 0.01, 0.004)]


def test_the_rival_is_the_cheapest_that_is_as_good():
    dearer = record("etdrk4[cells=64]", 0.001, 0.007)
    records = [record(**TRAINED), dearer, *(record(*solver) for solver in SOLVERS)]
    (found,) = payoffs(records, machine)
    assert found.classical is not None
    assert found.classical.label == "muscl[cells=64]"
    assert found.solves == pytest.approx(30.0 / (0.004 - 0.001))


def test_slower_answers_never_pay_off():
    (found,) = payoffs([record(**{**TRAINED, "each": 0.004}), record(*SOLVERS[1])], machine)
    assert found.solves == inf
    assert "never" in render_payoffs([found], "md")


@pytest.mark.parametrize(
    "rival",
    [
        record(*SOLVERS[0]),
        record(*SOLVERS[1], device_name="another"),
        record(*SOLVERS[1], problem="burgers:family[frames=2]"),
        record("cnn[levels=1]", 0.01, 0.004, params=7),
    ],
    ids=["worse", "machine", "problem", "trained"],
)
def test_what_is_not_alike_is_no_rival(rival):
    found = next(p for p in payoffs([record(**TRAINED), rival], machine) if p.error == 0.02)
    assert found.classical is None
    assert found.solves is None
    assert "no record" in render_payoffs([found])


def test_the_table_says_what_was_counted():
    (found,) = payoffs([record(**TRAINED), record(*SOLVERS[1])], machine)
    table = render_payoffs([found], "md")
    for text in ("cnn", "muscl", "2.0e-02", "7.50", "22.5", "1e+04"):
        assert text in table, table
