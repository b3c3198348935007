"""What a comparison ranks, keeps, marks and refuses to say."""

import math
from collections.abc import Callable
from math import inf
from typing import Any

import pytest
from scipy.stats import trim_mean

from pdebench_lite.analysis.fairness import audit
from pdebench_lite.analysis.profiles import RATIOS
from pdebench_lite.errors import PdebenchError
from pdebench_lite.store.cell import Budget

SIX = [0.010, 0.011, 0.012, 0.013, 0.014, 0.015]


def headings(problem: Any) -> list[str]:
    return [block.heading for block in problem.blocks]


def standing(problem: Any, label: str) -> Any:
    rows = (s for block in problem.blocks for s in block.standings)
    return next(s for s in rows if s.entrant.key.label == label)


def marks(problem: Any, label: str) -> list[str]:
    entrants = problem.contest.entrants
    return problem.marks(next(e for e in entrants if e.key.label == label))


def test_only_equal_data_share_a_block(bench: Any) -> None:
    for method in ("mlp", "pinn", "diffphys", "etdrk4"):
        bench.add(method)
    bench.add("mlp", label="mlp[labels=9]", sees={"labels": 9})
    (problem,) = bench.compare().problems
    assert headings(problem) == [
        "given 2000 labels", "given 9 labels", "given initial state, coefficients",
    ]  # fmt: skip
    assert len(problem.blocks[2].standings) == 3, "residual against step is what is compared"


def test_boundary_conditions_are_built_into_a_step(bench: Any) -> None:
    known = {"initial_state": True, "coefficients": True}
    bench.add("pinn", sees={**known, "boundary": True, "residual": True})
    bench.add("diffphys", sees={**known, "step": True})
    bench.add("other", sees={**known, "residual": True})
    (problem,) = bench.compare().problems
    assert headings(problem) == [
        "given initial state, boundary, coefficients", "given initial state, coefficients",
    ]  # fmt: skip


def test_who_fails_before_it_saw_anything_stays_with_its_kin(bench: Any) -> None:
    bench.add("pinn", backend="jax")
    bench.add("pinn", [], backend="torch", status="crashed", sees={})
    bench.add("odd", [], status="crashed", sees={})
    (problem,) = bench.compare().problems
    assert len(problem.blocks[0].standings) == 2
    assert headings(problem)[1] == "given no data, or failed before it took any"


def test_failed_runs_stay_in_the_median(bench: Any) -> None:
    bench.seeds("pinn", [0.1, 0.2])
    bench.add("pinn", seed=2, status="diverged")
    bench.add("pinn", seed=3, status="crashed")
    bench.add("pinn", seed=4, status="timeout")
    (problem,) = bench.compare().problems
    row = standing(problem, "pinn")
    assert (row.error.value, row.error.n, row.error.misses) == (inf, 5, 3)
    assert row.time.value == inf
    assert row.entrant.failures == 3
    assert not row.pareto


def test_a_cheaper_row_is_better_whatever_its_budget(bench: Any) -> None:
    bench.seeds("pinn", SIX, budget=Budget(max_time=180.0), charged_s=180.0, peak_host_mb=60.0)
    bench.seeds("diffphys", SIX, budget=Budget(max_time=20.0), charged_s=15.0)
    bench.seeds("etdrk4", [1e-7] * 6, budget=Budget(max_time=5.0), charged_s=0.1, peak_host_mb=1.0)
    bench.seeds("slow", SIX, sees={"labels": 9}, charged_s=500.0)
    (problem,) = bench.compare().problems
    fronts = {s.entrant.key.label for b in problem.blocks for s in b.standings if s.pareto}
    assert fronts == {"etdrk4", "slow"}, "of each block"


def test_unsupported_is_no_failure(bench: Any) -> None:
    bench.add("pinn")
    bench.add("etdrk4", [], status="unsupported", reason="not for it", sees={})
    (problem,) = bench.compare().problems
    assert [e.key.label for e in problem.contest.entrants] == ["pinn"]
    assert [r.reason for r in problem.contest.refused] == ["not for it"]


