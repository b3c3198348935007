"""The doctor: each finding on a machine that the test lays out, and the whole on this one."""

import errno
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import psutil
import pytest

from pdebench_doctor import devices, installed, storage
from pdebench_doctor import processor as processor_module
from pdebench_doctor.clock import interruptions
from pdebench_doctor.examine import examine
from pdebench_doctor.finding import Finding
from pdebench_doctor.processor import container, frequency, quota, turbo
from pdebench_lite.cli import main
from pdebench_lite.measure import steal
from pdebench_lite.registry.discovery import Plugin, Registry, registry
from pdebench_lite.runner import shell


def files(root: Path, **texts: str) -> Path:
    """Write files below a root, by path."""
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


# ---- processor -------------------------------------------------------------------------------


def test_a_governor_that_saves_power(tmp_path: Path) -> None:
    assert frequency(tmp_path).level == "ok"
    place = "sys/devices/system/cpu/cpu{}/cpufreq/scaling_governor"
    files(tmp_path, **{place.format(0): "performance\n", place.format(1): "powersave\n"})
    found = frequency(tmp_path)
    assert (found.level, found.found) == ("warning", "governor performance, powersave")
    assert found.remedy.startswith("echo performance | sudo tee ")
    subprocess.run(["bash", "-c", found.remedy.replace("sudo ", "")], check=True)
    assert frequency(tmp_path).level == "ok", "the command mends it"


@pytest.mark.parametrize(
    ("file", "on", "off"), [("intel_pstate/no_turbo", "0", "1"), ("cpufreq/boost", "1", "0")]
)
def test_turbo(tmp_path: Path, file: str, on: str, off: str) -> None:
    path = f"sys/devices/system/cpu/{file}"
    assert turbo(files(tmp_path, **{path: f"{off}\n"})).level == "ok"
    found = turbo(files(tmp_path, **{path: f"{on}\n"}))
    assert found.level == "warning"
    subprocess.run(["bash", "-c", found.remedy.replace("sudo ", "")], check=True)
    assert turbo(tmp_path).found == "off", "the command mends it"


@pytest.mark.parametrize(
    ("layout", "level"),
    [
        ({}, "ok"),
        ({"sys/fs/cgroup/cpu.max": "max 100000"}, "ok"),
        ({"sys/fs/cgroup/cpu.max": "800000 100000"}, "ok"),
        ({"sys/fs/cgroup/cpu.max": "150000 100000"}, "warning"),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1",
          "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, "ok"),
        ({"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "350000",
          "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000"}, "warning"),
    ],
)  # fmt: skip
def test_quota(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: dict[str, str], level: str
) -> None:
    monkeypatch.setattr(processor_module, "threads", lambda: 8)
    found = quota(files(tmp_path, **layout))
    assert found.level == level
    if level == "warning":
        cores = "0" if "150000 100000" in layout.values() else "0-2"
        assert found.remedy == f"taskset -c {cores} pdebench run …"


def test_a_container(tmp_path: Path) -> None:
    assert container(tmp_path).level == "ok"
    assert container(files(tmp_path, **{"run/.containerenv": ""})).level == "note"


def test_variables_of_the_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor_module, "threads", lambda: 4)
    for name in (*shell.THREADS, *shell.passed_on()):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert list(processor_module._variables()) == []
    monkeypatch.setenv("MKL_NUM_THREADS", "1")
    monkeypatch.setenv("JAX_DISABLE_JIT", "1")
    threads, jit = processor_module._variables()
    assert (threads.level, threads.remedy) == ("note", "unset MKL_NUM_THREADS")
    assert threads.found == "MKL_NUM_THREADS=1 is not used: a cell has 4 threads"
    assert (jit.level, jit.remedy) == ("warning", "unset JAX_DISABLE_JIT")
    assert jit.found == "JAX_DISABLE_JIT=1 may change speed or numbers: records and tables say so"


def test_other_load_is_seen_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.3)
        monkeypatch.setattr(processor_module, "_WATCH", 1.0)
        found = {f.name: f for f in processor_module._load()}["load"]
    finally:
        burner.kill()
        burner.wait()
    assert found.level == "warning"
    assert found.remedy.startswith("wait until they have ended: ps -o pid,etime,args -p ")


