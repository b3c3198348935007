"""Tables: what each format holds, that nothing is lost, and that hostile names do no harm."""

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.analysis import wording
from pdebench_lite.errors import PdebenchError
from pdebench_lite.report import _latex, _markdown
from pdebench_lite.report.table import FORMATS, render, rows

PROMISED = """
    schema cell problem problem_params task method config label backend seed status reason sees
    rel_l2 metrics reference_bound setup_s data_s compile_s train_s evaluate_s predict_s
    charged_s peak_host_mb peak_device_mb params steps evaluations target_reached device dtype
""".split()  # noqa: SIM905
HOSTILE = "x|y\x1b[31m\n[bold]&_%#${}~^\\<script>`*"


@pytest.fixture
def study(store: Any) -> list[Any]:
    return store.load().records


@pytest.fixture
def hostile(make: Any) -> list[Any]:
    return [
        make(
            "pinn", label=HOSTILE, problem_label=HOSTILE, status="crashed", reason=f"=1+1 {HOSTILE}"
        ),
        make("mlp", problem_label=HOSTILE, metrics={"rel_l2": 0.1, HOSTILE: 1.0}),
    ]


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_json_has_the_promised_keys_and_is_strict(study: list[Any], parsed: Any) -> None:
    answer = parsed(render(study, "json"))
    assert len(answer) == len(study)
    for row, record in zip(answer, study, strict=True):
        assert set(PROMISED) <= set(row)
        assert row["rel_l2"] == record.metrics.get("rel_l2")
        assert row["sees"] == record.sees
    assert rows(study) == answer


def test_numbers_that_are_not_finite_are_null(make: Any, parsed: Any) -> None:
    odd = {"metrics": {"rel_l2": float("nan")}, "details": {"chosen": [float("inf")]}}
    record = make().model_copy(update=odd)  # past the record's own check
    (row,) = parsed(render([record], "json"))
    assert row["metrics"] == {"rel_l2": None}
    assert row["rel_l2"] is None
    assert row["details"] == {"chosen": [None]}
    assert "nan" not in render([record], "csv").lower()
    assert "nan" not in render([record], "text").lower()


@pytest.mark.parametrize("format", FORMATS)
def test_no_records_is_no_error(format: str) -> None:
    assert "Traceback" not in render([], format)


def test_csv_is_flat_and_numbers_stay_numbers(make: Any) -> None:
    (line,) = read_csv(render([make("mlp", metrics={"rel_l2": 0.01, "drift": -0.5})], "csv"))
    assert line["sees"] == "2000 labels, embedding"
    assert float(line["rel_l2"]) == 0.01
    assert line["drift"] == "-0.5"
    assert line["max_time"] == "30.0"
    assert line["config"] == '{"width":20}'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@a", "\t=1"])
def test_csv_cells_are_no_formulas(make: Any, text: str) -> None:
    (line,) = read_csv(render([make(reason=text, status="crashed", label=text)], "csv"))
    assert line["reason"].startswith("'")
    assert line["label"].startswith("'")


def test_csv_keeps_a_metric_that_is_named_like_a_column(make: Any) -> None:
    (line,) = read_csv(render([make(metrics={"rel_l2": 0.1, "status": 7.0})], "csv"))
    assert line["status"] == "ok"
    assert line["metrics.status"] == "7.0"


@pytest.mark.parametrize("format", ["text", "md", "latex"])
def test_failed_and_unsupported_rows_keep_their_place(study: list[Any], format: str) -> None:
    answer = render(study, format)
    table = answer[answer.index("given no labels") :]
    marks = ("optimizer=cras", "optimizer=dive", "optimizer=time", "unsupported")
    lines = [next(line for line in table.splitlines() if mark in line) for mark in marks]
    for line, status in zip(lines, ("crashed", "diverged", "timeout", "unsupported"), strict=True):
        assert status in line
    places = [table.index(line) for line in lines]
    assert places == sorted(places)
    for reason in ("the loss is nan at step 120", "RuntimeError: boom", "nothing to march"):
        assert reason.lower() in " ".join(answer.lower().split())


def test_reasons_are_short_in_text_and_whole_elsewhere(make: Any) -> None:
    record = make(status="crashed", reason="bang " * 100 + "END")
    assert "END" not in render([record], "text")
    for format in ("csv", "md", "json", "latex"):
        assert "END" in render([record], format)
    assert "END" in render([record], "text", verbose=True)


def test_an_error_within_the_bound_is_told_from_none(make: Any) -> None:
    records = [
        make(metrics={"rel_l2": e, "rel_l2_carried": 1e-3, "mae": 1e-9}, reference_bound=1e-8)
        for e in (1e-9, 1e-7)
    ]
    answer = render(records, "text")
    assert answer.count("≤ bound ") == 1
    assert "1.0e-07" in answer
    assert "1.0e-09" in answer, "no bound is known for mae"
    assert r"$\leq$ bound" in render(records, "latex")
    assert rows(records)[0]["rel_l2"] == 1e-9