def test_ranks_need_six_seeds(bench: Any) -> None:
    bench.seeds("pinn", SIX[:5])
    bench.seeds("diffphys", [10 * v for v in SIX[:5]])
    (problem,) = bench.compare().problems
    assert {s.rank for s in problem.blocks[0].standings} == {None}
    assert standing(problem, "pinn").error.high == SIX[4]


def test_ranks_are_by_intervals_within_a_block(bench: Any) -> None:
    bench.seeds("pinn", SIX)
    bench.seeds("diffphys", [10 * v for v in SIX])
    bench.seeds("other", [1.01 * v for v in SIX], sees={"initial_state": True, "coefficients": 1})
    bench.seeds("mlp", [1e-5] * 6)
    (problem,) = bench.compare().problems
    ranks = {s.entrant.key.label: s.rank for b in problem.blocks for s in b.standings}
    assert ranks == {"mlp": 1, "pinn": 1, "other": 1, "diffphys": 3}
    assert not standing(problem, "mlp").best, "it was alone"
    assert standing(problem, "other").best
    assert not standing(problem, "diffphys").best


def test_nothing_is_ranked_below_the_bound(bench: Any) -> None:
    bench.seeds("pinn", [v * 1e-6 for v in SIX], reference_bound=1e-6)
    bench.seeds("diffphys", [v * 1e-9 for v in SIX], reference_bound=1e-6)
    (problem,) = bench.compare().problems
    assert {s.rank for s in problem.blocks[0].standings} == {1}
    assert {s.error.value for s in problem.blocks[0].standings} == {1e-6}
    assert min(problem.errors) > 1e-6


def test_another_budget_is_another_race(bench: Any) -> None:
    bench.seeds("pinn", SIX)
    bench.seeds("diffphys", [10 * v for v in SIX], budget=Budget(max_time=5.0))
    (problem,) = bench.compare().problems
    assert {s.rank for s in problem.blocks[0].standings} == {1}
    assert not problem.blocks[0].pairs
    assert "budget 5 s" in marks(problem, "diffphys")


def test_pairs_use_the_seeds_that_both_have(bench: Any) -> None:
    bench.seeds("pinn", SIX)
    for seed in (2, 3, 9):
        bench.add("diffphys", [(1.0, 0.1 * (seed + 1))], seed=seed)
    (problem,) = bench.compare().problems
    (pair,) = problem.blocks[0].pairs
    assert pair.first.key.label == "pinn"
    assert list(pair.shared) == [2, 3]
    ratios = [SIX[2] / 0.3, SIX[3] / 0.4]
    assert pair.ratio.value == pytest.approx((ratios[0] * ratios[1]) ** 0.5)
    assert pair.improvement is None, "two shared seeds are too few for a probability"
    bench.add("diffphys", [(1.0, 0.5)], seed=4)
    (problem,) = bench.compare().problems
    (pair,) = problem.blocks[0].pairs
    assert pair.improvement.value == 1.0


def test_an_answer_that_knows_nothing_has_no_place(bench: Any) -> None:
    """The mean of the truth has an error of 0.4 here; what is not below it has learned nothing."""
    bench.seeds("pinn", SIX, trivial_error=0.4)
    bench.seeds("diffphys", [0.4] * 6, trivial_error=0.4, charged_s=1.0)
    (problem,) = bench.compare().problems
    good, bad = (standing(problem, name) for name in ("pinn", "diffphys"))
    assert (good.rank, bad.rank, bad.best, bad.pareto) == (1, None, False, False)
    assert good.pareto
    assert problem.blocks[0].pairs[0].improvement is None


def test_places_need_three_shared_seeds(bench: Any) -> None:
    bench.seeds("pinn", [0.1, 0.2])
    bench.seeds("diffphys", [0.3, 0.3, 0.3])
    for seed in range(2, 8):
        bench.add("other", [(10.0, 1e-3)], seed=seed)
    (problem,) = bench.compare().problems
    fronts = {s.entrant.key.label: s.pareto for s in problem.blocks[0].standings}
    assert fronts["pinn"] is False, "two seeds"
    assert sum(fronts.values()) == 1, "diffphys and other share one seed only"


