"""Runtime of the NumPy backend, and the plainest example of what a `Backend.runtime` offers."""

import ctypes
from pathlib import Path

_MAPPED = Path("/proc/self/maps")
_ASKED = [  # as NumPy's wheels name it, SciPy's, and other builds
    f"{prefix}openblas_get_num_threads{suffix}"
    for prefix in ("scipy_", "")
    for suffix in ("64_", "")
]


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


def pools() -> dict[str, int]:
    """Return the threads of OpenBLAS; empty where it is not loaded, or not known."""
    try:
        lines = [line for line in _MAPPED.read_text().splitlines() if "blas" in line]
    except OSError:
        return {}
    for path in sorted({line.split(maxsplit=5)[-1] for line in lines}):
        try:
            library = ctypes.CDLL(path)
        except OSError:  # the name of something else
            continue
        for name in _ASKED:
            if hasattr(library, name):
                return {"blas": int(getattr(library, name)())}
    return {}


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an exception means that memory ran out."""
    return isinstance(error, MemoryError)