def test_a_carried_error_has_the_bound_of_carrying_too(make: Any) -> None:
    record = make(metrics={"rel_l2_carried": 1e-7}, carried_bound=1e-6)
    assert wording.metric_text(record, "rel_l2_carried") == wording.AT_BOUND


def test_methods_with_labels_form_their_own_block(study: list[Any], make: Any) -> None:
    for format in ("text", "md", "latex"):
        answer = render(study, format)
        first, second = answer.index("given labels"), answer.index("given no labels")
        assert first < answer.index("mlp", first) < second < answer.index("diffphys", second)
    died = make("mlp", sees={}, status="crashed", reason="early")
    assert "given no labels" not in render([died], "text")


def test_the_table_says_who_saw_what(study: list[Any]) -> None:
    narrow, wide = render(study, "text", width=100), render(study, "text", width=250)
    assert "mlp saw: 2000 labels, embedding" in narrow
    assert "saw: 1 snapshot (128 values), embedding, residual" in " ".join(narrow.split())
    assert " saw: " not in wide
    assert wide.count("2000 labels, embedding") == 2
    assert (
        wording.sees_text({"initial_state": True, "odd_thing": 3}) == "initial state, 3 odd thing"
    )
    assert wording.sees_text({"observed_values": 40, "residual": True}) == "40 values, residual"


@pytest.mark.parametrize("width", [80, 100, 120, 250])
def test_text_fits_and_loses_nothing(study: list[Any], width: int) -> None:
    answer = render(study, "text", width=width)
    assert max(map(len, answer.splitlines())) <= width
    for word in ("charged", "compile", "memory", "params", "steps", "seed", "24.2", "190", "941"):
        assert word in answer
    assert "\x1b" not in answer
    assert "\x1b[" in render(study, "text", width=width, color=True)


def test_conditions_are_in_the_caption_unless_they_vary(make: Any) -> None:
    same = render([make(), make(backend="torch")], "text")
    for words in (
        "reference bound 1.2e-13",
        "budget 30 s",
        "threads 2",
        "device cpu",
        "dtype float64",
    ):
        assert words in " ".join(same.split())
    mixed = render([make(), make(dtype="float32", environment="other")], "md")
    assert "dtype float64" not in mixed
    assert re.search(r"\| dtype \|", mixed)
    assert "2 environments" in mixed


def test_cells_that_ran_side_by_side_are_marked(make: Any) -> None:
    assert "cells at once 1" in render([make(), make(backend="torch")], "md")
    mixed = render([make(), make(backend="torch", concurrency=2)], "md")
    assert re.search(r"\| cells at once \|", mixed)
    assert "do not compare with those of lone runs" in mixed


def test_a_host_that_took_processors_is_told_where_it_took_much(make: Any) -> None:
    quiet = render([make(steal=0.004), make(backend="torch", steal=None)], "md")
    assert "host took" not in quiet
    lines = render([make(steal=0.004), make(backend="torch", steal=0.234)], "md").splitlines()
    (_,) = [line for line in lines if "where it was 5% or more: times are too long" in line]
    head, little, much = (
        [cell.strip() for cell in line.split("|")]
        for line in lines
        if re.match(r"\| (method|pinn) ", line)
    )
    at = head.index("host took")
    assert (little[at], much[at]) == ("", "23%")


def test_a_cell_that_waited_for_other_programs_is_marked(make: Any) -> None:
    quiet = render([make(waited=0.049), make(backend="torch", waited=None)], "md")
    assert "waited" not in quiet
    lines = render([make(waited=0.049), make(backend="torch", waited=0.6)], "md").splitlines()
    (_,) = [line for line in lines if "wanted and other programs had instead" in line]
    head, little, much = (
        [cell.strip() for cell in line.split("|")]
        for line in lines
        if re.match(r"\| (method|pinn) ", line)
    )
    at = head.index("waited")
    assert (little[at], much[at]) == ("", "60%")


def test_threads_that_were_not_used_are_told(make: Any) -> None:
    assert "threads 2;" in render([make(threads=2, processors=2), make(threads=2)], "md")
    mixed = render([make(threads=2, processors=2), make(threads=1, processors=2)], "md")
    assert re.search(r"\| threads \|", mixed)
    assert "| 1 of 2 |" in mixed


def test_variables_of_the_shell_are_a_condition(make: Any) -> None:
    assert "shell sets" not in render([make(), make(backend="torch")], "md")
    fast = {"XLA_FLAGS": "--fast", "OMP_PROC_BIND": "true"}
    assert "shell sets OMP_PROC_BIND=true XLA_FLAGS=--fast;" in text_of(make, fast, fast)
    mixed = text_of(make, {}, fast)
    assert re.search(r"\| shell sets \|", mixed)
    assert "| OMP_PROC_BIND=true XLA_FLAGS=--fast |" in mixed


