"""What holds for all rows of a comparison, and the table of what does not."""

from collections.abc import Callable

from pdebench_lite.analysis import wording
from pdebench_lite.analysis.comparison import ProblemComparison
from pdebench_lite.analysis.entrants import Entrant
from pdebench_lite.analysis.wording import clean
from pdebench_lite.report.comparison.standing_sheet import entrant_columns
from pdebench_lite.report.quantities import described
from pdebench_lite.report.sheet import Column, Kind, Row, Sheet

_CONDITIONS: dict[str, Kind] = {  # quantity -> how its column is set
    "budget": "word",
    "dtype": "word",
    "threads": "word",
    "device": "word",
    "concurrency": "number",
    "resumed": "word",
    "steal": "number",
    "waited": "number",
    "variables": "name",
}
_VERSIONS = ("numpy", "jax", "torch")


def conditions_of(problem: ProblemComparison) -> list[str]:
    """Name the bound of the reference and the conditions that all rows share."""
    lines = [
        wording.bounds_text(problem.contest.records),
        *problem.audit.common,
        *_versions(problem),
    ]
    lines += filter(None, [problem.measured])
    return lines if any(problem.audit.marks) else [*lines, "no condition differs between rows"]


def _versions(problem: ProblemComparison) -> list[str]:
    """Name the versions of the array libraries that every row which has them shares."""
    lines = []
    for name in _VERSIONS:
        found = {r.fingerprint.get(name) for r in problem.contest.records} - {None}
        lines += [f"{name} {clean(version)}" for version in found] if len(found) == 1 else []
    return lines


def conditions_sheet(problem: ProblemComparison) -> Sheet:
    """Return the table of every condition of every row."""
    places = {id(entrant): problem.place(entrant) for entrant in problem.contest.entrants}

    def condition(name: str) -> Callable[[Entrant], str]:
        return lambda e: problem.audit.values[places[id(e)]][name] or wording.MISSING

    columns = [
        *entrant_columns(lambda entrant: entrant.key),
        Column("saw", "name", lambda e: wording.sees_text(e.sees)),
        *(Column(described(n).head, kind, condition(n)) for n, kind in _CONDITIONS.items()),
        Column("trials", "number", lambda e: str(problem.audit.trials[places[id(e)]])),
        Column("defaults tuned", "name", lambda e: wording.tuning(e.record.method) or "not stated"),
        Column("machine", "name", condition("machine")),
        Column("versions", "name", condition("versions")),
    ]
    rows = [Row([c.cell(e) for c in columns]) for e in problem.contest.entrants]
    return Sheet(
        title=f"{clean(problem.contest.label)}: conditions of every row",
        conditions=["trials: configurations of the method among these records"],
        columns=columns,
        blocks=[("", rows)],
    )
