"""Tables among a record's details as text, such as the weights that a search tried."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pdebench_lite.analysis.wording import MISSING, clean
from pdebench_lite.report.searches import tables, taken_row

_MOST = 24  # rows


def tabulated(details: Mapping[str, Any]) -> Iterator[str]:
    """Yield each table: its name, the names of its columns, and numbered rows.

    A star marks the row of what was taken: of a number that the details hold under the name of a
    column. Of a long table, rows at equal distances are shown.
    """
    for name, table in tables(details).items():
        n = len(next(iter(table.values())))
        taken = taken_row(table, details)
        shown = set(np.linspace(0, n - 1, min(n, _MOST)).round().astype(int).tolist())
        shown |= set() if taken is None else {taken}
        rows = [["", "#", *map(clean, table)]]
        for i in sorted(shown):
            cells = (_text(column[i]) for column in table.values())
            rows.append(["*" if i == taken else "", str(i + 1), *cells])
        notes = [f"{len(shown)} of {n} rows"] if len(shown) < n else []
        notes += ["*: taken"] if taken is not None else []
        yield clean(name) + (f" ({'; '.join(notes)})" if notes else "")
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            line = "  ".join(f"{cell:>{w}}" for cell, w in zip(row, widths, strict=True))
            yield f"  {line}".rstrip()
        yield ""


def _text(value: float | None) -> str:
    return MISSING if value is None else f"{value:.3g}"
