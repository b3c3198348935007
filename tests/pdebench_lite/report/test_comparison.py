"""A comparison written out: what each format holds, and that hostile names do no harm."""

import csv
import io
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from functools import partial
from math import isinf
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pdebench_lite.analysis import Comparison, Source, compare
from pdebench_lite.analysis.statistics import Estimate, estimate
from pdebench_lite.cli import main
from pdebench_lite.cli.notebook import run
from pdebench_lite.errors import PdebenchError
from pdebench_lite.report._markdown import code
from pdebench_lite.report.comparison import cells, render_comparison
from pdebench_lite.store.records import HISTORY, Store

HOSTILE = "x|y\x1b[31m\n[bold]&_%#${}~^\\<script>`*"
BLOCK = {"coefficients": True, "initial_state": True}


@pytest.fixture
def fill(make: Any, tmp_path: Path) -> Callable[..., Store]:
    """Return the function that adds a method with its final errors, one per seed."""
    return partial(add, Store(tmp_path / "runs"), make)


def add(store: Store, make: Any, method: str, finals: Sequence[float], **values: Any) -> Store:
    """Add one cell per seed, each a straight run to its final error; ∞ is a crash."""
    given: dict[str, Any] = {
        "sees": BLOCK, "problem_label": "toy", "problem": "toy", "reference_bound": 1e-9,
        "ranked": ["rel_l2"], "device_name": "", "environment": "", "charged_s": 24.0,
    }  # fmt: skip
    for seed, final in enumerate(finals):
        ok = not isinf(final)
        given |= {"status": "ok" if ok else "crashed", "metrics": {"rel_l2": final} if ok else {}}
        record = make(method, **{**given, "seed": seed, **values})
        folder = store.workspace(record.cell)
        errors = np.geomspace(1.0, final if ok else 1e-3, 10)
        times = {"charged_s": np.linspace(1.0, 24.0, 10), "peak_host_mb": np.full(10, 7.0)}
        pd.DataFrame({**times, "rel_l2": errors}).to_parquet(folder / HISTORY)
        store.publish(record, folder)
    return store


NEAR = [1.0e-4, 1.1e-4, 1.2e-4, 1.2e-4, 1.4e-4, 1.5e-4]


