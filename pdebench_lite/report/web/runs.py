"""Runs: one row for every record, and for those that failed the end of their log."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.wording import amount, clean, count
from pdebench_lite.report.sheet import Column
from pdebench_lite.report.web.tables import Cell, Json, cell_json, column_json
from pdebench_lite.store.records import LOG, Record, Store

LOGS = 200  # failures whose logs the page holds
_LINES, _BYTES = 40, 6000
_FACETS = ("problem", "backend", "status")
_HIDDEN = ("cell", "sees", "dtype", "device", "budget", "compile", "evaluations", "threads",
           "at once", "resumed", "started", "environment")  # fmt: skip

_COLUMNS: tuple[tuple[Column, Callable[[Record], float | None] | None], ...] = (
    (Column("cell", "word", lambda r: clean(r.cell)), None),
    (Column("problem", "name", lambda r: clean(r.problem_label)), None),
    (Column("method", "name", lambda r: clean(r.label)), None),
    (Column("backend", "word", lambda r: clean(r.backend)), None),
    (Column("seed", "number", lambda r: str(r.seed)), lambda r: r.seed),
    (Column("status", "status", lambda r: r.status), None),
)
_MORE: tuple[tuple[Column, Callable[[Record], float | None] | None], ...] = (
    (Column("charged", "number", lambda r: amount(r.charged_s), "s"), lambda r: r.charged_s),
    (Column("compile", "number", lambda r: amount(r.compile_s), "s"), lambda r: r.compile_s),
    (
        Column("memory", "number", lambda r: amount(r.peak_host_mb), "MB"),
        lambda r: r.peak_host_mb,
    ),
    (
        Column("device memory", "number", lambda r: amount(r.peak_device_mb), "MB"),
        lambda r: r.peak_device_mb,
    ),
    (Column("params", "number", lambda r: count(r.params)), lambda r: r.params),
    (Column("steps", "number", lambda r: count(r.steps)), lambda r: r.steps),
    (Column("evaluations", "number", lambda r: count(r.evaluations)), lambda r: r.evaluations),
    (Column("dtype", "word", lambda r: clean(r.dtype)), None),
    (Column("device", "word", lambda r: clean(r.device)), None),
    (Column("budget", "word", lambda r: wording.budget_text(r.budget)), None),
    (Column("threads", "number", wording.threads_text), lambda r: r.threads),
    (Column("at once", "number", lambda r: str(r.concurrency)), lambda r: r.concurrency),
    (Column("host took", "number", lambda r: wording.stolen_text([r], 0.0)), lambda r: r.steal),
    (Column("waited", "number", lambda r: wording.waited_text([r], 0.0)), lambda r: r.waited),
    (Column("shell sets", "name", lambda r: wording.variables_text([r])), None),
    (Column("resumed", "number", lambda r: str(r.resumed)), lambda r: r.resumed),
    (Column("sees", "sees", lambda r: wording.sees_text(r.sees)), None),
    (Column("started", "word", lambda r: clean(r.started)), None),
    (Column("environment", "word", lambda r: clean(r.environment)), None),
    (Column("reason", "name", lambda r: clean(r.reason)), None),
)


def runs(records: Sequence[Record], ids: Mapping[str, int]) -> Json:
    """Return the table of all records.

    Args:
        records: finished cells, whatever their status.
        ids: cell -> number of its entrant on the page.
    """
    headline = list(dict.fromkeys(r.ranked[0] for r in records if r.ranked))
    metrics = list(dict.fromkeys([*headline, *(name for r in records for name in r.metrics)]))
    columns = [*_COLUMNS, *map(_metric, metrics), *_MORE]
    blank = {c.head for c, _ in columns if all(c.cell(r) in ("", wording.MISSING) for r in records)}
    columns = [pair for pair in columns if pair[0].head not in blank]
    hidden = {*_HIDDEN, *(clean(name) for name in metrics if name not in headline)}
    rows = [
        {"id": ids.get(r.cell), "cells": [_cell(c, key, r) for c, key in columns], "bold": []}
        for r in records
    ]
    return {
        "title": "Runs",
        "rules": [],
        "lines": [],
        "columns": [
            column_json(c, c.head in _FACETS, shown=c.head not in hidden) for c, _ in columns
        ],
        "groups": [{"heading": "", "rows": rows}],
    }


def _metric(name: str) -> tuple[Column, Callable[[Record], float | None]]:
    column = Column(clean(name), "error", lambda r: wording.metric_text(r, name))
    return column, lambda r: r.metrics.get(name)


def _cell(column: Column, key: Callable[[Record], float | None] | None, record: Record) -> Cell:
    text = column.cell(record)
    return text if key is None else cell_json(text, key(record))


def failures(records: Iterable[Record], store: Store, ids: Mapping[str, int]) -> list[Json]:
    """Return what failed or was refused; the first `LOGS` with the end of their logs."""
    bad = sorted((r for r in records if r.status != "ok"), key=lambda r: not r.failed)
    return [
        {
            "id": ids.get(record.cell),
            "cell": record.cell,
            "problem": clean(record.problem_label),
            "method": clean(record.label),
            "backend": clean(record.backend),
            "seed": record.seed,
            "status": record.status,
            "reason": clean(record.reason),
            "log": _tail(store, record) if place < LOGS else None,
        }
        for place, record in enumerate(bad)
    ]


def _tail(store: Store, record: Record) -> str:
    """Return the last lines of a log; a long one is read from its end only."""
    try:
        with (store.folder(record.cell) / LOG).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _BYTES, 0))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    lines = [
        f"{' ' * (len(line) - len(line.lstrip(' ')))}{clean(line)}" for line in text.splitlines()
    ]
    return "\n".join(lines[-_LINES:])
