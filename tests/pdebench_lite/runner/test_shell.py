"""What a cell inherits from the shell: threads are set, what else counts is kept in its record."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pdebench_lite.cli import main
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner import device
from pdebench_lite.runner.environment import threads
from pdebench_lite.runner.host import pools
from pdebench_lite.runner.shell import THREADS, blamed, for_child, not_used, passed_on
from pdebench_lite.runner.study import make_cell
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import LOG, Record, Store

Race = Callable[..., list[Record]]

GIVEN = {  # of the shell -> what a record keeps
    "OMP_PROC_BIND": "true",
    "OMP_PLACES": "cores",
    "KMP_AFFINITY": "compact",
    "GOMP_CPU_AFFINITY": "0",
    "MKL_DYNAMIC": "FALSE",
    "NVIDIA_TF32_OVERRIDE": "0",
    "CUDA_LAUNCH_BLOCKING": "1",
    "PYTHONDEVMODE": "1",
    "PYTHONPROFILEIMPORTTIME": "1",
    "PYTHONMALLOC": "debug",
    "PYTHONOPTIMIZE": "1",
    "MALLOC_ARENA_MAX": "1",
}
OF_JAX = {
    "JAX_DISABLE_JIT": "1",
    "JAX_PLATFORMS": "cpu",
    "JAX_DEFAULT_MATMUL_PRECISION": "float32",
    "JAX_DEBUG_NANS": "1",
    "XLA_FLAGS": "--xla_cpu_enable_fast_math=true",
}
OF_TORCH = {
    "TORCHDYNAMO_DISABLE": "1",
    "TORCH_COMPILE_DISABLE": "1",
    "PYTORCH_JIT": "0",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE": "1",
}
QUIET = {  # changes neither speed nor numbers, is set by the harness, or says what holds anyway
    "HOME": "/home/me",
    "TORCH_HOME": "/home/me/torch",
    "JAX_LOGGING_LEVEL": "INFO",
    "JAX_COMPILATION_CACHE_DIR": "/home/me/cache",
    "TORCH_LOGS": "dynamo",
    "JAX_ENABLE_X64": "0",
    "XLA_PYTHON_CLIENT_PREALLOCATE": "true",
    "OMP_WAIT_POLICY": "PASSIVE",
    "OMP_PLACES_": "",
    "OMP_NUM_THREADS": "7",
}


def test_what_changes_speed_or_numbers_is_kept_for_the_backend_that_reads_it() -> None:
    shell = {**GIVEN, **OF_JAX, **OF_TORCH, **QUIET}
    assert passed_on("numpy", shell) == GIVEN
    assert passed_on("jax", shell) == {**GIVEN, **OF_JAX}
    assert passed_on("torch", shell) == {**GIVEN, **OF_TORCH}
    assert passed_on("", shell) == {**GIVEN, **OF_JAX, **OF_TORCH}
    assert passed_on("numpy", {"OMP_WAIT_POLICY": "ACTIVE"}) == {"OMP_WAIT_POLICY": "ACTIVE"}


def test_folders_of_the_user_are_not_kept() -> None:
    shell = {
        "LD_PRELOAD": "/home/me/lib/libjemalloc.so.2:/opt/b.so",
        "XLA_FLAGS": "--xla_dump_to=/home/me/dump --xla_cpu_enable_fast_math=true",
    }
    assert passed_on("jax", shell) == {
        "LD_PRELOAD": "libjemalloc.so.2:b.so",
        "XLA_FLAGS": "--xla_dump_to=dump --xla_cpu_enable_fast_math=true",
    }


def test_a_child_has_the_threads_of_the_harness_and_what_is_passed_on() -> None:
    known = registry()
    task, (method, config) = known.task("burgers"), known.configured("mlp")
    cell = make_cell(task, method, config, "torch", 0, Budget(max_steps=1))
    shell = {**GIVEN, **QUIET, **dict.fromkeys(THREADS, "9")}
    child = for_child(cell, 3, shell)
    assert {child[name] for name in THREADS} == {"3"}
    assert child["JAX_ENABLE_X64"] == "1", "the precision is that of the cell"
    assert GIVEN.items() <= child.items()
    assert child["OPENBLAS_THREAD_TIMEOUT"] == "4"
    assert for_child(cell, 3, {"OPENBLAS_THREAD_TIMEOUT": "20"})["OPENBLAS_THREAD_TIMEOUT"] == "20"
    assert not_used(3, {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "3"}) == {"OMP_NUM_THREADS": "1"}


def test_a_record_says_what_was_given_and_what_was_used(
    race: Race, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.setenv("MALLOC_ARENA_MAX", "3")
    (record,) = race("fake", max_steps=1)
    assert record.processors == threads()
    assert record.threads == threads(), "whatever the shell says"
    assert record.pools["affinity"] == len(os.sched_getaffinity(0))
    assert record.pools.get("blas", record.threads) == record.threads
    assert record.variables["MALLOC_ARENA_MAX"] == "3"
    assert "OMP_NUM_THREADS" not in record.variables


def test_a_method_that_uses_fewer_threads_than_it_was_given(race: Race) -> None:
    if threads() == 1 or not pools():
        pytest.skip("one processor, or a BLAS that cannot be asked")
    (record,) = race("fake[act=one_thread]", max_steps=1)
    assert (record.threads, record.processors) == (1, threads())


def test_the_refused_and_the_dead_have_them_too(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MALLOC_ARENA_MAX", "3")
    for record in race("picky,fake[act=exit]", max_steps=1):
        assert (record.threads, record.processors) == (threads(), threads())
        assert record.variables["MALLOC_ARENA_MAX"] == "3"


@pytest.mark.parametrize("status", ["crashed", "ok", "diverged"])
def test_a_failure_names_the_variables_that_it_may_come_from(
    status: str, race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in passed_on():
        monkeypatch.delenv(name)
    monkeypatch.setenv("MALLOC_ARENA_MAX", "3")
    act = {"crashed": "exit", "ok": "exact", "diverged": "nan_loss"}[status]
    (record,) = race(f"fake[act={act}]", max_steps=20)
    assert record.status == status
    advice = "the shell sets MALLOC_ARENA_MAX=3; to run without: unset MALLOC_ARENA_MAX"
    assert record.reason.endswith(f"; {advice}") == (status == "crashed")


def test_what_the_process_said_of_a_variable_is_quoted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        "hello\n"
        "F1201 03:57:55.736742   104 parse_flags_from_env.cc:2] Unknown flag in XLA_FLAGS: --x\n"
        "Fatal Python error: Aborted\n"
    )
    variables = {"XLA_FLAGS": "--x"}
    advice = "the shell sets XLA_FLAGS=--x; to run without: unset XLA_FLAGS"
    assert blamed("killed by SIGABRT", variables, log) == (
        f"killed by SIGABRT; Unknown flag in XLA_FLAGS: --x; {advice}"
    )
    assert blamed("XLA_FLAGS is wrong", variables, log) == f"XLA_FLAGS is wrong; {advice}"
    log.write_text("hello\n")
    assert blamed("killed", variables, log) == f"killed; {advice}"
    assert blamed("killed", {}, log) == "killed"


def test_a_gpu_that_a_variable_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "devices_of", lambda runtime: ("cpu",))
    for name in passed_on():
        monkeypatch.delenv(name)
    with pytest.raises(PdebenchError, match="which sees: cpu; use --device cpu"):
        device.resolve_devices(registry(), "cuda:0", ["jax"])
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    with pytest.raises(PdebenchError, match="to run without: unset JAX_PLATFORMS"):
        device.resolve_devices(registry(), "cuda:0", ["jax"])


def test_whoever_asks_for_threads_is_told(
    fakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "--problem", "toy", "--methods", "fake", "--max-steps", "1", "--dry-run",
             "--results", str(tmp_path / "results")]  # fmt: skip
    for name in THREADS:
        monkeypatch.delenv(name, raising=False)
    assert main(words) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    assert main(words) == 0
    assert capsys.readouterr().err == (
        "pdebench: OMP_NUM_THREADS=77 is not used: a cell's libraries have as many threads as it "
        "has processors; for one: taskset -c 0 pdebench run …\n"
    )


# ---- the libraries themselves, in processes of their own ---------------------------------------

ASK = """
import importlib, json, sys
runtime = importlib.import_module(sys.argv[1])
runtime.prepare("cpu", "float64")
runtime.synchronize()
print(json.dumps(runtime.pools()))
"""


@pytest.mark.parametrize(
    ("backend", "pool"), [("torch", "torch"), ("jax", "xla"), ("numpy", "blas")]
)
def test_the_threads_that_are_set_are_those_that_a_library_uses(backend: str, pool: str) -> None:
    known = registry()
    if backend not in known.installed_backends():
        pytest.skip(f"{backend} is not installed")
    task, (method, config) = known.task("burgers"), known.configured("mlp")
    cell = make_cell(task, method, config, backend, 0, Budget(max_steps=1))
    module = known.backend(backend).runtime
    done = subprocess.run(
        [sys.executable, "-c", ASK, module], capture_output=True, text=True, check=True,
        env=for_child(cell, 1, {**os.environ, **dict.fromkeys(THREADS, "2")}),
    )  # fmt: skip
    found = json.loads(done.stdout.splitlines()[-1])
    if backend != "numpy" or found:
        assert found[pool] == 1


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("JAX_PLATFORMS", "tpu", "Unable to initialize backend 'tpu'"),
        ("XLA_FLAGS", "--xla_no_such_flag=1", "--xla_no_such_flag=1"),
    ],
)
def test_jax_that_cannot_start_says_which_variable_it_is(
    name: str, value: str, words: str, race: Race, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("jax")
    for other in passed_on():
        monkeypatch.delenv(other)
    monkeypatch.setenv(name, value)
    (record,) = race("mlp", "burgers:forward", backend="jax", max_steps=1)
    assert record.status == "crashed"
    assert words in record.reason
    assert "\n" not in record.reason
    assert record.reason.endswith(f"the shell sets {name}={value}; to run without: unset {name}")
    assert (store.folder(record.cell) / LOG).exists()
