"""The verbs: what they print, and their exit status."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.cli import VERBS
from pdebench_lite.cli.progress import Live, describe, fraction_done
from pdebench_lite.runner.watch import Watch
from pdebench_lite.store.cell import Budget, Cell

Command = Callable[..., Any]


def test_version(pdebench: Command) -> None:
    answer = pdebench("--version")
    assert (answer.status, answer.err) == (0, "")
    assert re.fullmatch(r"pdebench-lite \d+\.\d+\.\d+\S*\n", answer.out)


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(pdebench: Command, flag: str) -> None:
    answer = pdebench(flag)
    assert (answer.status, answer.err) == (0, "")
    for verb in VERBS:
        assert re.search(rf"^  {verb}  +[A-Z].*[^.]\.$|^  {verb}  +[A-Z].*[^.]$", answer.out, re.M)
    assert "..." not in answer.out.split("Commands:")[1], "a summary was cut short"


def test_without_words_there_is_help_and_nothing_done(pdebench: Command) -> None:
    answer = pdebench()
    assert answer.status == 2
    assert answer.out == pdebench("--help").out


def test_help_of_run(pdebench: Command) -> None:
    answer = pdebench("run", "--help")
    assert answer.status == 0
    assert "Problems: name[:task][key=value,…]." in answer.out
    assert "Methods: name[key=value,…]." in answer.out
    lines = answer.out.splitlines()
    examples = [line.strip() for line in lines if line.strip().startswith("pdebench run")]
    assert len(examples) == 4
    assert (
        '  pdebench run --problem "burgers:forward[nu=0.02]" --methods "pinn[width=30],etdrk4"'
        in (answer.out)
    )
    about = answer.out.split("Options:")[0]
    assert not re.search(r"\S    \S", about), "paragraphs are wrapped, not torn"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(pdebench: Command, verb: str) -> None:
    answer = pdebench(verb, "--help")
    assert (answer.status, answer.err) == (0, "")
    assert answer.out.startswith(f"Usage: pdebench {verb}")


# ---- list ------------------------------------------------------------------------------------


def test_list_as_json(pdebench: Command, fakes: Path) -> None:
    def listed(what: str) -> dict[str, dict[str, Any]]:
        return {e["name"]: e for e in json.loads(pdebench("list", what, "--format", "json").out)}

    methods = listed("methods")
    assert {"mlp", "pinn", "diffphys", "etdrk4", "fake"} <= set(methods)
    assert methods["haunted"]["backends"] == {"ghost": "needs no-such-library"}
    assert methods["fake"]["backends"] == {"numpy": "installed"}
    (act,) = [p for p in methods["fake"]["parameters"] if p["name"] == "act"]
    assert act["default"] == "exact"
    problems = listed("problems")
    assert [t["name"] for t in problems["burgers"]["tasks"]][:2] == [
        "reconstruction",
        "forward",
    ]
    assert problems["burgers"]["tasks"][0]["ranked"][0] == "rel_l2"
    assert "spread" in problems["toy"]["tasks"][0]["metrics"]
    assert problems["burgers"]["citation"].startswith("@article")
    assert listed("plugins")["fakes"]["distribution"] == "pdebench-fakes"
    assert listed("metrics")["nu_covered"]["over_seeds"] == "share"
    assert listed("metrics")["spread"]["provided_by"] == "plugin fakes (pdebench_fakes)"


WHAT = ["methods", "problems", "metrics", "quantities", "figures", "plugins"]


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("verbose", [[], ["-v"], ["--verbose"]])
def test_list_as_text(pdebench: Command, fakes: Path, what: str, verbose: list[str]) -> None:
    answer = pdebench("list", what, *verbose)
    assert (answer.status, answer.err) == (0, "")
    words = {"methods": "haunted", "problems": "toy", "plugins": "pdebench_fakes",
             "quantities": "charged_s", "figures": "work-precision"}  # fmt: skip
    assert words.get(what, "nu_covered") in answer.out
    if verbose and what == "methods":
        assert "does what `act` says" in answer.out
        assert "doi = {" in answer.out


def test_a_method_whose_library_is_not_installed_says_so(
    pdebench: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pdebench_lite.report import catalogue

    monkeypatch.setattr(catalogue, "_installed", lambda name: name != "deepxde")
    text = " ".join(pdebench("list", "methods").out.split())
    assert "needs deepxde, not installed" in text
    assert text.count("not installed") == 1
    assert "needs deepxde, not installed" in " ".join(pdebench("list", "methods", "-v").out.split())


def test_a_plugin_that_fails_is_shown_and_named_in_errors(
    pdebench: Command,
    fakes: Path,
    distribution: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from pdebench_lite.registry.discovery import registry

    source = {"pdebench_broken.py": "raise RuntimeError('no such\\nluck \\x1b[31m')\n"}
    distribution(tmp_path / "site", "broken", {"broken": "pdebench_broken"}, source)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    registry.cache_clear()
    plugins = pdebench("list", "plugins")
    assert plugins.status == 0
    text = " ".join(plugins.out.split())
    assert "broken" in text
    assert "RuntimeError: no such luck" in text
    assert "\x1b" not in plugins.out
    assert "plugin broken is not in use: RuntimeError" in pdebench("list", "methods").out
    answer = pdebench("run", "--problem", "toy", "--methods", "brokn", "--results", tmp_path / "r")
    assert "plugin broken failed to load: RuntimeError: no such luck" in answer.line
    registry.cache_clear()


# ---- run -------------------------------------------------------------------------------------


def test_run_says_how_cells_end(pdebench: Command, fakes: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    words = (
        "run",
        "--problem",
        "toy",
        "--backend",
        "numpy",
        "--max-steps",
        3,
        "--results",
        results,
    )
    good = pdebench(*words, "--methods", "fake,picky")
    assert (good.status, good.out) == (0, "")
    lines = good.err.splitlines()
    assert lines[0] == f"2 cells -> {results}"
    assert re.fullmatch(
        r"\[1/2\] toy · fake · numpy · seed 0: ok  rel_l2 \S+  3 steps  0\.\d s charged", lines[1]
    )
    assert lines[2] == "[2/2] toy · picky · numpy · seed 0: unsupported: toy is beneath it"
    assert len(lines) == 3
    bad = pdebench(*words, "--methods", "fake,fake[act=exit]")
    assert bad.status == 1
    assert "ok already (--rerun all runs it again)" in bad.err
    assert bad.err.splitlines()[2].endswith("crashed: the process exited with 3")
    quiet = pdebench(*words, "--methods", "fake,fake[act=exit]", "--quiet")
    assert (quiet.status, quiet.out, quiet.err) == (1, "", "")
    seeds = pdebench(*words, "--methods", "fake", "--seed", "0,2")
    assert seeds.status == 0
    assert "seed 2: ok" in seeds.err
    again = pdebench(*words, "--methods", "fake", "--rerun", "all")
    assert "already" not in again.err
    table = pdebench("table", "--results", results, "--format", "json")
    rows = json.loads(table.out)
    assert [(r["method"], r["seed"], r["status"]) for r in rows if r["method"] == "fake"] == [
        ("fake", 0, "ok"), ("fake", 2, "ok"), ("fake", 0, "crashed")
    ]  # fmt: skip


CELL = Cell(
    problem="toy", task="forward", problem_params={}, problem_label="toy", method="fake",
    family="other", config={}, label="fake[[red]x]", backend="numpy", dtype="float64",
    device="cpu", budget=Budget(max_time=10.0), seed=0,
)  # fmt: skip


def test_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    watch = Watch(started=now, since=now, heard=now)
    assert (fraction_done(CELL, watch), describe(CELL, watch)) == (0.0, "setup  10 s left")
    watch.take({"kind": "phase", "name": "train", "wall": 1000.0})
    watch.take({"kind": "progress", "step": 7, "loss": 0.125, "rel_l2": 0.5, "charged_s": 1.0})
    now = 1004.0
    assert fraction_done(CELL, watch) == pytest.approx(0.4)
    assert describe(CELL, watch) == "step 7  loss 1.2e-01  error 5.0e-01  6 s left"
    steps = CELL.model_copy(update={"budget": Budget(max_steps=28)})
    assert fraction_done(steps, watch) == pytest.approx(0.25)
    assert describe(steps, watch).endswith("about 12 s left")
    now = 2000.0
    assert fraction_done(CELL, watch) == 1.0


def test_the_live_bar_shows_names_as_they_are() -> None:
    import io

    from rich.console import Console

    text = io.StringIO()
    console = Console(file=text, force_terminal=True, width=120, markup=False)
    with Live(Path("results"), console) as live:
        live.begin([CELL])
        live.start(CELL)
        live.progress(CELL, Watch())
    assert "fake[[red]x]" in text.getvalue()


# ---- start-up --------------------------------------------------------------------------------

HEAVY = ("torch", "jax", "matplotlib", "seaborn", "scipy", "pandas", "xarray", "pyarrow", "h5py",
         "pytorch_lightning", "optax")  # fmt: skip
PROBE = """
import sys
from pdebench_lite.cli import main
{extra}
status = main({words})
loaded = [name for name in {heavy} if name in sys.modules]
print(status, *loaded, file=sys.stderr)
"""
FLOOR = """
import importlib.metadata, pluggy, sys, typer
print(len(sys.modules))
"""
MODULES = """
import sys
from pdebench_lite.cli import main
main(["list", "methods"])
print(len(sys.modules))
"""


LIGHTER = ("numpy", "pydantic", "rich", "pdebench_lite.cli.run")


def loaded(words: list[str], extra: str = "") -> list[str]:
    """What a command loads: exit status, then heavy modules."""
    code = PROBE.format(words=words, heavy=(*HEAVY, *LIGHTER), extra=extra)
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={k: v for k, v in os.environ.items() if k != "OMP_NUM_THREADS"},  # `run` would tell
    )  # fmt: skip
    return child.stderr.split()


@pytest.mark.parametrize("what", ["methods", "problems", "plugins"])
def test_listing_loads_nothing_heavy(what: str) -> None:
    status, *modules = loaded(["list", what])
    assert status == "0"
    assert not set(modules) & set(HEAVY)
    if what == "methods":
        assert not set(modules) & set(LIGHTER)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["run", "--help"]])
def test_help_loads_next_to_nothing(words: list[str]) -> None:
    status, *modules = loaded(words)
    assert status == "0"
    assert not set(modules) & {*HEAVY, "numpy", "pydantic", "rich"}


def test_the_proof_can_fail() -> None:
    assert "scipy" in loaded(["list", "methods"], extra="import scipy")
    assert "torch" in loaded(["--help"], extra="sys.modules['torch'] = sys")


def test_listing_loads_little_beside_the_libraries_that_it_needs() -> None:
    """Modules are counted, not seconds: what starting up takes is in `make bench`."""

    def last_line(code: str) -> int:
        answer = subprocess.check_output([sys.executable, "-c", code], text=True)
        return int(answer.splitlines()[-1])

    assert last_line(MODULES) < 1.3 * last_line(FLOOR)


def test_output_that_nobody_reads_is_no_error(fakes: Path) -> None:
    command = f"{sys.executable} -m pdebench_lite list methods --format json | head -c 5"
    child = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert (child.returncode, child.stderr) == (0, "")
    assert child.stdout == "[\n {\n"
