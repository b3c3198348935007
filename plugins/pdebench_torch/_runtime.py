"""Devices, synchronisation and device memory of PyTorch; see `pdebench_lite.Backend`."""

import torch

_device = torch.device("cpu")


def devices() -> list[str]:
    """Return `cpu` and a `cuda:N` for each GPU that torch sees."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return ["cpu", *(f"cuda:{i}" for i in range(count))]


def prepare(device: str, dtype: str) -> None:
    """Make a device and a floating-point type the defaults.

    Raises:
        RuntimeError: the device is absent.
    """
    global _device
    _device = torch.device(device)
    if _device.type == "cuda":
        torch.cuda.set_device(_device)
    torch.set_default_device(_device)
    torch.set_default_dtype(getattr(torch, dtype))


def synchronize() -> None:
    """Wait until the device has finished everything that was launched."""
    if _device.type == "cuda":
        torch.cuda.synchronize(_device)


def device_name() -> str:
    """Return the model of the GPU in use; empty on a CPU."""
    return torch.cuda.get_device_name(_device) if _device.type == "cuda" else ""


def reset_device_peak() -> None:
    """Start measuring the allocator's peak."""
    if _device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(_device)


def device_peak_bytes() -> int | None:
    """Return the allocator's peak on the GPU since the reset; None on a CPU."""
    return torch.cuda.max_memory_allocated(_device) if _device.type == "cuda" else None


def pools() -> dict[str, int]:
    """Return the threads of torch's pools: of arithmetic, and of operations side by side."""
    return {"torch": torch.get_num_threads(), "torch interop": torch.get_num_interop_threads()}


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an exception means that memory ran out."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "not enough memory" in str(error)
    )
