"""Devices, synchronisation and device memory of JAX; see `pdebench_lite.Backend`."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import jax

from pdebench_jax._xla import hoist_small_loops

_device: Any = None
_POOL = "tf_XLAEigen"  # what XLA calls the threads that compute


def devices() -> list[str]:
    """Return `cpu` and a `cuda:N` for each GPU that JAX sees."""
    try:
        gpus = jax.devices("cuda")
    except RuntimeError:
        gpus = []
    return ["cpu", *(f"cuda:{gpu.id}" for gpu in gpus)]


def prepare(device: str, dtype: str) -> None:
    """Make a device the default; the runner has set JAX_ENABLE_X64 by the dtype.

    Raises:
        RuntimeError: the device is absent.
    """
    global _device
    hoist_small_loops()
    kind, _, number = device.partition(":")
    _device = jax.devices(kind)[int(number or 0)]
    jax.config.update("jax_default_device", _device)
    jax.config.update("jax_enable_x64", dtype == "float64")


def synchronize() -> None:
    """Wait until the device has finished everything that was dispatched."""
    jax.effects_barrier()
    (jax.device_put(0.0, _device) + 0).block_until_ready()


def device_name() -> str:
    """Return the model of the GPU in use; empty on a CPU."""
    return "" if _device is None or _device.platform == "cpu" else _device.device_kind


def reset_device_peak() -> None:
    """JAX keeps one peak per process and a cell has a process of its own: nothing to reset."""


def device_peak_bytes() -> int | None:
    """Return the allocator's peak on the GPU in use; None on a CPU."""
    statistics = None if _device is None else _device.memory_stats()
    return None if not statistics else statistics.get("peak_bytes_in_use")


def pools() -> dict[str, int]:
    """Return the threads of XLA's pool on a CPU; empty where the kernel does not name them."""
    found = 0
    for file in Path("/proc/self/task").glob("*/comm"):
        with suppress(OSError):  # that thread has ended
            found += file.read_text().strip() == _POOL
    return {"xla": found} if found else {}


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an exception means that memory ran out."""
    return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)
