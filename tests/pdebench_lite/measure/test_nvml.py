"""NVML: which GPU is meant, and what happens where the library, the driver or the answer lacks."""

import os
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from pdebench_lite.measure import nvml


class FakeError(Exception):
    """NVML's own kind of error."""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two GPUs, of which the second refuses to tell its energy."""

    def energy(handle: str) -> int:
        if handle == "gpu1":
            raise FakeError
        return {"gpu0": 1500, "gpu-abc": 2500}[handle]

    library = SimpleNamespace(
        NVMLError=FakeError,
        nvmlInit=lambda: None,
        nvmlDeviceGetHandleByIndex=lambda i: f"gpu{i}",
        nvmlDeviceGetHandleByUUID=lambda name: {"GPU-abc": "gpu-abc"}[name],
        nvmlDeviceGetTotalEnergyConsumption=energy,
        nvmlDeviceGetComputeRunningProcesses=lambda handle: [
            SimpleNamespace(pid=os.getpid(), usedGpuMemory=300_000_000),
            SimpleNamespace(pid=1, usedGpuMemory=7),
        ],
    )
    monkeypatch.setitem(sys.modules, "pynvml", library)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    for function in (nvml._library, nvml._handle):
        function.cache_clear()
    yield library
    for function in (nvml._library, nvml._handle):
        function.cache_clear()


def test_energy_is_in_joules(fake: Any) -> None:
    assert nvml.joules("cuda:0") == nvml.joules("cuda") == 1.5
    assert nvml.joules("cuda:1") is None
    assert nvml.joules("cpu") is None


@pytest.mark.parametrize(
    ("visible", "device", "joules"),
    [("1,0", "cuda:1", 1.5), ("GPU-abc", "cuda:0", 2.5), ("1, 0", "cuda:0", None)],
)
def test_gpus_are_numbered_as_cuda_numbers_them(
    fake: Any, monkeypatch: pytest.MonkeyPatch, visible: str, device: str, joules: float | None
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert nvml.joules(device) == joules


def test_memory_of_a_process(fake: Any) -> None:
    assert nvml.process_bytes("cuda:0") == 300_000_000
    assert nvml.process_bytes("cuda:0", pid=1) == 7
    assert nvml.process_bytes("cuda:0", pid=2) is None
    assert nvml.process_bytes("cpu") is None


def test_a_driver_that_refuses(fake: Any) -> None:
    def refuse(*_: object) -> None:
        raise FakeError

    fake.nvmlDeviceGetComputeRunningProcesses = refuse
    assert nvml.process_bytes("cuda:0") is None
    nvml._handle.cache_clear()
    fake.nvmlDeviceGetHandleByIndex = refuse
    assert nvml.joules("cuda:0") is None
    nvml._library.cache_clear()
    fake.nvmlInit = refuse
    assert nvml._library() is None


def test_without_the_library(fake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    nvml._library.cache_clear()
    assert nvml.joules("cuda:0") is None
    assert nvml.process_bytes("cuda:0") is None


@pytest.mark.gpu
def test_the_driver_sees_what_an_allocator_holds() -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available() or nvml._library() is None:
        pytest.skip("no GPU that NVML can read")
    torch.ones(1, device="cuda")
    before = nvml.process_bytes("cuda:0")
    if before is None:
        pytest.skip("the driver knows this process by another id (a container)")
    held = torch.ones(300_000_000 // 4, device="cuda")
    torch.cuda.synchronize()
    after = nvml.process_bytes("cuda:0")
    assert after is not None
    assert after - before == pytest.approx(held.nbytes, rel=0.05)
