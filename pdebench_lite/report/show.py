"""One record in full, as text: what ran, how it ended, every number with its meaning, its files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.wording import MISSING, clean, count
from pdebench_lite.report.details import tabulated
from pdebench_lite.report.quantities import metric, quantities, told
from pdebench_lite.report.searches import tables
from pdebench_lite.report.trace import traced
from pdebench_lite.store.marks import by_package
from pdebench_lite.store.records import LOG, Record

_SECTIONS = {  # parts that are quantities alone, and their titles
    "times": "times (s)",
    "memory": "memory (MB, 10⁶ bytes)",
    "counts": "counts",
    "machine": "machine",
}
_OTHERS = ("cell", "metrics", "")
_LIBRARIES = ("pdebench-lite", "numpy", "scipy", "torch", "pytorch-lightning", "jax", "optax")
_MOMENTS, _LOG_LINES = 5, 20


def describe(record: Record, folder: Path) -> str:
    """Return one record in full, as plain lines that end with a newline.

    Args:
        record: the record.
        folder: its folder, whose parent is the results folder (environments lie beside it).
    """
    folder = Path(folder)
    blocks = [
        _what(record),
        ("settings", [(k, wording.as_json(v), "") for k, v in record.config.items()]),
        ("problem", [(k, wording.as_json(v), "") for k, v in record.problem_params.items()]),
        ("metrics", list(_metrics(record))),
        ("error over time (rel_l2)", list(_profile(record))),
        *_sections(record),
        ("costs", [(clean(k), count(v), "") for k, v in record.costs.items()]),
        ("threads of libraries", [(clean(k), count(v), "") for k, v in record.pools.items()]),
        ("set by the shell", [(clean(k), v, "") for k, v in record.variables.items()]),
        ("details", [(k, wording.as_json(v), "") for k, v in _plain(record.details).items()]),
        ("environment", list(_environment(record, folder.parent))),
        ("fingerprint", [(k, v, "") for k, v in by_package(record.fingerprint).items()]),
        (f"files in {clean(folder)}", list(_files(folder))),
    ]
    lines = [line for title, entries in blocks if entries for line in _block(title, entries)]
    lines += tabulated(record.details)
    lines += traced(record.details)
    if record.failed:
        lines += _log(folder)
    return "\n".join(lines) + "\n"


Entry = tuple[str, str, str]


def _sections(record: Record) -> Iterator[tuple[str, list[Entry]]]:
    """Yield the parts that are made of quantities, ours first."""
    found: dict[str, list[Entry]] = {section: [] for section in _SECTIONS}
    for quantity in quantities().values():
        if quantity.section not in _OTHERS:
            title = quantity.section in _SECTIONS  # it names the unit
            unit = "" if title or not quantity.unit else f" [{quantity.unit}]"
            entry = quantity.name, told(quantity, record), f"{quantity.meaning}{unit}"
            found.setdefault(quantity.section, []).append(entry)
    for section, entries in found.items():
        yield _SECTIONS.get(section, clean(section)), entries


def _plain(details: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is printed as a table of its own."""
    return {k: v for k, v in details.items() if k not in ("trace", *tables(details))}


def _block(title: str, entries: list[Entry]) -> Iterator[str]:
    """Yield a title and its aligned lines: name, value, meaning."""
    yield title
    names = [clean(name) for name, _, _ in entries]
    values = [clean(value) for _, value, _ in entries]
    left = max(map(len, names))
    middle = max(
        (len(v) for v, (_, _, text) in zip(values, entries, strict=True) if text), default=0
    )
    for name, value, (_, _, text) in zip(names, values, entries, strict=True):
        yield f"  {name:<{left}}  {value:<{middle}}  {clean(text)}".rstrip()
    yield ""


def _what(record: Record) -> tuple[str, list[Entry]]:
    title = f"{clean(record.problem_label)} · {clean(record.label)} · {clean(record.backend)}"
    mine = [q for q in quantities().values() if q.section == "cell"]
    lines = [(q.head, told(q, record), "") for q in mine]
    return title, [line for line in lines if line[1] not in ("", MISSING)]


def _metrics(record: Record) -> Iterator[Entry]:
    """Yield ranked metrics first, then the others, then the bounds that they are held against."""
    for name in dict.fromkeys([*record.ranked, *record.metrics]):
        of = metric(name)
        unit = f" [{of.unit}]" if of.unit else ""
        rank = "ranked: " if name in record.ranked else ""
        value = wording.error_text(of.value(record))
        mark = " (≤ bound)" if wording.at_bound(record, name) else ""
        yield name, value + mark, f"{rank}{of.meaning or 'not installed here'}{unit}"
    for of in quantities().values():
        if of.section == "metrics" and (of.when == "always" or of.value(record) is not None):
            yield of.name, told(of, record), of.meaning


def _profile(record: Record) -> Iterator[Entry]:
    times, errors = record.profile.get("t", []), record.profile.get("rel_l2", [])
    last = min(len(times), len(errors)) - 1
    for i in dict.fromkeys(np.linspace(0, last, _MOMENTS).round().astype(int) if last >= 0 else ()):
        yield f"t = {times[i]:g}", wording.error_text(errors[i]), ""


def _environment(record: Record, results: Path) -> Iterator[Entry]:
    """Yield machine and versions, looked up by hash in the results folder."""
    if not record.environment:
        return
    yield "hash", record.environment, ""
    path = results / "environments" / f"{record.environment}.json"
    try:
        stored: Any = json.loads(path.read_text(encoding="utf-8"))
        installed = dict(stored["installed"])
    except (OSError, ValueError, KeyError, TypeError):
        yield "missing", f"{path} cannot be read", ""
        return
    for name in ("cpu", "cores", "logical_cores", "ram_mb", "os", "python"):
        if name in stored:
            yield name, str(stored[name]), ""
    for name in _LIBRARIES:
        if name in installed:
            yield name, str(installed[name]), ""


def _files(folder: Path) -> Iterator[Entry]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_file():
            yield path.name, f"{path.stat().st_size / 1e3:.1f} kB", ""


def _log(folder: Path) -> list[str]:
    try:
        text = (folder / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ["no log"]
    lines = [
        clean(line) if not line[:1].isspace() else f"  {clean(line)}" for line in text.splitlines()
    ]
    return [f"last lines of {LOG}", *(f"  {line}" for line in lines[-_LOG_LINES:])]
