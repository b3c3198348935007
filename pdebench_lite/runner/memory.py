"""Host memory by the kernel's own account (Linux): high-water mark, reset, and what is in use."""

from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
MB = 1e6


def _kernel_bytes(key: str) -> int | None:
    try:
        text = _STATUS.read_text()
    except OSError:
        return None
    for line in text.splitlines():
        if line.startswith(key):
            return int(line.split()[1]) * 1024
    return None


def _reset() -> bool:
    try:
        _CLEAR.write_text("5")
    except OSError:
        return False
    return True


class MemoryMeter:
    """Peak of resident host memory above what was in use when a phase began.

    A peak is VmHWM at its end minus VmRSS when its phase was first entered. The kernel's mark is
    reset when training starts, after compilation, so that neither imports nor compilation count;
    what the harness allocates while it evaluates does not count either.
    """

    def __init__(self) -> None:
        self._base: dict[str, int] = {}
        self._peak: dict[str, int] = {}
        self._measured = ""

    def enter(self, phase: str) -> None:
        """Note that a phase begins (or goes on); closes the measurement of the one before."""
        self._close()
        if phase not in ("compile", "train") or not _reset():
            self._measured = ""
            return
        resident = _kernel_bytes("VmRSS:")
        if resident is not None:
            self._base.setdefault(phase, resident)
            self._measured = phase

    def _close(self) -> None:
        if self._measured:
            mark = _kernel_bytes("VmHWM:")
            if mark is not None:
                self._peak[self._measured] = max(self._peak.get(self._measured, 0), mark)

    def peak_mb(self, phase: str) -> float | None:
        """Return the peak of a phase so far in 10⁶ bytes, or None where it was not measured."""
        if self._measured == phase:
            self._close()
        if phase not in self._peak:
            return None
        return round(max(0, self._peak[phase] - self._base[phase]) / MB, 3)
