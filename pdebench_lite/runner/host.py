"""Runtime of the NumPy backend, and the plainest example of what a `Backend.runtime` offers."""


def devices() -> list[str]:
    """Return the devices that this backend can use."""
    return ["cpu"]


def prepare(device: str, dtype: str) -> None:
    """Choose device and floating-point type; NumPy has nothing to choose."""


def synchronize() -> None:
    """Wait until the device has finished; NumPy never leaves work behind."""


def device_name() -> str:
    """Return the model of the device in use; empty for the host's processor."""
    return ""


def reset_device_peak() -> None:
    """Start measuring the peak of device memory."""


def device_peak_bytes() -> int | None:
    """Return the peak of device memory since the reset in bytes; None on a CPU."""
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an exception means that memory ran out."""
    return isinstance(error, MemoryError)
