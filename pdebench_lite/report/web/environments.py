"""Environments: the machines and versions that records were measured with."""

from collections.abc import Iterable, Sequence
from typing import Any

from pdebench_lite.analysis import Source
from pdebench_lite.analysis.wording import clean
from pdebench_lite.report.web.tables import Json
from pdebench_lite.store.records import Record

_LISTED = "installed"
_LENGTH = 2000


def environments(source: Source, records: Iterable[Record]) -> list[Json]:
    """Return each environment once: its facts, what was installed, which records name it."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(record.environment, []).append(record)
    return [_environment(source, digest, mine) for digest, mine in found.items()]


def _environment(source: Source, digest: str, records: Sequence[Record]) -> Json:
    stored = source.environment(digest) if digest else {}
    listed = stored.get(_LISTED)
    facts = {k: v for k, v in stored.items() if k != _LISTED}
    names = {clean(record.device_name) for record in records if record.device_name}
    return {
        "hash": clean(digest) or "unknown",
        "records": len(records),
        "methods": sorted({clean(record.method) for record in records}),
        "backends": sorted({clean(record.backend) for record in records}),
        "devices": sorted(names),
        "facts": [[clean(name), _words(value)] for name, value in facts.items()],
        "installed": [[clean(k), clean(v)] for k, v in listed.items()]
        if isinstance(listed, dict)
        else [],
    }


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{clean(k)}: {_words(v)}" for k, v in value.items())
    if isinstance(value, list):
        return ", ".join(_words(v) for v in value)
    return clean(value)[:_LENGTH]