@pytest.fixture(scope="module")
def store(make_one: Any, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two problems; a clear winner, one with a failed seed, one of another precision, a solver."""
    put = partial(add, Store(tmp_path_factory.mktemp("runs")), make_one)
    for label in ("toy", "toy[c=2.0]"):
        put("pinn", NEAR, problem_label=label)
        put("diffphys", [*(100 * v for v in NEAR[1:]), np.inf], problem_label=label)
        put("mlp", [10 * v for v in NEAR], problem_label=label, sees={"labels": 2000})
        put("other", [0.2, 0.3], problem_label=label, dtype="float32")
        made = put("etdrk4", [1e-6], problem_label=label, label="etdrk4[cells=64]")
    return made


@pytest.fixture(scope="module")
def both(store: Store) -> Comparison:
    """The comparison over both problems."""
    return compared(store)


def compared(store: Store, **settings: Any) -> Comparison:
    return compare([Source(store)], **settings)


def lines_with(answer: str, *words: str) -> list[str]:
    return [line for line in answer.splitlines() if all(word in line for word in words)]


@pytest.mark.parametrize("width", [80, 120, 200])
def test_text_fits(both: Comparison, width: int) -> None:
    answer = render_comparison(both, width=width)
    assert max(map(len, answer.splitlines())) <= width
    assert "\x1b" not in answer
    assert "\x1b[1m" in render_comparison(both, width=width, color=True)


def test_text_says_what_must_not_be_overlooked(both: Comparison) -> None:
    answer = " ".join(render_comparison(both, width=160).split())
    for words in (
        "given 2000 labels", "given initial state, coefficients", "6, 1 failed", "2, too few",
        "float32", "only one resolution of etdrk4: no work–precision curve",
        "too few seeds for an interval or a rank where a row says so: below 6",
        cells.error_cell(estimate([NEAR])).split(" ", 1)[1], "(2.0e-01 to 3.0e-01)",
        "failed runs count as ∞",
        "2 problems together: final error, and performance profile",
    ):  # fmt: skip
        assert words in answer


def test_markdown_ranks_and_bold(both: Comparison) -> None:
    answer = render_comparison(both, "md")
    (pinn, *_) = lines_with(answer, "| pinn |")
    (diffphys, *_) = lines_with(answer, "| diffphys |", "1 failed")
    assert pinn.startswith("| **1** | pinn |")
    assert f"**{cells.error_cell(estimate([NEAR]))}**".replace("[", "\\[") in pinn
    assert diffphys.startswith("| 2 |")
    assert "∞]" in diffphys, "the failed seed is in the interval"
    (mlp, *_) = lines_with(answer, "| mlp |")
    assert mlp.startswith("| 1 | mlp"), "alone in its block: no bold"
    (other, *_) = lines_with(answer, "| other |")
    assert other.startswith("| – | other")
    assert "float32" in other


def test_every_table_of_a_paper_carries_its_conditions(store: Store) -> None:
    for format, begin in (("md", "### "), ("latex", "\\begin{table*}")):
        answer = render_comparison(compared(store, problems=["toy[c=2.0]"]), format)
        tables = answer.split(begin)[1:]
        assert len(tables) == 5
        for table in tables:
            for words in ("budget 30 s", "2 threads", "cpu", "one cell at a time", "too few seeds"):
                assert words.lower() in " ".join(table.lower().split())


def test_a_command_can_be_copied_from_every_format(fill: Callable[..., Store]) -> None:
    where = {"problem": "burgers", "task": "forward", "problem_params": {"nu": 0.02}}
    store = fill("pinn", [0.1], **where, problem_label="burgers:forward[nu=0.02]")
    comparison = compared(store)
    advice = comparison.problems[0].advice
    assert advice is not None
    assert "etdrk4[cells=128]," in advice.command
    for format in ("md", "text"):
        answer = render_comparison(comparison, format, width=10_000, only=["final"])
        (line,) = lines_with(answer, "pdebench run")
        told = line.split("`")[1] if format == "md" else line.partition("add it: ")[2]
        assert told.strip() == advice.command
    answer = render_comparison(comparison, "latex", only=["final"])
    assert r"\texttt{pdebench run -{}-problem 'burgers:forward{[}nu=0.02{]}'" in answer
    assert r"\_" not in render_comparison(comparison, "md", only=["final"]).split("`")[1]


def test_code_spans_hold_backticks() -> None:
    assert code("a[b]") == "`a[b]`"
    assert code("a `b` c") == "``a `b` c``"
    assert code("`a``") == "``` `a`` ```"


def test_other_sources_are_explained_once_a_table(fill: Callable[..., Store]) -> None:
    prints = {"pdebench_lite": "aaa", "pdebench_jax": "bbb"}
    for method in ("pinn", "diffphys"):
        store = fill(method, [0.1], fingerprint=prints)
    assert "source" not in render_comparison(compared(store), "md", only=["final"])
    fill("a", [0.1], fingerprint={"pdebench_lite": "zzz", "pdebench_jax": "old"})
    fill("b", [0.1], fingerprint={"pdebench_lite": "000", "pdebench_torch": "old"})
    fill("c", [0.1], fingerprint={"pdebench_lite": "zzz", "pdebench_jax": "yyy"})
    answer = render_comparison(compared(store), "md", only=["final"])
    assert (
        "Source 2 and source 4: run by other code than rows that name no source (pdebench_jax, "
        "pdebench_lite); source 3: likewise (pdebench_lite)."
    ) in answer
    for number, method in enumerate("abc", 2):
        (row,) = lines_with(answer, f"| {method} |")
        assert f"| source {number} |" in row


def test_what_the_host_took_is_explained_where_a_row_says_it(fill: Callable[..., Store]) -> None:
    store = fill("pinn", [0.1], steal=0.01)
    assert "host took" not in render_comparison(compared(store), "md", only=["final"])
    fill("diffphys", [0.1, 0.2], steal=0.31)
    answer = render_comparison(compared(store), "md", only=["final"])
    (row,) = lines_with(answer, "| diffphys |")
    assert "| host took 31% |" in row
    assert "Host took: the share of processor time that the host of the virtual machine" in answer


def test_latex_sets_intervals_below_their_numbers(both: Comparison) -> None:
    answer = render_comparison(both, "latex")
    number = re.escape(r"{\boldmath\textbf{$1.2\times10^{-4}$}}\\\scriptsize ")
    ends = r"\{\[\}1\.\d, 1\.\d\{\]\}" + re.escape(r"$\times10^{-4}$")
    assert re.search(number + ends, answer)
    assert r"\emph{given initial state, coefficients}" in answer


@pytest.mark.parametrize("format", ["text", "md", "latex", "csv", "json"])
def test_nothing_hostile_gets_through(fill: Callable[..., Store], format: str, parsed: Any) -> None:
    store = fill("pinn", [0.1] * 2, label=HOSTILE, problem_label=HOSTILE, device_name=HOSTILE)
    fill("mlp", [0.1], problem_label=HOSTILE, sees={HOSTILE: True}, fingerprint={HOSTILE: HOSTILE})
    answer = render_comparison(compared(store), format, verbose=True)
    assert "\x1b" not in answer
    if format == "json":
        assert parsed(answer)["problems"][0]["problem"] == HOSTILE
    if format == "md":
        for table in answer.split("### ")[1:]:
            rows = [line for line in table.splitlines() if line.startswith("|")]
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in rows}) == 1
        assert not re.search(r"(?<!\\)<script", answer)
    if format == "csv":
        assert {len(row) for row in csv.reader(io.StringIO(answer))} == {19}


def test_json_has_every_number_and_is_strict(both: Comparison, parsed: Any) -> None:
    answer = parsed(render_comparison(both, "json"))
    first = answer["problems"][0]
    labels, block = first["blocks"]
    assert labels["given"] == "given 2000 labels"
    rows = {row["method"]: row for row in block["final"]}
    assert rows["pinn"]["rank"] == 1
    assert rows["pinn"]["error"]["interval"] is True
    assert rows["diffphys"]["error"]["misses"] == 1
    assert rows["diffphys"]["error"]["high"] is None
    assert rows["diffphys"]["failures"] == 1
    assert rows["other"]["unequal"] == ["float32"]
    assert rows["pinn"]["conditions"]["threads"] == "2"
    courses = {row["method"]: row for row in block["courses"]}
    assert len(courses["pinn"]["error_at_times"]) == len(first["times_s"])
    assert len(courses["pinn"]["seconds_to_errors"]) == len(first["errors"])
    assert len(block["pairs"]) == 6
    assert answer["over_problems"]["blocks"][0]["methods"]


def test_csv_is_long_and_says_inf(both: Comparison) -> None:
    table = pd.read_csv(io.StringIO(render_comparison(both, "csv")))
    row = table.query("problem == 'toy' and method == 'diffphys' and quantity == 'error'").iloc[0]
    assert (row["runs"], row["misses"], row["high"]) == (6, 1, float("inf"))
    assert set(table["table"]) == {
        "final",
        "steps",
        "equal time",
        "equal error",
        "pair",
        "over problems",
    }
    reach = table.query("problem == 'toy' and method == 'other' and table == 'equal error'")
    assert np.isinf(reach.query("quantity == 'seconds_to_error'")["value"].astype(float)).any()


def test_verbose_adds_conditions_and_every_pair(both: Comparison) -> None:
    plain = render_comparison(both, "md")
    verbose = render_comparison(both, "md", verbose=True)
    assert "conditions of every row" in verbose
    assert "conditions of every row" not in plain
    assert len(lines_with(verbose, "| diffphys · jax |")) > len(
        lines_with(plain, "| diffphys · jax |")
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_latex_compiles_and_fits(store: Store, fill: Callable[..., Store], tmp_path: Path) -> None:
    fill("pinn", [0.1], label=HOSTILE, sees={HOSTILE: True})
    body = render_comparison(compared(store), "latex", verbose=True)
    head = r"\documentclass[twocolumn]{article}\usepackage{booktabs,graphicx}\begin{document}"
    (tmp_path / "t.tex").write_text(f"{head}\n{body}\n\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout


def test_cells() -> None:
    known = Estimate(0.012, 0.011, 0.013, True, 6, 0)
    assert cells.error_cell(known) == "1.2e-02 [1.1e-02, 1.3e-02]"
    assert (
        cells.error_cell(known, bound=0.012)
        == "≤\N{NO-BREAK SPACE}bound [≤\N{NO-BREAK SPACE}bound, 1.3e-02]"
    )
    assert cells.amount_cell(Estimate(1.0, 1.0, float("inf"), False, 3, 1)) == "1.00 (1.00 to ∞)"
    assert (
        cells.amount_cell(Estimate(0.0021, 0.002, 0.0022, True, 6, 0)) == "0.0021 [0.002, 0.0022]"
    )
    assert cells.error_cell(None) == "–"
    assert cells.ratio_cell(Estimate(0.5, None, None, False, 1, 0)) == "0.5"
    assert [cells.level_text(v) for v in (0.1, 2.5e-3, 1e-10)] == ["1e-1", "2.5e-3", "1e-10"]
    assert cells.seeds_cell(3, 1) == "3, 1 failed, too few"
    assert cells.seeds_cell(6, 0) == "6"


# ---- the command -----------------------------------------------------------------------------


def test_the_command(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "--results", str(store.root), "--problem", "toy[c=2.0]"]
    assert main([*words, "--times", "3,20", "--errors", "1e-2,5e-2", "--format", "md"]) == 0
    answer = capsys.readouterr().out
    assert "| at 3 s | at 20 s |" in answer
    assert "| to 5e-2 (s) | to 1e-2 (s) |" in answer
    assert "together" not in answer


def test_tables_can_be_chosen(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", "--results", str(store.root), "--format", "md", "--tables"]
    assert main([*words, "overall,memory"]) == 0
    titles = lines_with(capsys.readouterr().out, "### ")
    kinds = ["peak memory"] * 2 + ["together"] * 3
    assert all(kind in title for kind, title in zip(kinds, titles, strict=True))


def test_cells_of_the_runner_can_be_compared(
    fakes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From cells that ran to the table: one that improves, one that crashes."""
    methods = "fake[act=improving],twin[act=nan_loss]"
    run("toy", methods, backend="numpy", seeds=2, max_steps=12, results=tmp_path / "r")
    assert main(["compare", "--results", str(tmp_path / "r"), "--errors", "0.1,1e-2"]) == 0
    answer = " ".join(capsys.readouterr().out.split())
    for words in ("budget 12 steps", "2, too few", "2, 2 failed, too few", "to 1e-2"):
        assert words in answer


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--tables", "finals"], "unknown table 'finals'; did you mean 'final'?"),
        (["--times", "soon"], "--times 'soon' are not positive numbers; write --times 1,3,10"),
        (["--errors", "-1"], "--errors '-1' are not positive numbers; write --errors 1e-2,1e-3"),
        (["--problem", "tox"], "unknown problem in these records 'tox'; did you mean 'toy'?"),
        (["--metric", "rel_l3"], "unknown metric in these records 'rel_l3'"),
        (["--format", "tex"], "no format 'tex'; write one of: text, csv, md, latex, json"),
        (["--with", "/nowhere"], "no results folder '/nowhere'"),
    ],
)  # fmt: skip
def test_the_command_says_what_is_wrong(
    store: Store, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "--results", str(store.root), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_an_unknown_format(both: Comparison) -> None:
    with pytest.raises(PdebenchError, match="unknown format 'cvs'; did you mean 'csv'"):
        render_comparison(both, "cvs")
