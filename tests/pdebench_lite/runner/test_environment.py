"""The environment of a record: complete, the same from cell to cell, honest about its source."""

import importlib.metadata
import json
import subprocess
from pathlib import Path

import psutil
import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner import environment as module
from pdebench_lite.runner.environment import (
    commit,
    driver,
    environment,
    gpus,
    load_average,
)
from pdebench_lite.runner.identity import fingerprint_of
from pdebench_lite.runner.study import make_cell
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.marks import by_package

GIT = ["git", "-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]


def git(folder: Path, *words: str) -> None:
    """Run git."""
    subprocess.run([*GIT, "-C", str(folder), *words], check=True, capture_output=True)


def test_everything_is_named() -> None:
    environment.cache_clear()
    described, digest = environment()
    assert {"cpu", "cores", "logical_cores", "ram_mb", "os", "python", "gpus", "driver", "git",
            "installed"} == set(described)  # fmt: skip
    assert described["logical_cores"] == psutil.cpu_count()
    assert described["ram_mb"] == pytest.approx(psutil.virtual_memory().total / 1e6, rel=1e-3)
    names = {d.name for d in importlib.metadata.distributions()}
    assert set(described["installed"]) == names
    assert described["installed"]["numpy"] == importlib.metadata.version("numpy")
    assert len(digest) == 12
    assert json.loads(json.dumps(described)) == described


def test_the_hash_is_of_what_stays_the_same() -> None:
    environment.cache_clear()
    first = environment()
    environment.cache_clear()
    assert environment() == first, "nothing that varies from cell to cell is in it"


def test_a_checkout(tmp_path: Path) -> None:
    assert commit(tmp_path) is None
    git(tmp_path, "init", "-q")
    assert commit(tmp_path) is None, "there is no commit yet"
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "first")
    head = subprocess.run(
        ["git", "-C", str(tmp_path), "rev-parse", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    assert commit(tmp_path) == {"commit": head, "dirty": False}
    (tmp_path / "new").write_text("not tracked: not a source that was changed")
    assert commit(tmp_path) == {"commit": head, "dirty": False}
    (tmp_path / "a").write_text("2")
    assert commit(tmp_path) == {"commit": head, "dirty": True}
    (tmp_path / "inside").mkdir()
    assert commit(tmp_path / "inside") is None, "a package installed inside another's checkout"


def test_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert commit(tmp_path) is None


VERSIONS = {
    "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024\n"
    "GCC version:  gcc version 12.2.0\n": "550.54.15",
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release Build\n": (
        "570.124.06"
    ),
    "something else\n": "",
}


@pytest.mark.parametrize("text", VERSIONS)
def test_driver(tmp_path: Path, text: str) -> None:
    (tmp_path / "version").write_text(text)
    assert driver(tmp_path) == VERSIONS[text]
    assert driver(tmp_path / "missing") == ""


def test_gpus(tmp_path: Path) -> None:
    for bus, text in (("0000:01:00.0", "Model: \t\t NVIDIA H100\nIRQ: 1\n"), ("0000:02:00.0", "")):
        (tmp_path / "gpus" / bus).mkdir(parents=True)
        (tmp_path / "gpus" / bus / "information").write_text(text)
    (tmp_path / "gpus" / "0000:03:00.0").mkdir()
    assert gpus(tmp_path) == ["NVIDIA H100"]


def test_load_average(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.os, "getloadavg", lambda: (1.2345, 0.0, 0.0))
    assert load_average() == 1.23
    monkeypatch.delattr(module.os, "getloadavg")
    assert load_average() is None


@pytest.mark.parametrize(("backend", "other"), [("torch", "jax"), ("jax", "torch")])
def test_a_cell_has_the_marks_of_its_own_backend_only(backend: str, other: str) -> None:
    known = registry()
    task, (method, config) = known.task("burgers"), known.configured("mlp")
    cell = make_cell(task, method, config, backend, 0, Budget(max_steps=1))
    optimisers = {"torch": "pytorch_lightning", "jax": "optax"}
    marks = fingerprint_of(known, cell)
    assert set(by_package(marks)) == {
        "pdebench_lite", "pdebench_problems", "pdebench_methods", f"pdebench_{backend}",
        "numpy", "scipy", backend, optimisers[backend],
    }  # fmt: skip
    assert f"pdebench_{backend}/_runtime.py" in marks
    assert "pdebench_methods/pinn.py" not in marks


def test_a_backend_that_a_method_lacks_has_no_sources(fakes: Path) -> None:
    known = registry()
    task, (method, config) = known.task("toy"), known.configured("fake")
    cell = make_cell(task, method, config, "torch", 0, Budget(max_steps=1))
    assert "pdebench_torch" not in by_package(fingerprint_of(known, cell))
