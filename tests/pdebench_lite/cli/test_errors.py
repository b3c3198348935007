"""Every error is one clear line on stderr, no traceback, and exit status 2."""

import importlib.util
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.cli.notebook import run as run_cells
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner import device
from pdebench_lite.store.records import RECORD, Store

Command = Callable[..., Any]

RUN: dict[str, tuple[list[str], str]] = {
    "unknown problem": (
        ["--problem", "burger"],
        "unknown problem 'burger'; did you mean 'burgers'? (known: ",
    ),
    "nothing near": (["--problem", "zzz"], "unknown problem 'zzz' (known: "),
    "unknown method": (["--methods", "pin"], "unknown method 'pin'; did you mean 'pinn'?"),
    "unknown task": (
        ["--problem", "toy:forwards"],
        "unknown task of problem toy: 'forwards'; did you mean 'forward'?",
    ),
    "unknown parameter": (
        ["--problem", "burgers[mu=1]"],
        "unknown parameter of problem burgers:reconstruction 'mu'; did you",
    ),
    "unknown setting": (
        ["--methods", "fake[akt=1]"],
        "unknown parameter of method fake: 'akt'; did you mean 'act'?",
    ),
    "unknown backend": (["--backend", "numpi"], "unknown backend 'numpi'; did you mean 'numpy'?"),
    "bad value": (
        ["--problem", "burgers[nu=5]"],
        "problem burgers:reconstruction: nu=5: input should be less than",
    ),
    "bad word": (["--problem", "burgers[nu=five]"], "nu='five': input should be a valid number"),
    "bad choice": (
        ["--problem", "burgers[ic=square]"],
        "ic='square': input should be 'sine' or 'random'",
    ),
    "bad time": (["--problem", "burgers[t_obs=3]"], "t_obs=3 lies outside the time span (0, 1]"),
    "no selector": (["--methods", "fake[act=1"], "bracket not closed in 'fake[act=1'"),
    "task of a method": (["--methods", "fake:x"], "a method has no task: write 'fake'"),
    "not installed": (
        ["--methods", "haunted"],
        "backend 'ghost' needs no-such-library, not installed here; type: pip install",
    ),
    "not installed, named": (["--backend", "ghost"], "backend 'ghost' needs no-such-library"),
    "duration": (["--max-time", "soon"], "'soon' is not a positive duration; write 30s, 2m or 1h"),
    "size": (["--max-memory", "4"], "'4' is not a positive size; write 500MB, 4GB or 2GiB"),
    "no jobs": (["--jobs", "0"], "jobs=0 must be at least 1"),
    "no steps": (["--max-steps", "0"], "max-steps=0 must be positive and finite"),
    "no number": (["--max-steps", "ten"], "Invalid value for '--max-steps':"),
    "infinite target": (["--target-error", "inf"], "target-error=inf must be positive and finite"),
    "negative target": (["--target-error", "-1"], "target-error=-1.0 must be positive"),
    "no seeds": (["--seeds", "0"], "seeds=0 must be at least 1"),
    "odd seeds": (["--seed", "a,b"], "'a,b' are not seeds; write --seed 3 or --seed 0,1,2"),
    "negative seed": (["--seed", "-1"], "'-1' are not seeds; they are whole numbers from 0"),
    "both seeds": (["--seeds", "2", "--seed", "1"], "give --seeds N or --seed S, not both"),
    "dtype": (["--dtype", "float16"], "no dtype 'float16'; write float32 or float64"),
    "device": (["--device", "gpu"], "no device 'gpu'; write auto, cpu, cuda or cuda:N"),
    "rerun": (["--rerun", "some"], "no --rerun 'some'; write failed, stale or all"),
    "unwritable": (
        ["--results", "/dev/null/x"],
        "cannot write results to '/dev/null/x': Not a directory; choose",
    ),
    "a file": (["--results", "/dev/null"], "cannot write results to '/dev/null': File exists"),
    "unknown option": (["--metods", "fake"], "No such option: --metods"),
}


@pytest.mark.parametrize("kind", RUN)
def test_run(pdebench: Command, fakes: Path, tmp_path: Path, kind: str) -> None:
    words, message = RUN[kind]
    given = {"--problem": "toy", "--methods": "fake", "--results": str(tmp_path / "results")}
    given |= dict(zip(words[::2], words[1::2], strict=True))
    answer = pdebench("run", *(word for pair in given.items() for word in pair))
    assert answer.status == 2
    assert message in answer.line
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run"], "missing --problem; give it, or a study file (see: pdebench run --help)"),
        (["run", "--problem", "toy"], "missing --methods; give it, or a study file"),
        (["rum"], "unknown command 'rum'; did you mean 'run'?"),
        (["--vers"], "No such option: --vers"),
        (
            ["list"],
            "Missing argument 'problems|methods|metrics|quantities|figures|"
            "optimizers|networks|weightings|samplers|plugins'. (see",
        ),
        (["data"], "Missing command. (see: pdebench data --help)"),
        (["list", "method"], "unknown list 'method'; did you mean 'methods'?"),
        (["list", "methods", "--format", "yaml"], "unknown format 'yaml' (known: json, text)"),
        (["list", "methods", "plugins"], "unexpected extra argument"),
        (["table", "--format", "tex"], "format 'tex'"),
        (
            ["table", "--results", "/nowhere"],
            "no results folder '/nowhere'; name one with --results",
        ),
        (["plot", "--results", "/nowhere"], "no results folder '/nowhere'"),
        (["show", "abc", "--results", "/nowhere"], "no results folder '/nowhere'; name one with"),
    ],
)
def test_usage(pdebench: Command, words: list[str], message: str) -> None:
    answer = pdebench(*words)
    assert answer.status == 2
    assert message.lower() in answer.line.lower()


