"""Comparisons for people, spreadsheets, papers and programs."""

import json
from collections.abc import Collection

from pdebench_lite.analysis import Comparison
from pdebench_lite.errors import unknown_name
from pdebench_lite.report._latex import latex
from pdebench_lite.report._markdown import markdown
from pdebench_lite.report._text import text
from pdebench_lite.report.comparison.numbers import as_csv, as_json
from pdebench_lite.report.comparison.sheets import TABLES, sheets
from pdebench_lite.report.table import FORMATS, terminal_width

__all__ = ["TABLES", "render_comparison"]


def render_comparison(
    comparison: Comparison,
    format: str = "text",
    verbose: bool = False,
    width: int | None = None,
    color: bool = False,
    only: Collection[str] = (),
) -> str:
    """Write a comparison; the text ends with a newline.

    Args:
        comparison: what `compare` made.
        format: `text`, `md` (GitHub), `latex` (booktabs): tables; `csv`: one line per number, so
            that spreadsheets can pivot it; `json`: everything.
        verbose: add every pair and the conditions of every row. csv and json have them anyway.
        width: of `text`, in characters; by default the terminal's.
        color: whether `text` may hold terminal colours.
        only: which of `TABLES` are written; empty means all. csv and json have them all.

    Raises:
        PdebenchError: an unknown format or table.
    """
    if format == "json":
        return json.dumps(as_json(comparison), indent=1, allow_nan=False) + "\n"
    if format == "csv":
        return as_csv(comparison)
    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    once = format == "text"  # a terminal shows tables below each other, a paper each by itself
    made = list(sheets(comparison, verbose, once, only))
    if format == "md":
        return markdown(made)
    return latex(made) if format == "latex" else text(made, width or terminal_width(), color)
