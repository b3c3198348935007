"""NVIDIA's management library: energy and memory of a GPU as the driver sees them.

Needs the distribution nvidia-ml-py (extra `gpu`); without it, without a GPU, or where the driver
does not say, every function returns None.
"""

import os
from functools import lru_cache
from typing import Any


@lru_cache(maxsize=1)
def _library() -> Any:
    """Return the library, initialised, or None."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml


@lru_cache
def _handle(device: str) -> Any:
    """Return NVML's handle of `cuda:N`, or None.

    CUDA numbers the GPUs that CUDA_VISIBLE_DEVICES names, in that order; NVML numbers all, by PCI
    bus, as the runner makes CUDA do (CUDA_DEVICE_ORDER).
    """
    library = _library()
    kind, _, number = device.partition(":")
    if library is None or kind != "cuda":
        return None
    visible = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    index = int(number or 0)
    try:
        name = (visible[index] if index < len(visible) else "") if any(visible) else str(index)
        if name.isdigit():
            return library.nvmlDeviceGetHandleByIndex(int(name))
        return library.nvmlDeviceGetHandleByUUID(name)
    except library.NVMLError:
        return None


def joules(device: str) -> float | None:
    """Return the energy that a GPU has used since its driver was loaded, in joules."""
    handle, library = _handle(device), _library()
    try:
        return None if handle is None else library.nvmlDeviceGetTotalEnergyConsumption(handle) / 1e3
    except library.NVMLError:
        return None


def process_bytes(device: str, pid: int | None = None) -> int | None:
    """Return the memory that a process holds on a GPU: context, libraries, allocator, in bytes.

    The allocators of torch and JAX give nothing back to the driver, so that the value at the end of
    a training is its peak. None in a container whose process ids the driver does not know.

    Args:
        device: `cuda:N`.
        pid: process id; by default that of this process.
    """
    handle, library = _handle(device), _library()
    try:
        running = () if handle is None else library.nvmlDeviceGetComputeRunningProcesses(handle)
    except library.NVMLError:
        return None
    wanted = os.getpid() if pid is None else pid
    found = [process.usedGpuMemory for process in running if process.pid == wanted]
    return found[0] if found else None