def test_a_missing_backend_says_what_to_install(
    pdebench: Command, fakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec

    def hide(name: str, package: str | None = None) -> Any:
        return None if name in ("torch", "jax", "optax") else find(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", hide)
    registry.cache_clear()
    words = ("run", "--problem", "burgers", "--methods", "pinn", "--results", tmp_path / "r")
    assert pdebench(*words, "--backend", "torch").line == (
        "backend 'torch' needs torch, not installed here; "
        'type: pip install "pdebench-lite[torch]"'
    )
    assert "pip install" in pdebench(*words).line
    listing = pdebench("list", "methods")
    assert listing.status == 0
    assert "needs torch" in " ".join(listing.out.split())


def test_an_absent_gpu_is_an_error_that_names_what_is_there(
    pdebench: Command, fakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("run", "--problem", "burgers", "--methods", "pinn", "--results", tmp_path / "r")
    monkeypatch.setattr(device, "devices_of", lambda runtime: ("cpu",))
    for request in ("cuda", "cuda:1"):
        answer = pdebench(*words, "--backend", "jax", "--device", request)
        assert answer.status == 2
        assert answer.line == (
            f"device '{request}' is not there for jax, which sees: cpu; use --device cpu"
        )
    monkeypatch.setattr(device, "devices_of", lambda runtime: ("cpu", "cuda:0"))
    answer = pdebench(*words, "--backend", "torch", "--device", "cuda:1")
    assert "which sees: cpu, cuda:0" in answer.line


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry()
    names = ("numpy", "torch", "jax")

    def resolve(request: str) -> list[str]:
        return list(device.resolve_devices(known, request, names).values())

    monkeypatch.setattr(device, "devices_of", lambda runtime: ("cpu", "cuda:0", "cuda:1"))
    assert resolve("auto") == ["cpu", "cuda", "cuda"]
    assert resolve("cuda") == ["cpu", "cuda", "cuda"]
    assert resolve("cuda:1") == ["cpu", "cuda:1", "cuda:1"]
    assert resolve("cpu") == ["cpu", "cpu", "cpu"]
    monkeypatch.setattr(device, "devices_of", lambda runtime: ("cpu",))
    assert resolve("auto") == ["cpu", "cpu", "cpu"]


def test_devices_are_asked_for_in_a_process_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "_gpu_present", lambda: True)
    device.devices_of.cache_clear()
    assert device.devices_of("pdebench_lite.runner.host") == ("cpu",)
    assert device.devices_of("no.such.runtime") == ("cpu",)
    monkeypatch.setattr(device, "_PATIENCE", 0.001)
    with pytest.raises(PdebenchError, match=r"did not name its devices within 0\.001 s"):
        device.devices_of("pdebench_lite.runner.child")
    device.devices_of.cache_clear()


@pytest.fixture(scope="module")
def made(fakes_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with two records of the fakes."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(fakes_folder))
        patch.syspath_prepend(str(fakes_folder))
        registry.cache_clear()
        run_cells("toy", "fake,twin", backend="numpy", max_steps=2, results=folder)
        registry.cache_clear()
        sys.modules.pop("pdebench_fakes", None)
    return folder


def test_a_corrupt_record_is_left_out_and_named(
    pdebench: Command, made: Path, tmp_path: Path
) -> None:
    results = tmp_path / "results"
    shutil.copytree(made, results)
    first = Store(results)._folders()[0]
    (first / RECORD).write_text((first / RECORD).read_text()[:200])
    answer = pdebench("table", "--results", results)
    assert answer.status == 0
    (line,) = answer.err.splitlines()
    assert line.startswith(f"pdebench: left out: {first / RECORD}: corrupt record (")
    assert "toy" in answer.out
    answer = pdebench("show", first.name, "--results", results)
    assert answer.status == 2
    assert "corrupt record" in answer.line


def test_nothing_sound_is_an_error(pdebench: Command, tmp_path: Path) -> None:
    answer = pdebench("table", "--results", tmp_path)
    assert (answer.status, answer.line) == (
        2,
        f"no sound record in '{tmp_path}'; name a folder that has some with --results DIR, or "
        "make some: pdebench run --help",
    )


def test_an_unknown_metric_suggests_the_nearest(pdebench: Command, made: Path) -> None:
    answer = pdebench("table", "--results", made, "--metrics", "rel_l3")
    assert answer.status == 2
    assert "unknown metric" in answer.line
    assert "'rel_l2'" in answer.line


def test_figures_that_cannot_be_written(pdebench: Command, made: Path) -> None:
    answer = pdebench("plot", "--results", made, "--out", "/dev/null/figures")
    assert answer.status == 2
    assert answer.line == (
        "cannot write figures to '/dev/null/figures': Not a directory; "
        "choose another with --out DIR"
    )


def test_show_names_records_that_begin_alike(pdebench: Command, made: Path, tmp_path: Path) -> None:
    shutil.copytree(made, tmp_path / "r")
    first = sorted(
        p for p in (tmp_path / "r").iterdir() if p.name[0] != "." and p.name != "environments"
    )[0]
    shutil.copytree(first, first.with_name(first.name[:4] + "x"))
    answer = pdebench("show", first.name[:4], "--results", tmp_path / "r")
    assert answer.status == 2
    assert f"several records begin with '{first.name[:4]}'" in answer.line
