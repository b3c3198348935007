"""Where and when records were measured, in words."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from pdebench_lite.analysis.wording import clean
from pdebench_lite.store.records import Record
from pdebench_lite.text import counted

Environments: TypeAlias = Callable[[str], Mapping[str, Any]]
"""Hash of an environment -> what is stored under it; empty if it cannot be read."""

_MOST = 2  # machines that are named


def measured(records: Iterable[Record], environments: Environments) -> str:
    """Say when and on what machines records were measured; empty where neither is known.

    Args:
        records: finished cells.
        environments: where their environments are looked up.
    """
    records = list(records)
    days = sorted({record.started[:10] for record in records if record.started})
    when = f" {clean(days[0])}" if days else ""
    when += f" to {clean(days[-1])}" if len(days) > 1 else ""
    digests = dict.fromkeys(record.environment for record in records if record.environment)
    machines = list(dict.fromkeys(filter(None, map(_machine, map(environments, digests)))))
    named = " and ".join(machines[:_MOST])
    if len(machines) > _MOST:
        named += f" and {counted(len(machines) - _MOST, 'more machine')}"
    where = f" on {named}" if named else ""
    return f"measured{when}{where}" if when or where else ""


def _machine(environment: Mapping[str, Any]) -> str:
    """Describe a machine: `Intel Xeon, 2 cores, 8 GB, Linux-6.1`."""
    cores, logical = environment.get("cores"), environment.get("logical_cores")
    processors = counted(cores, "core") if cores else ""
    if logical and logical != cores:
        both = counted(logical, "thread")
        processors = f"{processors} ({both})" if cores else both
    ram = environment.get("ram_mb")
    gigabytes = f"{ram / 1000:.0f} GB" if isinstance(ram, int | float) else ""
    gpus = environment.get("gpus") or []
    system = re.match(r"\w+-[\d.]+", str(environment.get("os", "")))  # without its build
    named = system[0].replace("-", " ") if system else environment.get("os")
    parts = (environment.get("cpu"), processors, gigabytes, *gpus, named)
    return ", ".join(clean(part) for part in parts if part)
