"""The histories of all records as one CSV: the numbers behind every curve."""

import csv
import io
from collections.abc import Callable, Iterable

import pandas as pd

from pdebench_lite.report.table import csv_text
from pdebench_lite.store.records import HISTORY, Record, Store, load_history, unreadable

_ABOUT = ("cell", "problem_label", "label", "backend", "seed", "status")


def histories_csv(store: Store, records: Iterable[Record], say: Callable[[str], None]) -> str:
    """Return one line per evaluation of each record; what was not measured is empty.

    Args:
        store: the results folder.
        records: which records, in which order.
        say: hears, in one line each, of histories that cannot be read.
    """
    frames = []
    for record in records:
        folder = store.folder(record.cell)
        if not (folder / HISTORY).is_file():
            continue
        try:
            frames.append((record, load_history(folder)))
        except Exception as error:  # Arrow has many ways to complain of a damaged file
            say(unreadable(folder / HISTORY, error))
    names = list(dict.fromkeys(str(name) for _, frame in frames for name in frame.columns))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*_ABOUT, *map(csv_text, names)])
    for record, frame in frames:
        about = [csv_text(getattr(record, name)) for name in _ABOUT]
        columns = [_plain(frame[n]) if n in frame else [""] * len(frame) for n in names]
        writer.writerows([*about, *row] for row in zip(*columns, strict=True))
    return out.getvalue()


def _plain(column: pd.Series) -> list[object]:
    return ["" if pd.isna(value) else csv_text(value) for value in column.tolist()]
