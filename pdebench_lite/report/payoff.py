"""The table of what training on a family costs, and after how many solves it pays off."""

from math import isinf

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.payoff import Payoff
from pdebench_lite.report._markdown import markdown
from pdebench_lite.report._text import text
from pdebench_lite.report.sheet import Column, Row, Sheet
from pdebench_lite.report.table import terminal_width

_MS = 1e3


def render_payoffs(found: list[Payoff], format: str = "text", width: int | None = None) -> str:
    """Write one table for each problem; `text` or `md`. The text ends with a newline."""
    labels = dict.fromkeys(p.record.problem_label for p in found)
    made = [
        _sheet(label, [p for p in found if p.record.problem_label == label]) for label in labels
    ]
    return markdown(made) if format == "md" else text(made, width or terminal_width())


def _sheet(label: str, found: list[Payoff]) -> Sheet:
    columns = [
        Column("method", "name", lambda p: wording.clean(p.record.label)),
        Column("backend", "word", lambda p: p.record.backend),
        Column("seed", "number", lambda p: str(p.record.seed)),
        Column(found[0].record.ranked[0], "error", lambda p: wording.error_text(p.error)),
        Column("data", "number", lambda p: wording.amount(p.record.data_s), "s"),
        Column("training", "number", _training, "s"),
        Column("each", "number", lambda p: wording.amount(_MS * p.each), "ms"),
        Column("classical, as good", "name", _classical),
        Column("its each", "number", _classical_each, "ms"),
        Column("pays off after", "number", _solves, "solves"),
    ]
    return Sheet(
        title=f"{wording.clean(label)}: when training pays off",
        conditions=[
            "training = compile + train",
            "classical, as good: the cheapest untrained record with no larger error",
            "pays off after (data + training)/(its each − each) solves",
        ],
        columns=columns,
        blocks=[("", [Row([column.cell(p) for column in columns]) for p in found])],
    )


def _training(p: Payoff) -> str:
    return wording.amount(p.once - (p.record.data_s or 0.0))


def _classical(p: Payoff) -> str:
    if p.classical is None:
        return "no record"
    return wording.clean(p.classical.label)


def _classical_each(p: Payoff) -> str:
    each = p.classical_each
    return wording.MISSING if each is None else wording.amount(_MS * each)


def _solves(p: Payoff) -> str:
    if p.solves is None:
        return wording.MISSING
    return "never" if isinf(p.solves) else f"{p.solves:.3g}"