def test_time_that_a_hypervisor_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor_module, "_WATCH", 0.01)
    for readings, warned in (
        ([(0.0, 90.0), (10.0, 100.0)], True),
        ([(0.0, 90.0), (0.05, 100.0)], False),
        ([None, None], False),
    ):
        left = iter(readings)
        monkeypatch.setattr(steal, "processors", lambda left=left: next(left))
        assert ("stolen time" in {f.name for f in processor_module._load()}) == warned


# ---- clock -----------------------------------------------------------------------------------


def test_interruptions_are_gaps_between_readings() -> None:
    readings = np.concatenate([np.arange(0.0, 0.1, 1e-6), np.arange(0.15, 0.2, 1e-6)])
    share, longest = interruptions(readings)
    assert share == pytest.approx(0.25, rel=1e-2)
    assert longest == pytest.approx(0.05, rel=1e-2)
    assert interruptions(np.arange(0.0, 0.1, 1e-6))[0] == 0.0


def test_a_slow_clock_source(tmp_path: Path) -> None:
    from pdebench_doctor.clock import _source

    place = "sys/devices/system/clocksource/clocksource0/"
    layout = {"current_clocksource": "hpet", "available_clocksource": "tsc hpet acpi_pm"}
    files(tmp_path, **{place + name: text for name, text in layout.items()})
    found = _source(tmp_path)
    assert found.level == "warning"
    subprocess.run(["bash", "-c", found.remedy.replace("sudo ", "")], check=True)
    assert _source(tmp_path).level == "ok"


