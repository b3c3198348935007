"""One record in full, as text: what ran, how it ended, every number with its meaning, its files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.wording import MISSING, amount, clean, count
from pdebench_lite.report.details import tabulated
from pdebench_lite.report.searches import tables
from pdebench_lite.report.trace import traced
from pdebench_lite.store.marks import by_package
from pdebench_lite.store.records import LOG, Record

_TIMES = (
    ("setup_s", "imports, reference, plan; not charged"),
    ("data_s", "drawing and preparing data"),
    ("compile_s", "first calls of compiled functions"),
    ("train_s", "steps"),
    ("charged_s", "data + compile + train"),
    ("evaluate_s", "scoring; not charged"),
    ("predict_s", "answering the final query; part of evaluate"),
    ("resume_s", "data and compilation done again after a kill; not charged"),
    ("wall_s", "the whole cell"),
)
_MEMORY = (
    ("peak_host_mb", "peak of the host above its start, while training"),
    ("compile_peak_host_mb", "the same while compiling"),
    ("peak_device_mb", "peak of the device's allocator"),
    ("process_device_mb", "what the driver says the process held at its end"),
)
_COUNTS = (
    ("params", "trained parameters or degrees of freedom"),
    ("steps", "accepted updates, or time steps"),
    ("evaluations", "value-and-gradient calls"),
    ("resumed", "times that the cell went on from a checkpoint"),
    ("restarted", "times that it began anew after a kill"),
)
_MACHINE = (
    ("processors", "processors that it was given"),
    ("threads", "threads that its library used"),
    ("concurrency", "most cells at work on the machine at once"),
    ("load_start", "load average at the start"),
    ("load_end", "load average at the end"),
    ("steal", "share of the processors that the host kept while charged"),
    ("waited", "share of the processor time it wanted while charged that other programs had"),
    ("energy_j", "joules of packages or GPU while charged, whoever used them"),
)
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
        ("times (s)", [(k, amount(getattr(record, k)), text) for k, text in _TIMES]),
        ("memory (MB, 10⁶ bytes)", [(k, amount(getattr(record, k)), t) for k, t in _MEMORY]),
        ("counts", [(k, count(getattr(record, k)), text) for k, text in _COUNTS]),
        ("costs", [(clean(k), count(v), "") for k, v in record.costs.items()]),
        ("machine", [(k, _number(getattr(record, k)), text) for k, text in _MACHINE]),
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


def _number(value: float | None) -> str:
    return count(value) if isinstance(value, int) else amount(value)


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
    lines = [
        ("cell", record.cell, ""),
        ("status", record.status, ""),
        ("reason", record.reason, ""),
        ("family", record.family, ""),
        ("seed", str(record.seed), ""),
        ("budget", wording.budget_text(record.budget), ""),
        ("saw", wording.sees_text(record.sees), ""),
        ("device", f"{record.device} {_beside(record)}".strip(), ""),
        ("dtype", record.dtype, ""),
        ("threads", count(record.threads), ""),
        ("started", record.started, ""),
    ]
    if record.target_reached is not None:
        lines.append(("target", "reached" if record.target_reached else "not reached", ""))
    title = f"{clean(record.problem_label)} · {clean(record.label)} · {clean(record.backend)}"
    return title, [line for line in lines if line[1] and line[1] != MISSING]


def _beside(record: Record) -> str:
    name = clean(record.device_name)
    return f"({name})" if name and name != record.device else ""


def _metrics(record: Record) -> Iterator[Entry]:
    """Yield ranked metrics first, then the others, then the bounds that they are held against."""
    for name in dict.fromkeys([*record.ranked, *record.metrics]):
        metric = wording.metric_named(name)
        unit = f" [{metric.unit}]" if metric and metric.unit != "dimensionless" else ""
        rank = "ranked: " if name in record.ranked else ""
        value = wording.error_text(record.metrics.get(name))
        mark = " (≤ bound)" if wording.at_bound(record, name) else ""
        yield name, value + mark, f"{rank}{wording.meaning(name) or 'not installed here'}{unit}"
    kind = f" ({record.reference_kind})" if record.reference_kind else ""
    about = f"error of the reference{kind}"
    yield "reference_bound", wording.error_text(record.reference_bound), about
    if record.carried_bound is not None:
        value = wording.error_text(record.carried_bound)
        yield "carried_bound", value, "error made in carrying the found unknowns"


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
