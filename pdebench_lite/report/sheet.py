"""Sheet: the table of one problem as plain text cells, before any format dresses it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, Literal, TypeAlias

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.provenance import Environments, measured
from pdebench_lite.analysis.remark import Remark
from pdebench_lite.analysis.wording import MISSING, clean
from pdebench_lite.registry.quantity import Quantity
from pdebench_lite.report.quantities import known, metric, quantities, written
from pdebench_lite.store.records import Record

Kind: TypeAlias = Literal["name", "word", "status", "error", "interval", "number", "sees"]


@dataclass(frozen=True)
class Column:
    """One column: its heading, unit, kind (which decides how it is set) and where it comes from.

    `interval` is a number with its interval. `cell` maps what a row stands for to its text; `value`
    to what the web page sorts it by, a number or an estimate.
    """

    head: str
    kind: Kind
    cell: Callable[[Any], str]
    unit: str = ""
    value: Callable[[Any], Any] | None = None

    @property
    def numeric(self) -> bool:
        """Whether cells are set to the right."""
        return self.kind in ("error", "interval", "number")


def telling(columns: Iterable[Column], things: Iterable[Any], *heads: str) -> list[Column]:
    """Leave out those of the named columns that tell nothing of any of the rows."""
    things = list(things)
    return [
        column
        for column in columns
        if column.head not in heads or any(column.cell(t) not in ("", MISSING) for t in things)
    ]


def parameter_columns(names: Sequence[str], record: Callable[[Any], Record]) -> list[Column]:
    """Return a column for each parameter of the problem that differs from row to row.

    Args:
        names: the parameters.
        record: what a row stands for -> a record of it.
    """

    def column(name: str) -> Column:
        return Column(clean(name), "number", lambda row: wording.parameter_text(record(row), name))

    return [column(name) for name in names]


def by_what(names: Sequence[str]) -> str:
    """Say, within a title, that a table holds a problem for several values of parameters."""
    return f" by {', '.join(map(clean, names))}" if names else ""


@dataclass(frozen=True)
class Row:
    """One row of the table.

    Attributes:
        cells: one text per column.
        status: of the record, if the row is one.
        note: number of its note; 0 for none.
        bold: numbers of the cells that are set in bold.
    """

    cells: list[str]
    status: str = ""
    note: int = 0
    bold: frozenset[int] = frozenset()


@dataclass
class Sheet:
    """The table of one problem.

    Attributes:
        title: problem label and what its headline metric means.
        conditions: what holds for every row: bound of the reference, budget, threads, device.
        columns: the columns, `sees` last.
        blocks: heading (who was given labels) and its rows, in the order of the records.
        saw: methods and what they saw, for formats without room for the column.
        lines: further lines under the title that a caption has no room for.
        notes: reasons of rows without a result; note n is `notes[n - 1]`.
        legend: metric and meaning of every metric shown.
    """

    title: str
    conditions: list[str]
    columns: list[Column]
    blocks: list[tuple[str, list[Row]]]
    saw: list[tuple[str, str]] = field(default_factory=list)
    lines: list[Remark] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    legend: list[tuple[str, str]] = field(default_factory=list)


def sheets(
    records: Iterable[Record],
    verbose: bool = False,
    metrics: Iterable[str] = (),
    environments: Environments = lambda digest: {},
    by_task: bool = False,
) -> Iterator[Sheet]:
    """Yield one sheet for each problem label, in the order of the records.

    Args:
        records: finished cells, whatever their status.
        verbose: add cell hash, seed, dtype, device and every metric.
        metrics: names that replace the ranked metrics.
        environments: where the machines are looked up that the records were measured on.
        by_task: one sheet for each task instead, its rows sorted by the parameters that differ.

    Raises:
        PdebenchError: a metric is unknown.
    """
    records, wanted = list(records), list(metrics)
    groups: dict[str, list[Record]] = {}
    for record in records:
        label = record.problem_label
        groups.setdefault(label.partition("[")[0] if by_task else label, []).append(record)
    for label, mine in groups.items():
        parameters = wording.varied_parameters(mine) if by_task else []
        mine.sort(key=wording.parameter_order(parameters))
        shown = wording.shown_metrics(mine, wanted)
        if verbose and not wanted:
            shown = list(dict.fromkeys([*shown, *(m for record in mine for m in record.metrics)]))
        sheet = _sheet(label, mine, shown, verbose, parameters)
        sheet.conditions += filter(None, [measured(mine, environments)])
        yield sheet


def _sheet(
    label: str,
    records: list[Record],
    metrics: list[str],
    verbose: bool,
    parameters: Sequence[str],
) -> Sheet:
    conditions, varying = _conditions(records)
    columns = parameter_columns(parameters, lambda record: record)
    columns += _columns(records, metrics, varying, verbose)
    reasons = list(dict.fromkeys(clean(r.reason) for r in records if _needs_note(r)))
    blocks = [
        (heading, [_row(r, columns, reasons) for r in records if wording.given_labels(r) is given])
        for heading, given in ((wording.WITH_LABELS, True), (wording.WITHOUT_LABELS, False))
    ]
    title = clean(label) + by_what(parameters)
    for name in metrics[:1]:
        title += f": {clean(name)}" + (f", {text}" if (text := wording.meaning(name)) else "")
    conditions.append("charged = data + compile + train")
    if any(wording.at_bound(r, m) for r in records for m in metrics):
        conditions.append(f"{wording.AT_BOUND}: no larger than the reference's own error bound")
    return Sheet(
        title=title,
        conditions=conditions,
        columns=columns,
        blocks=[block for block in blocks if block[1]],
        saw=_who_saw_what(records),
        notes=reasons,
        legend=[(clean(name), wording.meaning(name)) for name in metrics],
    )


def _needs_note(record: Record) -> bool:
    return record.status != "ok" and bool(clean(record.reason))


def _row(record: Record, columns: list[Column], reasons: list[str]) -> Row:
    note = reasons.index(clean(record.reason)) + 1 if _needs_note(record) else 0
    return Row([column.cell(record) for column in columns], record.status, note)


# ---- columns: from the list of quantities ------------------------------------------------------

_KINDS: dict[str, Kind] = {
    "error": "error", "amount": "number", "count": "number", "share": "number", "word": "word",
    "text": "name", "json": "name",
}  # fmt: skip
_OWN_KINDS: dict[str, Kind] = {"status": "status", "sees": "sees"}


def column(quantity: Quantity) -> Column:
    """Return the column of a quantity in a table whose rows are records."""
    kind = _OWN_KINDS.get(quantity.name) or _KINDS[quantity.written]
    unit = "" if kind == "error" else quantity.unit  # errors are told by their metric's name
    return Column(
        quantity.head, kind, partial(written, quantity), unit,
        quantity.value if quantity.numeric else None,
    )  # fmt: skip


def _conditions(records: list[Record]) -> tuple[list[str], set[str]]:
    """Return what holds for all records, in words, and the names of the quantities that vary."""
    lines, varying = [wording.bounds_text(records)], set()
    for quantity in quantities().values():
        if quantity.when not in ("varies", "several"):
            continue
        values = {written(quantity, record) for record in records}
        if len(values) > 1:
            varying.add(quantity.name)
        elif quantity.when == "varies" and (text := values.pop()) not in ("", MISSING):
            lines.append(f"{quantity.head} {text}")
    names = dict.fromkeys(clean(r.device_name) for r in records if r.device_name)
    lines += [name for name in names if name not in {r.device for r in records}]
    if any(r.concurrency > 1 for r in records):
        lines.append("times of cells that ran side by side do not compare with those of lone runs")
    if wording.stolen_text(records):
        lines.append(wording.HOST_TOOK)
    if wording.waited_text(records):
        lines.append(wording.WAITED)
    places = {r.environment for r in records if r.environment}
    if len(places) > 1:
        lines.append(f"measured in {len(places)} environments, so times are not comparable")
    return lines, varying


def _columns(
    records: list[Record], metrics: list[str], varying: set[str], verbose: bool
) -> Iterator[Column]:
    """Yield the columns: quantities in their order, metrics after the status."""
    for quantity in quantities().values():
        asked = verbose and "verbose" in quantity.tables
        if quantity.when in ("varies", "several"):
            wanted = asked or ("records" in quantity.tables and quantity.name in varying)
        else:
            wanted = asked or "records" in quantity.tables
            wanted = wanted and (quantity.when == "always" or known(quantity, records))
        if wanted:
            yield column(quantity)
        if quantity.name == "status":
            yield from (column(metric(name)) for name in metrics)


def _who_saw_what(records: list[Record]) -> list[tuple[str, str]]:
    """Group methods by what they saw; backends are named only where they differ."""
    seen: dict[str, list[str]] = {}
    ran = sorted((r for r in records if r.sees), key=lambda r: r.label)
    for label, group in groupby(ran, key=lambda r: r.label):
        mine = list(group)
        alike = len({wording.sees_text(r.sees) for r in mine}) == 1
        for record in mine[:1] if alike else mine:
            name = clean(label) if alike else f"{clean(label)} · {clean(record.backend)}"
            names = seen.setdefault(wording.sees_text(record.sees), [])
            if name not in names:
                names.append(name)
    return [(", ".join(names), text) for text, names in seen.items()]