def test_times_that_the_same_budget_cut_off_are_equal(bench: Any) -> None:
    """10.6 s and 10.1 s of a budget of 10 s differ in two digits, but by no merit."""
    bench.seeds("pinn", SIX, charged_s=10.1, peak_host_mb=60.0)
    bench.seeds("diffphys", [v / 10 for v in SIX], charged_s=10.6, peak_host_mb=60.0)
    (problem,) = bench.compare().problems
    fronts = {s.entrant.key.label for s in problem.blocks[0].standings if s.pareto}
    assert fronts == {"diffphys"}


# ---- fairness --------------------------------------------------------------------------------


def test_unequal_conditions_are_marked_in_the_row(bench: Any) -> None:
    for method in ("mlp", "diffphys", "other"):
        bench.add(method)
    bench.add("pinn", dtype="float32", threads=1, device="cuda", device_name="H100")
    (problem,) = bench.compare().problems
    assert marks(problem, "pinn") == ["float32", "1 thread", "H100"]
    assert marks(problem, "diffphys") == []
    other = "unless a row says otherwise"
    assert problem.audit.common == [
        "budget 10 s", f"float64 {other}", f"2 threads {other}", f"cpu {other}",
        "one cell at a time",
    ]  # fmt: skip


def test_without_a_majority_every_row_is_marked(bench: Any) -> None:
    bench.add("pinn", dtype="float32")
    bench.add("diffphys")
    (problem,) = bench.compare().problems
    assert [marks(problem, m) for m in ("pinn", "diffphys")] == [["float32"], ["float64"]]


def test_trials_are_configurations_of_the_same_method(bench: Any) -> None:
    bench.add("pinn")
    bench.add("pinn", label="pinn[width=9]", backend="jax")
    bench.add("pinn", label="pinn[width=9]", backend="torch")
    bench.add("diffphys")
    for cells in (64, 128):
        bench.add("etdrk4", label=f"etdrk4[cells={cells}]")
    (problem,) = bench.compare().problems
    assert problem.audit.trials == [2, 2, 2, 1, 2, 2]
    assert marks(problem, "pinn") == ["2 trials"]
    assert marks(problem, "etdrk4[cells=64]") == [], "resolutions are a curve, and no tuning"


def test_versions_and_sources_that_differ_are_marked(bench: Any) -> None:
    usual = {"pdebench_lite": "aaa", "torch": "2.13"}
    bench.add("mlp", fingerprint=usual)
    bench.add("diffphys", fingerprint=usual)
    bench.add("pinn", fingerprint={"pdebench_lite": "bbb", "torch": "2.12"}, seed=0)
    bench.add("pinn", fingerprint={"pdebench_lite": "aaa", "torch": "2.12"}, seed=1)
    bench.add("other", fingerprint={"numpy": "2.0"})
    (problem,) = bench.compare().problems
    assert marks(problem, "pinn") == ["mixed source", "torch 2.12"]
    assert marks(problem, "other") == []
    assert problem.audit.sources == {}


def test_rows_that_the_same_code_ran_bear_the_same_mark(bench: Any) -> None:
    for method in ("mlp", "diffphys", "etdrk4"):
        bench.add(method, fingerprint={"pdebench_lite": "aaa", "pdebench_jax": "bbb"})
    bench.add("pinn", fingerprint={"pdebench_lite": "zzz", "pdebench_torch": "ttt"})
    bench.add("early", fingerprint={"pdebench_lite": "aaa", "pdebench_jax": "old"})
    bench.add("late", fingerprint={"pdebench_lite": "zzz", "pdebench_jax": "yyy"})
    (problem,) = bench.compare().problems
    found = {m: marks(problem, m) for m in ("mlp", "pinn", "late", "early")}
    assert found == {"mlp": [], "pinn": ["source 2"], "late": ["source 2"], "early": ["source 3"]}
    assert problem.audit.sources == {
        "source 2": ["pdebench_jax", "pdebench_lite"], "source 3": ["pdebench_jax"],
    }  # fmt: skip


