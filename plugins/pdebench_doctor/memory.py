"""Whether memory readings can be trusted: the resettable high-water mark, limits, swap."""

from collections.abc import Iterator
from pathlib import Path

import psutil

from pdebench_doctor.finding import Finding, read
from pdebench_lite.measure.memory import MemoryMeter

_SECTION = "memory"
_MB = 1e6
_SMALL = 2e9  # bytes; torch or JAX and a network need about one
_TEST = 50_000_000  # bytes
_WRONG = 0.05


def memory(root: Path = Path("/")) -> Iterator[Finding]:
    """Yield the findings about memory."""
    yield _mark()
    yield available(root)
    yield _swap()


def _mark() -> Finding:
    """Allocate a known amount and measure it as a cell's peak is measured."""
    meter = MemoryMeter()
    meter.enter("train")
    held = bytearray(_TEST)
    held[::4096] = b"x" * len(held[::4096])
    del held
    found = meter.peak_mb("train")
    if found is None:
        remedy = "docker run --security-opt systempaths=unconfined …, or use Linux 4.0 or later"
        said = "/proc/self/clear_refs cannot be written: peak_host_mb stays empty"
        return Finding(_SECTION, "high-water mark", "warning", said, remedy)
    said = f"{found:.1f} MB measured of {_TEST / _MB:.0f} MB allocated"
    if abs(found * _MB - _TEST) > _WRONG * _TEST:
        remedy = "echo never | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
        return Finding(_SECTION, "high-water mark", "warning", said, remedy)
    return Finding(_SECTION, "high-water mark", "ok", said)


def available(root: Path) -> Finding:
    """Return the finding about how much memory there is, control groups considered."""
    free = float(psutil.virtual_memory().available)
    said = f"{free / 1e9:.1f} GB free of {psutil.virtual_memory().total / 1e9:.1f} GB"
    limits = [
        int(text)
        for name in ("memory.max", "memory/memory.limit_in_bytes")
        if (text := read(root / "sys/fs/cgroup" / name)).isdigit()
    ]
    limits = [limit for limit in limits if limit < psutil.virtual_memory().total]
    if limits:
        free = min(free, min(limits))
        said += f"; a control group allows {min(limits) / 1e9:.1f} GB"
    if free < _SMALL:
        remedy = f"pdebench run … --jobs 1 --max-memory {max(1, int(0.8 * free / _MB))}MB"
        return Finding(_SECTION, "available", "warning", said, remedy)
    return Finding(_SECTION, "available", "ok", said)


def _swap() -> Finding:
    used = psutil.swap_memory().used
    if used > 0:
        found = f"{used / _MB:.0f} MB in use: what is swapped out is not resident, and slow"
        return Finding(_SECTION, "swap", "warning", found, "sudo swapoff -a")
    return Finding(_SECTION, "swap", "ok", "not in use")
