"""`pdebench table --aggregate`: medians, intervals and ranks over seeds; failures stay in."""

import csv
import io
from typing import Any

import numpy as np
import pytest

from pdebench_lite.analysis import Source, compare
from pdebench_lite.cli import main
from pdebench_lite.errors import PdebenchError
from pdebench_lite.report.comparison.aggregate import render_aggregate
from pdebench_lite.store.records import Store

ERRORS = {"mlp": np.linspace(0.01, 0.02, 7), "pinn": np.linspace(0.1, 0.2, 7)}


@pytest.fixture
def runs(tmp_path: Any, make: Any) -> Store:
    """Seven seeds of two methods that saw the same; three seeds of the second failed."""
    store = Store(tmp_path / "runs")
    for method, errors in ERRORS.items():
        for seed, error in enumerate(errors):
            failed = method == "pinn" and seed >= 4
            record = make(
                method, seed=seed, sees={"residual": True, "snapshots": 1},
                status="diverged" if failed else "ok",
                metrics={} if failed else {"rel_l2": float(error), "mae": float(error) / 2},
                ranked=["rel_l2", "mae"], reference_bound=1e-6,
            )  # fmt: skip
            store.publish(record, store.workspace(record.cell))
    return store


def rows(store: Store) -> list[dict[str, str]]:
    text = render_aggregate(compare([Source(store)]), "csv")
    return list(csv.DictReader(io.StringIO(text)))


def test_medians_intervals_and_ranks(runs: Store) -> None:
    first, second = rows(runs)
    assert [first["method"], second["method"]] == ["mlp", "pinn"]
    assert [first["rank"], second["rank"]] == ["1", "2"]
    assert float(first["rel_l2"]) == pytest.approx(np.median(ERRORS["mlp"]))
    assert float(first["mae"]) == pytest.approx(np.median(ERRORS["mlp"]) / 2)
    assert 0.01 <= float(first["rel_l2_low"]) < float(first["rel_l2"]) < float(first["rel_l2_high"])
    assert float(first["rel_l2_high"]) <= 0.02


def test_failed_seeds_count_as_misses(runs: Store) -> None:
    _, second = rows(runs)
    assert second["failures"] == "3"
    errors = [*ERRORS["pinn"][:4], np.inf, np.inf, np.inf]
    assert float(second["rel_l2"]) == pytest.approx(np.median(errors))
    assert second["rel_l2_high"] == "", "beyond all bounds"
    text = render_aggregate(compare([Source(runs)]), "text", width=200)
    assert "7, 3 failed" in text
    assert "∞]" in text


def test_the_best_is_bold_in_its_block(runs: Store) -> None:
    lines = render_aggregate(compare([Source(runs)]), "md").splitlines()
    (best,) = [line for line in lines if "| mlp |" in line]
    (other,) = [line for line in lines if "| pinn |" in line]
    assert best.startswith("| **1** | mlp | jax |")
    assert "**" not in other


def test_metrics_can_be_chosen(runs: Store) -> None:
    lines = render_aggregate(compare([Source(runs)]), "md", ["mae"]).splitlines()
    (head,) = [line for line in lines if line.startswith("| rank")]
    assert "| mae |" in head
    assert "rel_l2" not in head
    with pytest.raises(PdebenchError, match="unknown metric 'mea'"):
        render_aggregate(compare([Source(runs)]), "md", ["mea"])
    with pytest.raises(PdebenchError, match="unknown format 'tex'"):
        render_aggregate(compare([Source(runs)]), "tex")


def test_every_format_is_written(store: Store, parsed: Any) -> None:
    comparison = compare([Source(store)])
    assert "\\toprule" in render_aggregate(comparison, "latex")
    answer = parsed(render_aggregate(comparison, "json"))
    assert {"mlp", "pinn", "diffphys"} <= {row["method"] for row in answer}