def test_rows_whose_seeds_other_code_ran_are_marked_even_if_they_are_most(bench: Any) -> None:
    for method in ("mlp", "diffphys", "pinn"):
        for seed, mark in enumerate(("aaa", "bbb")):
            bench.add(method, fingerprint={"pdebench_lite": mark}, seed=seed)
    bench.add("etdrk4", fingerprint={"pdebench_lite": "aaa"})
    (problem,) = bench.compare().problems
    assert marks(problem, "mlp") == marks(problem, "pinn") == ["mixed source"]
    assert marks(problem, "etdrk4") == []


def test_rows_that_saw_other_noise_are_marked(bench: Any) -> None:
    noisy = {"problem_params": {"noise": 0.01}}
    for method in ("mlp", "diffphys", "opticalflow"):
        bench.seeds(method, (0.1, 0.2, 0.3), **noisy)
    bench.add("adjoint", **noisy)
    bench.add("pinn", seed=1, **noisy)
    bench.add("pinn", seed=5, **noisy)
    (problem,) = bench.compare().problems
    found = {method: marks(problem, method) for method in ("mlp", "adjoint", "pinn")}
    assert found == {"mlp": [], "adjoint": ["noise of seed 0"], "pinn": ["noise of seeds 1, 5"]}


def test_draws_of_other_problems_are_no_matter(bench: Any) -> None:
    """Rows over several problems: each is set beside those on its own."""
    for label, seeds in (("toy", 3), ("toy[c=2.0]", 2)):
        finals, params = (0.1, 0.2, 0.3)[:seeds], {"noise": 0.01}
        bench.seeds("pinn", finals, problem_label=label, problem_params=params)
    comparison = bench.compare()
    assert [marks(problem, "pinn") for problem in comparison.problems] == [[], []]
    entrants = [e for problem in comparison.problems for e in problem.contest.entrants]
    assert audit(entrants).marks == [[], []]


def test_without_noise_any_seeds_compare(bench: Any) -> None:
    for method in ("mlp", "diffphys"):
        bench.seeds(method, (0.1, 0.2, 0.3), problem_params={"noise": 0.0})
    bench.add("adjoint", problem_params={"noise": 0.0})
    (problem,) = bench.compare().problems
    assert marks(problem, "adjoint") == []


def test_numbers_of_sources_are_those_of_one_problem(bench: Any) -> None:
    for label in ("toy", "toy[c=2.0]"):
        for method, mark in (("mlp", "aaa"), ("diffphys", "aaa"), ("pinn", "zzz")):
            prints = {"pdebench_lite": mark}
            bench.add(method, fingerprint=prints, problem_label=label, sees={"labels": 9})
    comparison = bench.compare()
    assert [marks(problem, "pinn") for problem in comparison.problems] == [["source 2"]] * 2
    rows = {row.key.label: row.marks for block in comparison.overall for row in block.rows}
    assert rows == {"mlp": [], "diffphys": [], "pinn": ["other source"]}


def test_concurrency_is_a_condition(bench: Any) -> None:
    bench.add("mlp")
    bench.add("diffphys")
    bench.add("pinn", concurrency=4, resumed=1)
    (problem,) = bench.compare().problems
    assert marks(problem, "pinn") == ["4 cells at once", "resumed"]
    assert marks(problem, "mlp") == []


def test_what_the_host_took_is_marked_where_it_is_much(bench: Any) -> None:
    bench.add("mlp", steal=0.23)
    bench.add("diffphys", steal=0.049)
    bench.add("etdrk4")
    for seed, steal in enumerate((0.01, None, 0.5)):
        bench.add("pinn", seed=seed, steal=steal)
    (problem,) = bench.compare().problems
    found = {m: marks(problem, m) for m in ("mlp", "diffphys", "etdrk4", "pinn")}
    assert found == {
        "mlp": ["host took 23%"], "diffphys": [], "etdrk4": [], "pinn": ["host took up to 50%"],
    }  # fmt: skip
    values = [values["steal"] for values in problem.audit.values]
    assert sorted(values) == ["", "23%", "5%", "up to 50%"], "conditions tell every share"