def test_work_that_does_not_repeat(monkeypatch: pytest.MonkeyPatch) -> None:
    from pdebench_doctor import clock as module

    count = iter(range(10**6))

    def slow_now_and_then(a: np.ndarray) -> None:
        time.sleep(1e-3 if next(count) // 10 % 2 else 0.0)

    monkeypatch.setattr(np, "tanh", slow_now_and_then)
    assert module._repeatability().level == "warning"


# ---- memory ----------------------------------------------------------------------------------


def test_a_mark_that_cannot_be_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    from pdebench_doctor import memory as module

    monkeypatch.setattr(module.MemoryMeter, "peak_mb", lambda self, phase: None)
    assert module._mark().level == "warning"
    monkeypatch.setattr(module.MemoryMeter, "peak_mb", lambda self, phase: 100.0)
    assert module._mark().found == "100.0 MB measured of 50 MB allocated"
    assert module._mark().level == "warning"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_mark_of_this_machine_is_right() -> None:
    from pdebench_doctor.memory import _mark

    assert _mark().level == "ok"


def test_a_limit_of_memory(tmp_path: Path) -> None:
    from pdebench_doctor.memory import available

    assert "control group" not in available(tmp_path).found
    found = available(files(tmp_path, **{"sys/fs/cgroup/memory.max": "1000000000"}))
    assert found.level == "warning"
    assert found.found.endswith("a control group allows 1.0 GB")
    assert found.remedy == "pdebench run … --jobs 1 --max-memory 800MB"


def test_swap(monkeypatch: pytest.MonkeyPatch) -> None:
    from pdebench_doctor.memory import _swap

    monkeypatch.setattr(psutil, "swap_memory", lambda: SimpleNamespace(used=5_000_000))
    assert (_swap().level, _swap().remedy) == ("warning", "sudo swapoff -a")
    monkeypatch.setattr(psutil, "swap_memory", lambda: SimpleNamespace(used=0))
    assert _swap().level == "ok"


# ---- installed, devices, results ---------------------------------------------------------------


def test_what_is_missing_or_broken(fakes: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = registry()
    found = {f.name: f for f in installed.installed(known)}
    assert found["backend ghost"].level == "note"
    assert found["backend ghost"].remedy == 'pip install "pdebench-lite[ghost]"'
    assert found["plugin fakes"].found.endswith("(pdebench-fakes 1.2)")
    assert not [f for f in found.values() if f.level == "error"]
    broken = Registry(plugins=[Plugin("odd", "odd", "odd-dist", "1", error="ImportError: no")])
    broken.clashes[("method", "pinn")] = ["plugin a (a)", "plugin b (b)"]
    monkeypatch.setattr(shutil, "which", lambda name: None)
    found = {f.name: f for f in installed.installed(broken)}
    assert {name: f.level for name, f in found.items() if f.level != "ok"} == {
        "backends": "error", "plugin odd": "error", "method pinn": "error", "C++ compiler": "note"
    }  # fmt: skip
    assert found["plugin odd"].remedy == "pip install --force-reinstall odd-dist"


def test_backends_are_probed_in_processes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    good = devices.probed("numpy", "pdebench_lite.runner.host")
    assert good.level == "ok"
    assert good.found.startswith("works on cpu (up in ")
    bad = devices.probed("jax", "no_such_runtime")
    assert bad.level == "error"
    assert "ModuleNotFoundError: No module named 'no_such_runtime'" in bad.found
    monkeypatch.setattr(devices, "gpus", lambda: ["NVIDIA H100"])
    blind = devices.probed("jax", "pdebench_lite.runner.host")
    assert (blind.level, blind.remedy) == ("warning", 'pip install "jax[cuda12]"')
    monkeypatch.setattr(devices, "_PATIENCE", 0.01)
    assert devices.probed("numpy", "pdebench_lite.runner.host").found == "no answer within 0.01 s"


def test_energy_counters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert devices._energy(tmp_path).found == "no counter here: left empty"
    layout = {"name": "package-0", "max_energy_range_uj": "1000", "energy_uj": "1"}
    files(tmp_path, **{f"intel-rapl:0/{name}": text for name, text in layout.items()})
    assert devices._energy(tmp_path).level == "ok"
    monkeypatch.setattr(devices, "rapl", lambda root: [])
    assert devices._energy(tmp_path).remedy.startswith("sudo chmod a+r ")


def test_the_results_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def found(place: Path) -> dict[str, Finding]:
        return {f.name: f for f in storage.storage(place)}

    def refuse(dir: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    assert {f.level for f in found(tmp_path / "a" / "b").values()} == {"ok"}
    assert not (tmp_path / "a").exists(), "looking makes nothing"
    (tmp_path / "file").write_text("")
    assert found(tmp_path / "file")["folder"].level == "error"
    assert found(tmp_path / "file" / "below")["folder"].level == "error"
    monkeypatch.setattr(storage.tempfile, "TemporaryFile", refuse)
    assert found(tmp_path)["folder"].found.endswith("cannot be written: Read-only file system")
    monkeypatch.undo()
    usage = SimpleNamespace(free=1e6)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    assert found(tmp_path)["space"].level == "warning"
    part = SimpleNamespace(mountpoint=str(tmp_path), fstype="nfs4")
    monkeypatch.setattr(psutil, "disk_partitions", lambda all: [part])
    assert found(tmp_path)["file system"].level == "note"


# ---- the whole -------------------------------------------------------------------------------


def test_every_finding_that_is_bad_has_a_remedy(tmp_path: Path) -> None:
    findings = list(examine(registry(), tmp_path))
    sections = list(dict.fromkeys(f.section for f in findings))
    assert sections == ["installed", "devices", "processor", "clock", "memory", "results"]
    assert all(f.remedy for f in findings if f.level in ("warning", "error"))
    assert all("\n" not in f.found + f.remedy for f in findings)


def test_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--results", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("installed\n  ok      python: ")
    assert text.splitlines()[-1].endswith("--probe starts the backends too")
    assert main(["doctor", "--results", str(tmp_path), "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer["findings"][0]) == {"section", "name", "level", "found", "remedy"}
    assert sum(answer["counts"].values()) == len(answer["findings"])
    assert main(["doctor", "--format", "yaml"]) == 2
    assert "unknown format 'yaml'" in capsys.readouterr().err


def test_something_unusable_is_exit_status_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["doctor", "--results", str(tmp_path / "file")]) == 1
    assert f"ERROR   folder: '{tmp_path / 'file'}' is not a folder" in capsys.readouterr().out


def test_nothing_heavy_is_loaded_in_the_parent() -> None:
    code = (
        "import sys; from pdebench_lite.cli import main; main(['doctor']);"
        "print(*(m for m in ('torch', 'jax', 'matplotlib') if m in sys.modules), file=sys.stderr)"
    )
    environment: dict[str, Any] = {**os.environ, "OMP_NUM_THREADS": "1"}
    child = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert child.stderr.strip() == ""
