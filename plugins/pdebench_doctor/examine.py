"""All checks in order."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from pdebench_doctor.clock import clock
from pdebench_doctor.devices import devices
from pdebench_doctor.finding import Finding
from pdebench_doctor.installed import installed
from pdebench_doctor.memory import memory
from pdebench_doctor.processor import processor
from pdebench_doctor.storage import storage
from pdebench_lite.registry.discovery import Registry


def examine(known: Registry, results: Path, probe: bool = False) -> Iterator[Finding]:
    """Yield what every check finds, one after the other.

    Args:
        known: what is installed.
        results: the results folder.
        probe: start each backend in a process of its own, which takes seconds.
    """
    return chain(
        installed(known), devices(known, probe), processor(), clock(), memory(), storage(results)
    )