def test_waiting_for_other_programs_is_marked_where_it_is_much(bench: Any) -> None:
    bench.add("mlp", waited=0.23)
    bench.add("diffphys", waited=0.049)
    for seed, waited in enumerate((0.01, None, 0.5)):
        bench.add("pinn", seed=seed, waited=waited)
    (problem,) = bench.compare().problems
    found = {m: marks(problem, m) for m in ("mlp", "diffphys", "pinn")}
    assert found == {"mlp": ["waited 23%"], "diffphys": [], "pinn": ["waited up to 50%"]}


def test_threads_that_are_not_those_given_are_marked(bench: Any) -> None:
    bench.add("mlp", threads=2, processors=2)
    bench.add("diffphys", threads=2)
    bench.add("etdrk4", threads=2, processors=2)
    bench.add("pinn", threads=1, processors=2)
    (problem,) = bench.compare().problems
    assert marks(problem, "pinn") == ["1 of 2 threads"]
    assert marks(problem, "mlp") == marks(problem, "diffphys") == []


def test_variables_of_the_shell_are_marked_where_not_all_rows_had_them(bench: Any) -> None:
    bench.add("mlp", variables={"MALLOC_ARENA_MAX": "1"})
    bench.add("pinn", variables={"MALLOC_ARENA_MAX": "1"})
    (problem,) = bench.compare().problems
    assert "MALLOC_ARENA_MAX=1" in problem.audit.common
    assert marks(problem, "mlp") == marks(problem, "pinn") == []
    bench.add("diffphys")
    (problem,) = bench.compare().problems
    assert "MALLOC_ARENA_MAX=1" not in problem.audit.common
    assert marks(problem, "mlp") == marks(problem, "pinn") == ["MALLOC_ARENA_MAX=1"]
    assert marks(problem, "diffphys") == []


def machine(bench: Any, name: str, cpu: str) -> None:
    bench.store.keep_environment({"cpu": cpu, "cores": 2, "installed": {}}, name)


def test_another_folder_is_set_beside_and_not_mixed_in(
    bench: Any, new_bench: Callable[[str], Any]
) -> None:
    shipped = new_bench("reference")
    machine(bench, "e1", "mine")
    machine(shipped, "e2", "theirs")
    bench.seeds("pinn", SIX, environment="e1")
    bench.seeds("diffphys", [10 * v for v in SIX], environment="e1")
    shipped.seeds("diffphys", [v / 100 for v in SIX], environment="e2")
    (problem,) = bench.compare(shipped).problems
    rows = problem.blocks[0].standings
    assert [(s.entrant.key.source, s.rank) for s in rows] == [("reference", 1), ("", 1), ("", 2)]
    assert not rows[0].best
    assert problem.marks(rows[0].entrant) == ["other machine", "from reference"]
    assert len(problem.blocks[0].pairs) == 1


def test_the_same_cell_in_both_folders_counts_once(
    bench: Any, new_bench: Callable[[str], Any]
) -> None:
    other = new_bench("copy")
    for folder in (bench, other):
        folder.add("pinn", cell="feed" * 4)
    (problem,) = bench.compare(other).problems
    assert [len(e.outcomes) for e in problem.contest.entrants] == [1]


# ---- courses ---------------------------------------------------------------------------------


def course(problem: Any, label: str) -> Any:
    return next(c for b in problem.blocks for c in b.courses if c.key.label == label)


def test_cells_that_stopped_on_the_error_enter_tables_of_time_only(bench: Any) -> None:
    budget = Budget(max_time=10.0, target_error=0.05)
    bench.add("pinn")
    bench.add("pinn", [(1.0, 0.5), (2.0, 0.04)], budget=budget, target_reached=True, backend="jax")
    (problem,) = bench.compare().problems
    assert len(problem.blocks[0].standings) == 1
    found = next(c for c in problem.blocks[0].courses if c.targeted)
    assert (found.final(), found.at(5.0)) == (None, None)
    assert found.to(0.05) == [2.0]
    assert 0.05 in problem.errors


