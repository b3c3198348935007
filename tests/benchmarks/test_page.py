"""The page of the benchmarks that ships is what its command makes of the numbers that ship."""

import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[2] / "results"
SHIPPED = ("benchmarks.md", "benchmarks/rollout-memory.svg")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder in which the page was made of the shipped numbers."""
    folder = tmp_path_factory.mktemp("results")
    (folder / "benchmarks").mkdir()
    shutil.copy(RESULTS / "benchmarks/bench.json", folder / "benchmarks")
    script = Path(__file__).with_name("page.py")
    subprocess.run([sys.executable, script, folder], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", SHIPPED)
def test_the_page_is_that_of_the_numbers(made, name):
    pins = (RESULTS.parent / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if name.endswith("svg") and f"matplotlib=={version('matplotlib')}" not in pins:
        pytest.skip("another release of matplotlib draws other lines")
    same = (made / name).read_bytes() == (RESULTS / name).read_bytes()
    assert same, "python tests/benchmarks/page.py"


def test_what_ships_was_measured_with_every_peer():
    results = json.loads((RESULTS / "benchmarks/bench.json").read_text(encoding="utf-8"))
    races = [b["extra_info"] for b in results["benchmarks"] if "test_adam_step" in b["fullname"]]
    raced = {(race["backend"], name) for race in races for name in race["seconds"]}
    peers = {("torch", "deepxde"), ("jax", "deepxde"), ("torch", "pina"), ("jax", "jinns")}
    ours = {("torch", "pinn"), ("torch", "pinn, compiled"), ("jax", "pinn")}
    assert raced == peers | ours
    told = [b["extra_info"] for b in results["benchmarks"] if "test_methods.py" in b["fullname"]]
    measured = {info["method"] for info in told if info}  # a case that was skipped tells nothing
    assert {"mlp", "pinn", "diffphys", "cnn", "fno", "phiflow", "etdrk4"} <= measured
