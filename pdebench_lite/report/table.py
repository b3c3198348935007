"""Tables of records: `rows` for programs, `render` for people, spreadsheets and papers."""

import csv
import io
import json
import shutil
import sys
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias, get_args

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.provenance import Environments
from pdebench_lite.errors import unknown_name
from pdebench_lite.report._latex import latex
from pdebench_lite.report._markdown import markdown
from pdebench_lite.report._text import text
from pdebench_lite.report.quantities import flat, further, quantities
from pdebench_lite.report.sheet import sheets
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import Record

Format: TypeAlias = Literal["text", "csv", "md", "latex", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)

_PIPE_WIDTH = 120  # columns where the output is no terminal
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def rows(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return records as JSON objects; never NaN.

    They have every key of the record, `schema`, `rel_l2`, and what follows from the record.
    """
    more = further()
    return [
        wording.finite({**{q.name: q.value(record) for q in more}, **record.row()})
        for record in records
    ]


def render(
    records: Iterable[Record],
    format: str = "text",
    verbose: bool = False,
    metrics: Iterable[str] = (),
    width: int | None = None,
    color: bool = False,
    environments: Environments = lambda digest: {},
    by_task: bool = False,
) -> str:
    """Write records as a table; the text ends with a newline.

    Args:
        records: finished cells, whatever their status; their order is kept.
        format: `text` (a table per problem), `csv`, `md` (GitHub), `latex` (booktabs) or `json`.
        verbose: add cell hash, seed, dtype, device, whole reasons and every metric. csv and json
            are complete without it.
        metrics: names that replace the ranked metrics (json keeps all).
        width: of `text`, in characters; by default the terminal's, or 120 where there is none.
        color: whether `text` may hold terminal colours.
        environments: where the machines are looked up that the records were measured on.
        by_task: one table for each task, with a column for each parameter that differs.

    Raises:
        PdebenchError: an unknown format or metric.
    """
    records, wanted = list(records), list(metrics)
    wording.shown_metrics(records, wanted)
    if format == "json":
        return json.dumps(rows(records), indent=1, allow_nan=False) + "\n"
    if format == "csv":
        return _csv(records, wanted)
    made = sheets(records, verbose, wanted, environments, by_task)
    if format == "md":
        return markdown(made)
    if format == "latex":
        return latex(made)
    if format == "text":
        return text(made, width or terminal_width(), color, verbose)
    raise unknown_name("format", format, FORMATS)


def terminal_width() -> int:
    """Return the columns of the terminal, or a fixed number where the output is none."""
    if sys.stdout.isatty():
        return shutil.get_terminal_size().columns
    return _PIPE_WIDTH


# ---- csv -------------------------------------------------------------------------------------


def _csv(records: list[Record], wanted: list[str]) -> str:
    """Write flat columns: metrics spread, the budget too, settings as JSON, `sees` in words."""
    names = wanted or list(dict.fromkeys(m for record in records for m in record.metrics))
    lines = [_flat(row, record, names) for row, record in zip(rows(records), records, strict=True)]
    head = list(lines[0]) if lines else [*_flat_keys(), *names]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([csv_text(name) for name in head])
    writer.writerows([csv_text(line[name]) for name in head] for line in lines)
    return out.getvalue()


def _flat(row: dict[str, Any], record: Record, names: list[str]) -> dict[str, Any]:
    values = row | row["budget"]
    held = quantities()
    flat_row = {
        key: flat(held[key], record) if key in held else values[key] for key in _flat_keys()
    }
    for name in names:  # a stranger's metric may be called `status`
        key = name if name not in flat_row else f"metrics.{name}"
        flat_row[key] = row["metrics"].get(name)
    return flat_row


def _flat_keys() -> list[str]:
    """Return the columns: all but metrics and curves, which json has; then what follows from it."""
    left_out = ("schema_version", "metrics", "profile", "bands")
    keys = [k for k in Record.model_fields if k not in left_out]
    at = keys.index("budget")
    more = [quantity.name for quantity in further()]
    return ["schema", *keys[:at], *Budget.model_fields, *keys[at + 1 :], *more]


def csv_text(value: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula; numbers stay numbers."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    return f"'{clean}" if (clean := _one_line(value)).startswith(_FORMULA) else clean


def _one_line(value: str) -> str:
    return value if value[:1] in ("\t", "\r") else wording.clean(value)