def test_resolutions_of_a_classical_solver_are_one_curve(bench: Any) -> None:
    for cells, seconds, error in ((64, 0.1, 0.1), (128, 0.5, 0.01), (256, 3.0, 1e-4)):
        for seed in (0, 1):
            last = (seconds * (1 + 0.1 * seed), error)
            bench.add(
                "etdrk4", [(0.9 * seconds, 1e-9), last], label=f"etdrk4[cells={cells}]", seed=seed
            )
    bench.add("pinn")
    (problem,) = bench.compare().problems
    curve = course(problem, "etdrk4 (curve of 3)")
    assert curve.to(0.05) == [0.5, 0.55]
    assert curve.to(1e-5) == [inf, inf], "what half a march has reached is not an answer"
    assert curve.at(1.0) == [0.01, 0.01]
    assert curve.at(0.01) == [inf, inf]
    assert curve.final() == [1e-4, 1e-4]
    assert problem.advice is None
    assert len(problem.blocks[0].standings) == 4


def test_times_and_errors_follow_the_records(bench: Any) -> None:
    bench.add("pinn", [(0.01, 0.9), (10.0, 3e-4)])
    bench.add("etdrk4", [(0.01, 1e-8)])
    (problem,) = bench.compare().problems
    assert problem.times == pytest.approx([0.1, 0.3, 1.0, 3.0, 10.0])
    assert problem.errors == pytest.approx([0.1, 0.01, 1e-3, 1e-4]), "one nobody learned to reach"
    (chosen,) = bench.compare(times=[2.0], errors=[0.5]).problems
    assert (chosen.times, chosen.errors) == ([2.0], [0.5])


# ---- the classical solver --------------------------------------------------------------------


def test_a_missing_classical_solver_is_named_with_the_command_that_adds_it(bench: Any) -> None:
    where = {"problem": "burgers", "problem_label": "burgers:forward[nu=0.02]",
             "problem_params": {"nu": 0.02}}  # fmt: skip
    bench.add("pinn", **where)
    (problem,) = bench.compare().problems
    assert "no classical solver among these records" in problem.advice.text
    begin = "pdebench run --problem 'burgers:forward[nu=0.02]' --methods "
    assert problem.advice.command.startswith(begin)
    assert "etdrk4[cells=128],etdrk4[cells=256]" in problem.advice.command
    assert problem.advice.command.endswith(f"--max-time 10s --results {bench.store.root}")
    bench.add("etdrk4", **where)
    (problem,) = bench.compare().problems
    assert problem.advice.text.startswith("only one resolution of etdrk4: no work–precision curve")


def test_a_problem_that_is_not_installed_gets_no_command(bench: Any) -> None:
    bench.add("pinn", problem="nowhere")
    (problem,) = bench.compare().problems
    assert problem.advice.text.endswith("the problem is not installed here")


# ---- over problems ---------------------------------------------------------------------------


SAME = {"initial_state": True, "coefficients": True}


def several_problems(bench: Any) -> None:
    """Two entrants on three problems a thousandfold apart, one on two, one on one."""
    for label, scale in (("toy", 1.0), ("toy[c=2.0]", 1e3), ("toy[c=3.0]", 1e6)):
        bench.seeds("pinn", [scale * 1e-7 * v for v in (1, 2, 3)], problem_label=label)
        bench.seeds("diffphys", [scale * 1e-8 * v for v in (1, 2, 3)], problem_label=label)
        if scale < 1e6:
            bench.seeds("other", [1e-7] * 3, sees=SAME, problem_label=label)
    bench.seeds("once", [1e-7] * 3, sees=SAME)


def test_over_problems(bench: Any) -> None:
    several_problems(bench)
    (block,) = bench.compare(errors=[1e-4]).overall
    assert block.heading == "given initial state, coefficients"
    assert [(r.key.label, r.problems, r.rank) for r in block.rows] == [
        ("diffphys", 3, 1), ("pinn", 3, 2), ("other", 2, None),
    ]  # fmt: skip
    first, second, third = block.rows
    assert (third.final, third.reached, third.to) == (None, [None], [None]), "other problems"
    logs = [math.log(k * 10.0**-p) for p in (8, 5, 2) for k in (1, 2, 3)]
    assert first.final.value == pytest.approx(math.exp(trim_mean(logs, 0.25)))
    assert first.reached == [pytest.approx(6 / 9)]
    assert second.reached == [pytest.approx(4 / 9)]
    assert first.best
    assert not second.best


