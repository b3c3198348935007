"""A stranger's distribution is found, raced and tabled like a built-in; a bad one is one line."""

import json
import os
import shutil
import subprocess
import sys
from math import isfinite
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "example_plugin"
PDEBENCH = Path(sys.executable).with_name("pdebench")


def python(
    *arguments: object, path: Path, cwd: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run Python in a child that finds the distributions in `path`."""
    env = {**os.environ, "PYTHONPATH": str(path), "OMP_NUM_THREADS": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, env=env, cwd=cwd
    )


def pdebench(*arguments: object, path: Path) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a child that finds the distributions in `path`."""
    return python(PDEBENCH, *arguments, path=path)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The example, built from a copy of its sources and installed by pip into a folder."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    shutil.copytree(
        EXAMPLE, source / "example_plugin", ignore=shutil.ignore_patterns("__pycache__")
    )
    done = python(
        "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
        "--target", target, source / "example_plugin", path=target,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return target


# ---- a good one ------------------------------------------------------------------------------


def test_it_is_listed(site):
    done = pdebench("list", "plugins", "--format", "json", path=site)
    assert done.returncode == 0, done.stderr
    (found,) = (entry for entry in json.loads(done.stdout) if entry["name"] == "example")
    assert found["distribution"] == "pdebench-example"
    assert found["version"] == "0.1.0"
    assert not found["error"]
    assert found["provides"] == {
        "method": ["fourierfit"], "problem": ["reaction-diffusion"], "metric": ["energy_error"],
        "quantity": ["labels_per_s"], "figure": ["energy"],
        "task": ["shock"], "optimizer": ["momentum"], "command": ["count"],
    }  # fmt: skip
    methods = json.loads(pdebench("list", "methods", "--format", "json", path=site).stdout)
    assert next(m for m in methods if m["name"] == "fourierfit")["backends"] == {
        "numpy": "installed"
    }


@pytest.mark.parametrize("backend", ["jax", pytest.param("torch", marks=pytest.mark.slow)])
def test_it_is_raced_and_tabled(site, tmp_path, backend):
    """Its method beside the built-in ones, on its problem."""
    methods = (
        "fourierfit[labels=300,modes=3],mlp[width=4,depth=1,labels=50],"
        "pinn[width=4,depth=1,points=50],diffphys[cells=16,steps=8,modes=3]"
    )
    problem = "reaction-diffusion[points=32,noise=0.01]"
    run = ("run", "--problem", problem, "--methods", methods, "--backend", f"numpy,{backend}")
    done = pdebench(*run, "--max-steps", 1, "--quiet", "--results", tmp_path, path=site)
    assert done.returncode == 0, done.stderr
    table = pdebench("table", "--format", "json", "--results", tmp_path, path=site)
    rows = [row for row in json.loads(table.stdout) if row["status"] != "unsupported"]
    assert {(row["method"], row["backend"]) for row in rows} == {
        ("fourierfit", "numpy"),
        *((name, backend) for name in ("mlp", "pinn", "diffphys")),
    }
    for row in rows:
        assert row["status"] == "ok", row["reason"]
        assert row["problem"] == "reaction-diffusion"
        assert row["task"] == "reconstruction"
        assert row["reference_bound"] < 1e-9
        assert isfinite(row["rel_l2"])
        assert isfinite(row["metrics"]["energy_error"])
    seen = {row["method"]: row["sees"] for row in rows}
    assert seen["fourierfit"] == {"labels": 300}
    assert seen["pinn"]["residual"] is True
    assert seen["diffphys"]["step"] is True
    assert "labels" not in seen["pinn"] | seen["diffphys"]


@pytest.mark.parametrize(
    "problem", ["heated-plate", pytest.param("dam-break", marks=pytest.mark.slow)]
)
def test_every_family_runs_on_its_other_problems(site, tmp_path, problem):
    """Walls in two dimensions, and a shock: by a march, a residual and labels."""
    methods = "march[cells=16],mlp[width=4,depth=1,labels=50],pinn[width=4,depth=1,points=50]"
    run = ("run", "--problem", problem, "--methods", methods, "--backend", "numpy,jax")
    done = pdebench(*run, "--max-steps", 130, "--quiet", "--results", tmp_path, path=site)
    assert done.returncode == 0, done.stderr
    table = pdebench("table", "--format", "json", "--results", tmp_path, path=site)
    rows = {r["method"]: r for r in json.loads(table.stdout) if r["status"] != "unsupported"}
    assert {name: row["status"] for name, row in rows.items()} == dict.fromkeys(
        ("march", "mlp", "pinn"), "ok"
    )
    assert rows["march"]["rel_l2"] < 0.4
    assert rows["pinn"]["sees"]["boundary"] is True


def test_its_column_and_its_figure(site, tmp_path):
    """They appear by being registered: in every table, in `show` and on the page; and drawn."""
    results, out = tmp_path / "results", tmp_path / "figures"
    methods = "fourierfit[labels=300,modes=3],fourierfit[labels=300,modes=5]"
    run = ("run", "--problem", "reaction-diffusion:forward", "--methods", methods, "--quiet")
    done = pdebench(*run, "--backend", "numpy", "--results", results, path=site)
    assert done.returncode == 0, done.stderr
    for format, word in (("text", "labels/s"), ("latex", "labels/s"), ("csv", "labels_per_s")):
        table = pdebench("table", "--format", format, "--results", results, path=site)
        assert word in table.stdout
    rows = json.loads(pdebench("table", "--format", "json", "--results", results, path=site).stdout)
    assert all(row["labels_per_s"] == 300 / row["charged_s"] for row in rows)
    compared = pdebench("compare", "--results", results, path=site)
    assert "labels/s" in compared.stdout
    shown = pdebench("show", rows[0]["cell"], "--results", results, path=site)
    assert "labels that were taken, over the charged time [1/s]" in shown.stdout
    plot = ("plot", "--format", "svg", "--results", results, "--out", out)
    done = pdebench(*plot, "--figures", "energy,costs", path=site)
    assert done.returncode == 0, done.stderr
    names = sorted(path.name for path in out.iterdir())
    stem = "reaction-diffusion-forward"
    assert [name.replace(":", "-") for name in names] == [f"{stem}-costs.svg", f"{stem}-energy.svg"]
    assert pdebench(*plot, "--figures", "energy[metric=linf]", path=site).returncode == 0
    done = pdebench(*plot, "--figures", "energi", path=site)
    assert done.returncode == 2
    assert "unknown figure 'energi'; did you mean 'energy'" in done.stderr
    done = pdebench(*plot, "--figures", "energy[metrik=linf]", path=site)
    assert done.returncode == 2
    assert "did you mean 'metric'" in done.stderr


def test_its_task_optimiser_and_verb_are_used(site, tmp_path):
    """A task for a problem that is not its own, an optimiser for a method that is not, a verb."""
    method = "mlp[width=4,depth=1,labels=50,optimizer=momentum]"
    run = ("run", "--problem", "burgers:shock[nu=0.1]", "--methods", method, "--backend", "jax")
    done = pdebench(*run, "--max-steps", 3, "--quiet", "--results", tmp_path, path=site)
    assert done.returncode == 0, done.stderr
    table = pdebench("table", "--format", "json", "--results", tmp_path, path=site)
    (row,) = json.loads(table.stdout)
    assert (row["task"], row["status"], row["steps"]) == ("shock", "ok", 3)
    counted = pdebench("count", "--results", tmp_path, path=site)
    assert counted.stdout == "1 of 1 ended well\n", counted.stderr


@pytest.mark.slow
def test_built_ins_solve_its_problem(site, tmp_path):
    """A problem that no built-in resembles is solved by them, not just run."""
    methods = (
        "fourierfit[modes=12],mlp[optimizer=lbfgs],pinn[optimizer=lbfgs,points=1000],"
        "diffphys[cells=64,steps=32]"
    )
    run = ("run", "--problem", "reaction-diffusion", "--methods", methods, "--max-steps", 300)
    done = pdebench(*run, "--quiet", "--results", tmp_path, path=site)
    assert done.returncode == 0, done.stderr
    table = pdebench("table", "--format", "json", "--results", tmp_path, path=site)
    errors = {(row["method"], row["backend"]): row["rel_l2"] for row in json.loads(table.stdout)}
    assert max(errors.values()) < 0.05, errors


@pytest.mark.parametrize(
    "selected",
    ["not Fourierfit and not torch and not jax", pytest.param("", marks=pytest.mark.slow)],
)
def test_it_keeps_the_contracts(site, tmp_path, selected):
    """Its own tests, which are the contract suites, pass where it is installed."""
    for file in (*EXAMPLE.glob("test_*.py"), EXAMPLE / "conftest.py", EXAMPLE / "pyproject.toml"):
        shutil.copy(file, tmp_path)
    done = python(
        "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", selected, path=site, cwd=tmp_path
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


# ---- bad ones --------------------------------------------------------------------------------

METHOD = """
from pdebench_lite import Method, Solution, hookimpl
import numpy as np

def solution():
    return Solution(lambda points: {"u": np.zeros(np.size(points["x"]))})

def solve(view, run):
    view.labels(3)
    run.report(0, 1.0, solution)
    run.report(1, 0.5, solution)
    BODY

@hookimpl
def pdebench_methods():
    return [Method("NAME", "other", "toy", {"numpy": f"{__name__}:solve"})]
"""


def method(name: str, body: str = "return solution()") -> str:
    """Return the source of a plugin with one method."""
    return METHOD.replace("NAME", name).replace("BODY", body)


FAILING = {
    "raising": ("raise RuntimeError('no licence\\n file')", "RuntimeError: no licence file"),
    "lacking": ("import nosuchlibrary", "No module named 'nosuchlibrary'"),
    "misspelt": ("def f(:", "SyntaxError: "),
    "leaving": ("raise SystemExit(3)", "SystemExit: 3"),
    "mistyped": (method("x").replace("[Method", "[7, Method"), "returned 7, which is not a method"),
}


def test_those_that_fail_to_load_are_a_line_each(distribution, tmp_path):
    for name, (source, _) in FAILING.items():
        module = f"pdebench_{name}"
        distribution(tmp_path, f"pdebench-{name}", {name: module}, {f"{module}.py": source})
    listed = pdebench("list", "plugins", path=tmp_path)
    assert listed.returncode == 0, listed.stderr
    run = pdebench("run", "--problem", "burgers", "--methods", "nosuch", path=tmp_path)
    assert run.returncode == 2
    assert len(run.stderr.splitlines()) == 1, run.stderr
    for name, (_, error) in FAILING.items():
        (line,) = (line for line in listed.stdout.splitlines() if line.startswith(name))
        assert error in line
        assert f"plugin {name} failed to load: " in run.stderr
        assert error in run.stderr


def test_two_that_clash_are_both_named(distribution, tmp_path):
    for name in ("one", "two"):
        source = {f"pdebench_{name}.py": method("twin")}
        distribution(tmp_path, f"pdebench-{name}", {name: f"pdebench_{name}"}, source)
    run = pdebench("run", "--problem", "burgers", "--methods", "twin", path=tmp_path)
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    assert "method 'twin' is provided by plugin one" in line
    assert "plugin two" in line
    listed = pdebench("list", "plugins", "--format", "json", path=tmp_path)
    errors = {entry["name"]: entry["error"] for entry in json.loads(listed.stdout)}
    assert "method 'twin'" in errors["one"]
    assert "method 'twin'" in errors["two"]
    assert not errors["methods"], "the others are in use"


def test_those_that_break_in_training_are_failed_rows(distribution, tmp_path):
    site, results = tmp_path / "site", tmp_path / "results"
    bodies = {"wild": "raise ValueError('singular\\n matrix')", "empty": "return None"}
    for name, body in bodies.items():
        module = f"pdebench_{name}"
        source = {f"{module}.py": method(name, body)}
        distribution(site, f"pdebench-{name}", {name: module}, source)
    run = (
        "run", "--problem", "burgers:forward[nu=0.1]",
        "--methods", "wild,empty,etdrk4[cells=32,steps=40]", "--max-steps", 40, "--quiet",
        "--results", results,
    )  # fmt: skip
    done = pdebench(*run, path=site)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    table = pdebench("table", "--format", "json", "--results", results, path=site)
    rows = {row["method"]: row for row in json.loads(table.stdout)}
    reasons = {"wild": "ValueError: singular matrix", "empty": "TypeError: solve returned NoneType"}
    for name, reason in reasons.items():
        assert rows[name]["status"] == "crashed"
        assert reason in rows[name]["reason"]
        assert (rows[name]["steps"], rows[name]["sees"]) == (1, {"labels": 3})
    assert rows["etdrk4"]["status"] == "ok"
