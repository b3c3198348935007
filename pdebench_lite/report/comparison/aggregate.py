"""Table `pdebench table --aggregate`: a row per method and conditions, statistics over seeds."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import inf, isfinite
from typing import Any

from pdebench_lite.analysis import Comparison, wording
from pdebench_lite.analysis.comparison import Block, ProblemComparison
from pdebench_lite.analysis.standings import Standing
from pdebench_lite.analysis.statistics import Estimate, estimate, mean, median, rms, share
from pdebench_lite.analysis.success import success
from pdebench_lite.analysis.wording import MISSING, clean
from pdebench_lite.errors import unknown_name
from pdebench_lite.report._latex import latex
from pdebench_lite.report._markdown import markdown
from pdebench_lite.report._text import text
from pdebench_lite.report.comparison.cells import (
    error_cell,
    level_text,
    probability_cell,
    ratio_cell,
    seeds_cell,
)
from pdebench_lite.report.comparison.conditions import conditions_of
from pdebench_lite.report.comparison.sheets import over_what, remarks, statistics_in_words
from pdebench_lite.report.comparison.standing_sheet import (
    charged_in_words,
    entrant_columns,
    quantity_column,
    rank_column,
    success_columns,
    success_in_words,
)
from pdebench_lite.report.quantities import (
    LAST,
    columns_of,
    described,
    metric,
    over_seeds,
    quantities,
)
from pdebench_lite.report.sheet import (
    Column,
    Row,
    Sheet,
    by_what,
    parameter_columns,
    telling,
)
from pdebench_lite.report.table import FORMATS, csv_text, terminal_width
from pdebench_lite.store.records import Record

_OVER_SEEDS = {
    "mean": "mean over seeds",
    "rms": "rms over seeds",
    "share": "share of seeds, with Wilson's interval",
}


def render_aggregate(
    comparison: Comparison,
    format: str = "text",
    metrics: Iterable[str] = (),
    width: int | None = None,
    color: bool = False,
) -> str:
    """Write medians over seeds, ranked within equal data; the text ends with a newline.

    Args:
        comparison: what `compare` made.
        format: `text`, `md` (GitHub), `latex` (booktabs): tables; `csv`, `json`: one row each.
        metrics: names that replace the ranked metrics.
        width: of `text`, in characters; by default the terminal's.
        color: whether `text` may hold terminal colours.

    Raises:
        PdebenchError: an unknown format or metric.
    """
    if format not in FORMATS:
        raise unknown_name("format", format, FORMATS)
    wanted = list(metrics)
    if format in ("csv", "json"):
        rows = [row for problem in comparison.problems for row in _rows(problem, wanted)]
        if format == "csv":
            return _csv(rows)
        return json.dumps(rows, indent=1, allow_nan=False) + "\n"
    made = [_sheet(problem, wanted) for problem in comparison.problems]
    if format == "md":
        return markdown(made)
    return latex(made) if format == "latex" else text(made, width or terminal_width(), color)


def _over_seeds(standing: Standing, name: str) -> Estimate | None:
    """Return what sums a metric up over seeds; a failed run, or a missing value, is ∞.

    None where a metric that is no error is missing in every run: an interval that nobody stated.
    """
    records, kind = standing.entrant.records, _kind(name)
    if kind != "median" and all(r.metrics.get(name) is None for r in records):
        return None

    def value(record: Record) -> float:
        found = None if record.failed else record.metrics.get(name)
        return inf if found is None else max(found, wording.bound_of(record, name) or 0.0)

    values = [value(record) for record in records]
    if kind == "share":
        return share(values)
    return estimate([values], {"mean": mean, "rms": rms}.get(kind, median))


def _kind(name: str) -> str:
    return metric(name).over_seeds


def _shown(problem: ProblemComparison, wanted: list[str]) -> list[str]:
    """Return the metrics of the table, the one that ranks first, those of many seeds last."""
    records = problem.contest.records
    ranked = wording.shown_metrics(records, wanted)
    over_seeds = [name for r in records for name in r.metrics if _kind(name) != "median"]
    return wanted or list(dict.fromkeys([problem.contest.metric, *ranked, *over_seeds]))


# ---- for people ------------------------------------------------------------------------------


def _sheet(problem: ProblemComparison, wanted: list[str]) -> Sheet:
    headline = problem.contest.metric
    names = _shown(problem, wanted)
    everyone = [standing for block in problem.blocks for standing in block.standings]
    columns = telling(list(_columns(problem, names)), everyone, "rank", "unequal")
    bold = {i for i, column in enumerate(columns) if column.head in ("rank", clean(headline))}
    blocks = [
        (
            block.heading,
            [
                Row([c.cell(s) for c in columns], bold=frozenset(bold if s.best else ()))
                for s in block.standings
            ],
        )
        for block in problem.blocks
        if block.standings
    ]
    meaning = wording.meaning(headline)
    label = clean(problem.contest.label) + by_what(problem.parameters)
    return Sheet(
        title=f"{label}: medians over {over_what(problem)}, best {clean(headline)} first"
        + (f" ({meaning})" if meaning else ""),
        conditions=[
            *conditions_of(problem),
            *(["ranks within each problem"] if problem.parameters else []),
            *statistics_in_words(problem),
            *(f"{clean(n)}: {_OVER_SEEDS[_kind(n)]}" for n in names if _kind(n) in _OVER_SEEDS),
            *success_in_words(problem),
            charged_in_words(),
        ],
        columns=columns,
        blocks=blocks,
        lines=remarks(problem),
        legend=[(clean(name), wording.meaning(name)) for name in names],
    )


def _columns(problem: ProblemComparison, metrics: Sequence[str]) -> Iterator[Column]:
    records = problem.contest.records
    yield rank_column()
    yield from parameter_columns(problem.parameters, lambda s: s.entrant.record)
    yield from entrant_columns()
    yield Column("unequal", "name", lambda s: ", ".join(problem.marks(s.entrant)))
    head = "runs" if problem.contest.over else "seeds"
    yield Column(head, "word", lambda s: seeds_cell(len(s.entrant.outcomes), s.entrant.failures))
    for name in metrics:
        yield Column(clean(name), "interval", _metric(name, problem.contest.bound))
    yield from success_columns(problem)
    yield from (quantity_column(q, bare=True) for q in columns_of("seeds", records))
    yield Column(described(LAST).head, "sees", lambda s: wording.sees_text(s.entrant.sees))


def _metric(name: str, bound: float | None) -> Callable[[Standing], str]:
    floor = bound if name == "rel_l2" else None  # that of other metrics is not known
    write = {
        "median": error_cell,
        "mean": ratio_cell,
        "rms": ratio_cell,
        "share": probability_cell,
    }[_kind(name)]
    if write is error_cell:
        return lambda s: error_cell(_over_seeds(s, name), floor)
    return lambda s: MISSING if (of := _over_seeds(s, name)) is None else write(of)


# ---- for programs ----------------------------------------------------------------------------


def _rows(problem: ProblemComparison, wanted: list[str]) -> Iterator[dict[str, Any]]:
    for block in problem.blocks:
        for standing in block.standings:
            yield _row(problem, block, standing, _shown(problem, wanted))


def _row(
    problem: ProblemComparison, block: Block, standing: Standing, metrics: Sequence[str]
) -> dict[str, Any]:
    """Return one row as JSON values; what is ∞ is null, and `failures` says how many failed."""
    entrant = standing.entrant
    row: dict[str, Any] = {
        "problem": problem.contest.label, "given": block.heading, "rank": standing.rank,
        "method": entrant.key.label, "backend": entrant.key.backend, "dtype": entrant.key.dtype,
        "device": entrant.key.device, "unequal": ", ".join(problem.marks(entrant)),
        "seeds": entrant.seeds, "failures": entrant.failures,
    }  # fmt: skip
    for name in metrics:
        row |= _estimated(name, _over_seeds(standing, name))
    for error in problem.success:
        row |= _estimated(f"reached_{level_text(error)}", success(entrant, error))
    for quantity in quantities().values():
        if "seeds" in quantity.tables and quantity.numeric and quantity.over_seeds:
            row[quantity.name] = over_seeds(quantity, entrant.records)
    row["sees"] = entrant.sees
    return row


def _estimated(name: str, of: Estimate | None) -> dict[str, Any]:
    of = of or Estimate(inf, None, None, False, 0, 0)
    return {
        name: _number(of.value),
        f"{name}_low": _number(of.low),
        f"{name}_high": _number(of.high),
        f"{name}_interval": of.interval,
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _csv(rows: list[dict[str, Any]]) -> str:
    head = list(dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([csv_text(name) for name in head])
    for row in rows:
        flat = row | {
            "seeds": " ".join(map(str, row["seeds"])),
            "sees": wording.sees_text(row["sees"]),
        }
        writer.writerow([csv_text(flat.get(name)) for name in head])
    return out.getvalue()
