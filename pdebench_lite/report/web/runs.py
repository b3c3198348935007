"""Runs: one row for every record, and for those that failed the end of their log."""

from collections.abc import Iterable, Mapping, Sequence

from pdebench_lite.analysis.wording import clean
from pdebench_lite.registry.quantity import Quantity
from pdebench_lite.report.quantities import known, metric, quantities
from pdebench_lite.report.sheet import Column, column
from pdebench_lite.report.web.tables import Cell, Json, cell_json, column_json
from pdebench_lite.store.records import LOG, Record, Store

LOGS = 200  # failures whose logs the page holds
_LINES, _BYTES = 40, 6000


def runs(records: Sequence[Record], ids: Mapping[str, int]) -> Json:
    """Return the table of all records.

    Args:
        records: finished cells, whatever their status.
        ids: cell -> number of its entrant on the page.
    """
    headline = list(dict.fromkeys(r.ranked[0] for r in records if r.ranked))
    metrics = list(dict.fromkeys([*headline, *(name for r in records for name in r.metrics)]))
    shown: list[tuple[Quantity, bool]] = []  # a column, and whether it is there before it is asked
    for of in quantities().values():
        if of.written != "json" and known(of, records):
            shown.append((of, "page" in of.tables))
        if of.name == "status":
            shown += [(metric(name), name in headline) for name in metrics]
    columns = [(column(of), of.facet, visible) for of, visible in shown]
    rows = [
        {"id": ids.get(r.cell), "cells": [_cell(c, r) for c, *_ in columns], "bold": []}
        for r in records
    ]
    return {
        "title": "Runs",
        "rules": [],
        "lines": [],
        "columns": [column_json(of, facet, visible) for of, facet, visible in columns],
        "groups": [{"heading": "", "rows": rows}],
    }


def _cell(of: Column, record: Record) -> Cell:
    text = of.cell(record)
    return text if of.value is None else cell_json(text, of.value(record))


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
