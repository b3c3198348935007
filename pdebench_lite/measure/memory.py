"""Host memory by the kernel's own account (Linux): high-water mark, reset, and what is in use."""

from collections.abc import Mapping
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_MEASURED = ("compile", "train")
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
    """Peak of resident host memory above what was in use when a phase was first entered.

    A phase may be entered many times. At each entry the kernel's high-water mark (VmHWM) is reset,
    and the base moves by what other phases have allocated or freed in between: so neither imports
    nor compilation nor the harness's own evaluations count as training.
    """

    def __init__(self) -> None:
        self._base: dict[str, int] = {}
        self._left: dict[str, int] = {}
        self._peak: dict[str, int] = {}
        self._measured = ""

    def enter(self, phase: str) -> None:
        """Note that a phase begins (or goes on); closes the measurement of the one before."""
        self._close()
        if self._measured:
            self._left[self._measured] = _kernel_bytes("VmRSS:") or 0
        self._measured = ""
        if phase in _MEASURED and _reset():
            resident = _kernel_bytes("VmRSS:")
            if resident is not None:
                moved = resident - self._left.get(phase, resident)
                self._base[phase] = self._base.get(phase, resident) + moved
                self._measured = phase

    def _close(self) -> None:
        mark = _kernel_bytes("VmHWM:") if self._measured else None
        if mark is not None:
            above = mark - self._base[self._measured]
            self._peak[self._measured] = max(self._peak.get(self._measured, 0), above)

    @property
    def peaks(self) -> dict[str, int]:
        """Peaks so far in bytes, by phase."""
        if self._measured:
            self._close()
        return dict(self._peak)

    def resume(self, peaks: Mapping[str, int]) -> None:
        """Go on from the peaks of an earlier process."""
        for phase, peak in peaks.items():
            self._peak[phase] = max(peak, self._peak.get(phase, 0))

    def peak_mb(self, phase: str) -> float | None:
        """Return the peak of a phase so far in 10⁶ bytes, or None where it was not measured."""
        if self._measured == phase:
            self._close()
        return round(self._peak[phase] / MB, 3) if phase in self._peak else None
