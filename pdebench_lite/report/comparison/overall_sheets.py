"""Tables over all problems: final errors and profiles, equal times, equal errors."""

from collections.abc import Iterator

from pdebench_lite.analysis.comparison import Comparison
from pdebench_lite.analysis.profiles import RATIOS
from pdebench_lite.analysis.statistics import FEWEST_PER_PROBLEM, seeds_needed
from pdebench_lite.analysis.wording import MISSING
from pdebench_lite.report.comparison.cells import amount_cell, error_cell, level_text
from pdebench_lite.report.comparison.course_sheets import CURVE
from pdebench_lite.report.comparison.standing_sheet import entrant_columns, rank_column
from pdebench_lite.report.sheet import Column, Row, Sheet, telling

_MIDDLE = (
    "interquartile mean of the logarithm over problems and seeds, each problem of the same weight"
)


def overall_sheets(comparison: Comparison) -> Iterator[Sheet]:
    """Yield the tables over problems; none where there is only one problem."""
    if not comparison.overall:
        return
    count = len(comparison.problems)
    profile = [
        Column(f"≤ {tau:g}×", "number", lambda o, k=k: _share(o.profile, k))  # type: ignore[misc]
        for k, tau in enumerate(RATIOS)
    ]
    final = [
        rank_column(),
        *_names(),
        Column("error", "interval", lambda o: error_cell(o.final)),
        *profile,
    ]
    yield _sheet(
        comparison, f"{count} problems together: final error, and performance profile",
        [
            f"error: {_MIDDLE} "
            "[95% bootstrap interval, seeds drawn within each problem; needs "
            f"{seeds_needed()} runs and {FEWEST_PER_PROBLEM} seeds on each problem]",
            "≤ τ×: share of pairs (problem, error reached by somebody) that a method solves within "
            "τ times the time of the fastest of its block",
            "who ran one problem only is not here; who did not run all of its block has no "
            "figures, since means over different problems do not compare",
            CURVE,
        ],
        final,
    )  # fmt: skip
    yield _sheet(
        comparison, f"{count} problems together: error at equal times",
        [_MIDDLE],
        [
            *_names(),
            *(
                Column(f"at {t:g} s", "interval", lambda o, k=k: error_cell(o.at[k]))  # type: ignore[misc]
                for k, t in enumerate(comparison.times)
            ),
        ],
    )  # fmt: skip
    shares = [
        Column(f"{level_text(e)} reached", "number", lambda o, k=k: _share(o.reached, k))  # type: ignore[misc]
        for k, e in enumerate(comparison.errors)
    ]
    times = [
        Column(f"to {level_text(e)}", "interval", lambda o, k=k: amount_cell(o.to[k]), "s")  # type: ignore[misc]
        for k, e in enumerate(comparison.errors)
    ]
    yield _sheet(
        comparison, f"{count} problems together: time to equal errors",
        [
            "share of runs that reached it, and median charged time over problems and seeds, each "
            "problem of the same weight"
        ],
        [*_names(), *shares, *times],
    )  # fmt: skip


def _names() -> list[Column]:
    return [
        *entrant_columns(lambda row: row.key),
        Column("unequal", "name", lambda o: ", ".join(o.marks)),
        Column("problems", "number", lambda o: str(o.problems)),
    ]


def _share(shares: "list[float | None] | None", k: int) -> str:
    share = None if shares is None else shares[k]
    return MISSING if share is None else f"{share:.0%}"


def _sheet(comparison: Comparison, title: str, rules: list[str], columns: list[Column]) -> Sheet:
    everyone = [row for block in comparison.overall for row in block.rows]
    columns = telling(columns, everyone, "rank", "unequal")
    names = {i for i, c in enumerate(columns) if c.head in ("rank", "error")}
    blocks = [
        (
            f"{block.heading}, {block.problems} problems",
            [
                Row([c.cell(o) for c in columns], bold=frozenset(names if o.best else ()))
                for o in block.rows
            ],
        )
        for block in comparison.overall
    ]
    return Sheet(title, rules, columns, blocks)