def test_profiles_count_problems_and_errors(bench: Any) -> None:
    for label, slow in (("toy", 3.0), ("toy[c=2.0]", 8.0)):
        bench.add("diffphys", [(1.0, 0.05), (2.0, 0.005)], problem_label=label)
        bench.add("pinn", [(slow, 0.05), (slow + 0.1, 0.02)], problem_label=label)
    bench.add("other", [(0.1, 0.001)], sees=SAME)
    (block,) = bench.compare(errors=[0.1, 0.01, 1e-4]).overall
    profiles = {row.key.label: row.profile for row in block.rows}
    assert RATIOS[:4] == (1.0, 2.0, 5.0, 10.0)
    assert profiles["diffphys"] == [1.0] * 5, "1e-4 was reached by nobody and does not count"
    assert profiles["pinn"] == [0.0, 0.0, 0.25, 0.5, 0.5]


def test_equal_budgets_are_asked_for_over_problems(bench: Any) -> None:
    for label, budget in (("toy", 10.0), ("toy[c=2.0]", 99.0)):
        for method in ("pinn", "diffphys"):
            bench.seeds(method, [0.1] * 3, problem_label=label, budget=Budget(max_time=budget))
        less = Budget(max_time=5.0)
        bench.seeds("other", [0.1] * 3, sees=SAME, problem_label=label, budget=less)
    assert [len(block.rows) for block in bench.compare().overall] == [2, 1]


def test_one_problem_has_nothing_over_problems(bench: Any) -> None:
    bench.add("pinn")
    assert bench.compare().overall == []


# ---- choices ---------------------------------------------------------------------------------


def test_problems_are_chosen_with_or_without_parameters(bench: Any) -> None:
    several_problems(bench)
    chosen = lambda *names: [p.contest.label for p in bench.compare(problems=names).problems]  # noqa: E731
    assert chosen("toy") == ["toy", "toy[c=2.0]", "toy[c=3.0]"]
    assert chosen("toy[c=2.0]") == ["toy[c=2.0]"]
    with pytest.raises(PdebenchError, match="unknown problem in these records 'toi'; did you mean"):
        chosen("toi")


def test_another_metric(bench: Any) -> None:
    bench.add("pinn", metrics={"rel_l2": 0.1, "linf": 0.7})
    (problem,) = bench.compare(metric="linf").problems
    assert standing(problem, "pinn").error.value == 0.7
    with pytest.raises(PdebenchError, match="unknown metric in these records 'linff'"):
        bench.compare(metric="linff")


def test_nothing_that_ran_is_nothing_to_compare(bench: Any) -> None:
    bench.add("pinn", [], status="unsupported", reason="no")
    with pytest.raises(PdebenchError, match="nothing to compare"):
        bench.compare()


def test_pairs_share_problems_as_well_as_seeds_where_both_count(bench: Any) -> None:
    """At n = 1 and 2 the first has half the error; n = 3 and 4 were run by one of them only."""
    for n, pinn, diffphys in ((1, 0.2, 0.1), (2, 0.4, 0.2), (3, 0.1, None), (4, None, 0.05)):
        for method, error in (("pinn", pinn), ("diffphys", diffphys)):
            if error is not None:
                bench.add(
                    method, [(1.0, error)], problem_label=f"toy[n={n}]", problem_params={"n": n},
                    sees={"residual": True},
                )  # fmt: skip
    (problem,) = bench.compare(over=["n"]).problems
    (pair,) = problem.blocks[0].pairs
    assert list(pair.shared) == [0, 0]
    assert (pair.first.key.label, pair.second.key.label) == ("diffphys", "pinn")
    assert pair.ratio.value == pytest.approx(0.5)
