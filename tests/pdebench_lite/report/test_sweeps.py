"""What a study varies: lines of records that differ in one number, and in their seeds."""

from math import inf
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.analysis.outcomes import read_outcome
from pdebench_lite.report.figures import plot_all
from pdebench_lite.report.figures.sweeps import sweeps
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import Store


def point(make: Any, labels: int, error: float, seed: int = 0, **values: Any) -> Any:
    given: dict[str, Any] = {
        "config": {"labels": labels, "width": 20}, "label": f"mlp[labels={labels}]", "seed": seed,
        "metrics": {"rel_l2": error}, "ranked": ["rel_l2"], "reference_bound": 1e-6,
    }  # fmt: skip
    return make("mlp", **given | values)


@pytest.fixture
def labelled(make: Any) -> list[Any]:
    records = [point(make, n, 1.0 / n, seed) for n in (10, 100, 1000) for seed in (0, 1)]
    records.append(point(make, 10_000, 0.0, status="timeout", metrics={}))
    records.append(make("pinn", metrics={"rel_l2": 0.02}, ranked=["rel_l2"]))
    return records


def test_a_number_that_varies_is_found(labelled: list[Any]) -> None:
    (sweep,) = sweeps(labelled)
    assert (sweep.title, sweep.key, sweep.metric) == ("burgers", "labels", "rel_l2")
    (line,) = sweep.lines
    assert line.name == "mlp · jax"
    assert line.errors == {
        10.0: [0.1, 0.1], 100.0: [0.01, 0.01], 1000.0: [0.001, 0.001], 10_000.0: [inf],
    }  # fmt: skip
    (beside,) = sweep.across
    assert (beside.record.method, beside.error, beside.seconds) == ("pinn", 0.02, None)


def test_who_chose_the_number_is_beside_it(make: Any, tmp_path: Path) -> None:
    def weighed(weight: Any, error: float, seed: int = 0, found: Any = None) -> Any:
        label = "diffphys" if weight == "auto" else f"diffphys[weight={weight}]"
        return make(
            "diffphys", label=label, seed=seed, config={"weight": weight}, ranked=["rel_l2"],
            metrics={"rel_l2": error}, details={} if found is None else {"weight": found},
        )  # fmt: skip

    records = [weighed(10.0**-k, 0.1 * k) for k in (2, 4, 6)]
    records += [weighed("auto", e, seed, w) for seed, (e, w) in
                enumerate([(0.03, 1e-5), (0.01, 1e-7), (0.02, 1e-6)])]  # fmt: skip
    records.append(weighed("auto", 0.5, 3, "unknown"))
    (sweep,) = sweeps(records)
    (chosen,) = sweep.chosen
    assert (chosen.value, chosen.error) == (1e-6, 0.02)
    paths = plot_all(Store(tmp_path), records, tmp_path, ("svg",))
    assert "burgers-against-weight.svg" in {path.name for path in paths}


def test_what_differs_otherwise_is_another_line(make: Any) -> None:
    def wide(n: int) -> Any:
        config = {"labels": n, "width": 50}
        return point(make, n, 0.5, config=config, label=f"mlp[labels={n},width=50]")

    records = [point(make, n, 0.1) for n in (1, 2, 3)] + [wide(n) for n in (1, 2)]
    (sweep,) = sweeps(records)
    assert [line.name for line in sweep.lines] == ["mlp · jax"], "two values make no line"
    (sweep,) = sweeps([*records, wide(3)])
    assert [line.name for line in sweep.lines] == ["mlp · jax", "mlp[width=50] · jax"]


def test_parameters_of_problems_vary_too_but_not_names_of_instances(make: Any) -> None:
    records = []
    for nu in (0.1, 0.2, 0.3):
        params = {"nu": nu, "instance": int(10 * nu), "smooth": True}
        label = f"burgers:forward[nu={nu}]"
        records.append(
            make("pinn", metrics={"rel_l2": nu}, problem_params=params, problem_label=label)
        )
    assert sweeps(records) == [], "the instance differs as well"
    same = [
        r.model_copy(update={"problem_params": {"nu": r.problem_params["nu"]}}) for r in records
    ]
    (sweep,) = sweeps(same)
    assert (sweep.title, sweep.key) == ("burgers:forward", "nu")
    assert sweep.across == []


def test_a_longer_run_is_read_where_the_budget_of_the_others_ends(
    labelled: list[Any], make: Any, publish: Any, tmp_path: Path
) -> None:
    store, short = Store(tmp_path), [r for r in labelled if r.method == "mlp"]
    given = {"metrics": {"rel_l2": 1e-4}, "ranked": ["rel_l2"], "charged_s": 90.0}
    longer = make("pinn", budget=Budget(max_time=90.0), **given)
    single = make("deepxde", budget=Budget(max_time=90.0), dtype="float32", **given)
    for record in (longer, single):
        publish(store, record, 1e-4)
    (sweep,) = sweeps([*short, longer, single], store)
    (beside,) = sweep.across
    assert (beside.record, beside.seconds) == (longer, 30.0), "another precision is left out"
    assert beside.error == read_outcome(store, longer, "rel_l2").at(30.0) > 1e-4
    assert sweeps([*short, longer])[0].across == [], "nothing is known but its end"


def test_the_figure_is_drawn(labelled: list[Any], store: Any, tmp_path: Any) -> None:
    paths = plot_all(store, labelled, tmp_path, ("svg",))
    assert "burgers-against-labels.svg" in {path.name for path in paths}


def test_costs_of_a_call_have_figures_of_their_own(make: Any) -> None:
    def network(order: int) -> Any:
        return make(
            "taylor-mode", config={}, label="taylor-mode", ranked=["rel_l2", "call_s"],
            problem_params={"order": order}, problem_label=f"derivatives:network[order={order}]",
            metrics={"rel_l2": 1e-16, "call_s": order / 1024, "call_mb": 0.0},
        )  # fmt: skip

    error, cost = sweeps([network(order) for order in (1, 2, 3)])
    assert (error.metric, error.cost) == ("rel_l2", False)
    assert (cost.metric, cost.key, cost.cost) == ("call_s", "order", True)
    (line,) = cost.lines
    assert line.errors == {1.0: [1 / 1024], 2.0: [2 / 1024], 3.0: [3 / 1024]}


def test_what_is_unsupported_is_no_failure(make: Any) -> None:
    assert sweeps([point(make, n, 0.0, status="unsupported", metrics={}) for n in (1, 2, 3)]) == []