def text_of(make: Any, *variables: dict[str, str]) -> str:
    records = [make(seed=i, variables=v) for i, v in enumerate(variables)]
    return render(records, "md").replace("\\", "")


def test_one_seed_needs_no_column(make: Any) -> None:
    assert "seed" not in render([make()], "text")
    assert "seed" in render([make(seed=0), make(seed=1)], "text")
    verbose = render([make(cell="feed" * 4)], "text", verbose=True, width=300)
    for word in ("seed", "feedfeedfeedfeed", "dtype", "device", "linf"):
        assert word in verbose


def test_metrics_can_be_chosen(make: Any) -> None:
    answer = render([make()], "md", metrics=["linf"])
    assert "| linf |" in answer
    assert "mae" not in answer
    assert list(read_csv(render([make()], "csv", metrics=["linf"]))[0])[-1] == "linf"
    with pytest.raises(PdebenchError, match="unknown metric 'lnf'; did you mean 'linf'"):
        render([make()], "text", metrics=["lnf"])
    with pytest.raises(PdebenchError, match="unknown format 'cvs'; did you mean 'csv'"):
        render([make()], "cvs")


@pytest.mark.parametrize("format", FORMATS)
def test_nothing_hostile_gets_through(hostile: list[Any], format: str, parsed: Any) -> None:
    answer = render(hostile, format, verbose=True)
    if format == "json":
        assert parsed(answer)[0]["label"] == HOSTILE
        assert "\x1b" not in answer
        return
    assert "\x1b" not in answer
    if format == "text":
        assert "[bold]" in answer
    if format == "csv":
        assert len(read_csv(answer)) == 2
    if format == "md":
        table = [line for line in answer.splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table}) == 1
        assert not re.search(r"(?<!\\)<script", answer)
    if format == "latex":
        assert balanced(answer)


def balanced(tex: str) -> bool:
    """Say whether braces close and every row of each tabular has the columns that it declares."""
    plain = re.sub(r"\\.", "", tex.replace(r"\\", "\n"))
    if plain.count("{") != plain.count("}") or tex.count(r"\begin") != tex.count(r"\end"):
        return False
    for spec, body in re.findall(
        r"\\begin\{tabular\}\{@\{\}(\w+)@\{\}\}(.*?)\\end\{tabular\}", tex, re.S
    ):
        for line in body.splitlines():
            cells = len(re.findall(r"(?<!\\)&", line)) + 1
            if line.endswith(r"\\") and r"\multicolumn" not in line and cells != len(spec):
                return False
    return True


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("a_b%&#$", r"a\_b\%\&\#\$"),
        ("{~^\\}", r"\{\textasciitilde{}\textasciicircum{}\textbackslash{}\}"),
        ("ν₀ d⁰ ∇d λ ς", r"$\nu$$_{0}$ d$^{0}$ $\nabla$d $\lambda$ $\varsigma$"),
        ("é–…--", r"\'{e}--\ldots{}-{}-"),
        ("9\N{NO-BREAK SPACE}of", "9~of"),
        ("中", "{[}U+4E2D{]}"),
    ],
)
def test_latex_escapes(text: str, tex: str) -> None:
    assert _latex.escape(text) == tex


def test_by_task_there_is_one_table_with_parameters_as_columns(make: Any) -> None:
    records = [
        make(
            problem_label=f"burgers[ic={ic},instance={n}]", reference_bound=bound,
            problem_params={"nu": 0.003, "ic": ic, "instance": n},
        )
        for ic, n, bound in (("sine", 2, 1e-12), ("random", 10, 2e-12), ("random", 9, 1e-12))
    ]  # fmt: skip
    assert render(records, "md").count("###") == 3
    text = render(records, "md", by_task=True)
    assert text.startswith("### burgers by ic, instance: rel_l2")
    assert text.count("###") == 1
    assert text.count("Reference bound at most 2.0e-12;") == 1
    found = [line.split(" | ")[:3] for line in text.splitlines() if "| pinn |" in line]
    assert found == [["| random", "9", "pinn"], ["| random", "10", "pinn"], ["| sine", "2", "pinn"]]
    other = make(problem_label="advection-density", problem_params={"instance": 0})
    assert render([*records, other], "md", by_task=True).count("###") == 2


def test_latex_and_markdown_numbers_and_names() -> None:
    assert _latex.number("1.3e-02") == r"$1.3\times10^{-2}$"
    assert _latex.number("1.3e+00") == r"$1.3\times10^{0}$"
    assert _markdown.escape("rel_l2 _x_ a|b") == r"rel_l2 \_x\_ a\|b"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex here")
def test_latex_compiles(study: list[Any], hostile: list[Any], tmp_path: Path) -> None:
    body = render([*study, *hostile], "latex", verbose=True)
    head = r"\documentclass[twocolumn]{article}\usepackage{booktabs,graphicx}\begin{document}"
    (tmp_path / "t.tex").write_text(f"{head}\n{body}\n\\end{{document}}\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