def test_the_command(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["table", "--results", str(store.root), "--problem", "burgers"]
    assert main([*words, "--aggregate", "--format", "md"]) == 0
    assert "medians over seeds" in capsys.readouterr().out
    assert main([*words, "--format", "md"]) == 0
    assert "burgers: rel" in capsys.readouterr().out.replace("\\", "")
    for more in ([], ["--aggregate"]):
        assert main([*words[:-1], "burger", *more]) == 2
        assert "'burger'" in capsys.readouterr().err


def test_coverage_is_a_share_and_error_over_a_bound_an_rms(tmp_path: Any, make: Any) -> None:
    store = Store(tmp_path / "runs")
    over, covered = (
        [0.5, 2.0, 1.0, 0.1, 0.7, 1.2, 0.3, 3.0],
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
    )
    for method in ("leastsquares", "pinn"):
        for seed in range(8):
            stated = covered[seed] if method == "leastsquares" else None
            metrics = {"rel_l2": 0.1, "nu_over_bound": over[seed], "nu_covered": stated}
            record = make(method, seed=seed, metrics=metrics, ranked=["rel_l2"])
            store.publish(record, store.workspace(record.cell))
    by_method = {row["method"]: row for row in rows(store)}
    ours = by_method["leastsquares"]
    assert float(ours["nu_over_bound"]) == pytest.approx(np.sqrt(np.mean(np.square(over))))
    assert float(ours["nu_covered"]) == pytest.approx(7 / 8)
    interval = [float(ours["nu_covered_low"]), float(ours["nu_covered_high"])]
    assert interval == pytest.approx([0.529, 0.978], abs=1e-3), (
        "scipy.stats.binomtest, method='wilson'"
    )
    assert by_method["pinn"]["nu_covered"] == "", "it states no interval"
    text = render_aggregate(compare([Source(store)]), "text", width=250)
    assert "0.88" in text
    assert "[0.53, 0.98]" in text
    assert "nu_covered: share of seeds" in " ".join(text.split())


def test_a_share_of_points_has_a_mean(tmp_path: Any, make: Any) -> None:
    store, shares = Store(tmp_path / "runs"), [1.0, 1.0, 1.0, 1.0, 1.0, 0.4, 1.0]
    for method in ("diffphys", "pinn"):
        for seed, stated in enumerate(shares):
            coverage = stated if method == "diffphys" else None
            metrics = {"rel_l2": 0.1, "initial_coverage": coverage}
            record = make(method, seed=seed, metrics=metrics, ranked=["rel_l2"])
            store.publish(record, store.workspace(record.cell))
    by_method = {row["method"]: row for row in rows(store)}
    assert float(by_method["diffphys"]["initial_coverage"]) == pytest.approx(6.4 / 7)
    assert by_method["pinn"]["initial_coverage"] == ""
    text = " ".join(render_aggregate(compare([Source(store)]), "text", width=250).split())
    assert "0.91" in text
    assert "initial_coverage: mean over seeds" in text


def test_medians_over_a_parameter_of_the_problem(tmp_path: Any, make: Any, capsys: Any) -> None:
    store, errors = Store(tmp_path / "runs"), [0.1, 0.3, 0.2, 0.4, 0.6, 0.5, 0.7]
    for instance, error in enumerate(errors):
        given = f"instance={instance}," if instance else ""
        record = make(
            "diffphys", problem_label=f"burgers[ic=random,{given}noise=0.01]",
            problem_params={"ic": "random", "instance": instance, "noise": 0.01},
            metrics={"rel_l2": error}, ranked=["rel_l2"],
        )  # fmt: skip
        store.publish(record, store.workspace(record.cell))
    words = ["table", "--results", str(store.root), "--aggregate", "--over", "instance"]
    assert main([*words, "--format", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["problem"] == "burgers[ic=random,noise=0.01]"
    assert float(row["rel_l2"]) == np.median(errors)
    assert main([*words, "--format", "md"]) == 0
    text = capsys.readouterr().out
    assert "medians over seeds and values of instance" in text
    assert "| runs |" in text
    verb, folder = ["compare", "--results", str(store.root)], ["--over", "instance"]
    assert main([*verb, *folder, "--tables", "final", "--success", "0.25", "--format", "md"]) == 0
    assert "| 2 of 7 \\[" in " ".join(capsys.readouterr().out.split())
    assert main([*words, "--problem", "burgers", "--format", "csv"]) == 0
    assert main([*words, "--problem", "burgers[]", "--format", "csv"]) == 2, "all have parameters"
    capsys.readouterr()
    assert main([*words[:-1], "instanse"]) == 2
    assert "did you mean 'instance'?" in capsys.readouterr().err
    assert main([*words[:3], "--over", "instance"]) == 2
    assert "add --aggregate" in capsys.readouterr().err


def test_success_rates(runs: Store, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["table", "--results", str(runs.root), "--success", "0.012,0.5"]
    assert main([*words, "--aggregate", "--format", "csv"]) == 0
    first, second = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert float(first["reached_1.2e-2"]) == pytest.approx(2 / 7)
    assert float(second["reached_5e-1"]) == pytest.approx(4 / 7), "three of seven failed"
    assert float(first["reached_5e-1_low"]) < 1.0 == float(first["reached_5e-1_high"])
    assert main([*words, "--aggregate", "--format", "md"]) == 0
    assert "4 of 7 \\[0.25, 0.84]" in " ".join(capsys.readouterr().out.split())
    assert main(words) == 2
    assert capsys.readouterr().err == (
        "pdebench: --success 0.012,0.5 is a share of runs: add --aggregate\n"
    )
    for wrong in ("0", "-1", "x", "inf", "nan"):
        assert main([*words[:-1], wrong, "--aggregate"]) == 2
        assert f"--success '{wrong}' are not positive numbers" in capsys.readouterr().err
