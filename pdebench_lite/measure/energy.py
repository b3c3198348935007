"""Energy in joules: processor packages by RAPL, GPUs by NVML; nothing where neither can be read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pdebench_lite.measure import nvml

POWERCAP = Path("/sys/class/powercap")


@dataclass(frozen=True)
class Counter:
    """A counter of energy that only grows, but for starting again at its span.

    Attributes:
        read: returns the joules counted; raises OSError when it cannot.
        span: joules at which the counter starts again from zero; None if it never does.
    """

    read: Callable[[], float]
    span: float | None = None


def rapl(root: Path = POWERCAP) -> list[Counter]:
    """Return the counters of all processor packages and their memory.

    Packages and DRAM are added up; cores and other parts of a package are contained in it, and the
    whole platform (`psys`) contains the packages. All or nothing: without a part, the sum would
    mean something else. (Linux, Documentation/power/powercap/powercap.rst.)

    Args:
        root: the folder of the kernel's powercap zones.
    """
    counters = []
    for zone in sorted(root.glob("intel-rapl:*")):  # AMD's too; intel-rapl-mmio repeats a package
        try:
            if not (zone / "name").read_text().startswith(("package", "dram")):
                continue
            span = int((zone / "max_energy_range_uj").read_text()) / 1e6
            counter = Counter(lambda file=zone / "energy_uj": int(file.read_text()) / 1e6, span)  # type: ignore[misc]
            counter.read()
        except (OSError, ValueError):  # most systems let only root read it
            return []
        counters.append(counter)
    return counters


def gpu(device: str) -> list[Counter]:
    """Return the counter of the GPU that a cell uses; none on a CPU or without NVML.

    Args:
        device: `cpu` or `cuda:N`.
    """
    if nvml.joules(device) is None:
        return []

    def read() -> float:
        value = nvml.joules(device)
        if value is None:
            raise OSError(f"NVML no longer answers for {device}")
        return value

    return [Counter(read)]


class EnergyMeter:
    """Joules used between `start` and `stop`, which may alternate; the sum of several counters.

    It counts what the packages or the GPU use, whoever uses it. A counter that starts again is seen
    by its value having fallen; between two readings it may do so once, which takes tens of minutes:
    call `sample` more often than that.

    Args:
        counters: what is added up; none means that nothing is measured.
    """

    def __init__(self, counters: Sequence[Counter]) -> None:
        self._counters = tuple(counters)
        self._last: list[float] | None = None
        self._total = 0.0
        self._sound = bool(counters)

    def start(self) -> None:
        """Begin to count, or go on; no effect while counting."""
        if self._last is None and self._sound:
            self._last = self._read()

    def sample(self) -> None:
        """Take a reading, so that a counter that starts again is not missed."""
        if self._last is None:
            return
        now = self._read()
        if now is None:
            return
        for counter, before, after in zip(self._counters, self._last, now, strict=True):
            used = after - before
            if used < 0 and counter.span is not None:
                used += counter.span
            self._total += max(0.0, used)
        self._last = now

    def stop(self) -> float | None:
        """Stop counting; returns the joules so far, or None if they cannot be told."""
        self.sample()
        self._last = None
        return self.joules

    @property
    def joules(self) -> float | None:
        """Joules counted up to the last reading; None where nothing, or not all, was measured."""
        return round(self._total, 3) if self._sound else None

    def _read(self) -> list[float] | None:
        try:
            return [counter.read() for counter in self._counters]
        except (OSError, ValueError):
            self._sound = False
            return None
