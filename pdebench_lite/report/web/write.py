"""Gathering what the page shows, and writing it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pdebench_lite import __version__
from pdebench_lite.analysis import Comparison, Source, compare, wording
from pdebench_lite.analysis.comparison import ProblemComparison
from pdebench_lite.analysis.wording import clean
from pdebench_lite.errors import PdebenchError
from pdebench_lite.files import write_whole
from pdebench_lite.report.comparison.course_sheets import equal_error, equal_time
from pdebench_lite.report.comparison.overall_sheets import overall_sheets
from pdebench_lite.report.comparison.pair_sheet import pair_sheet
from pdebench_lite.report.figures.style import Looks
from pdebench_lite.report.web.curves import histories, metrics_of, moments_each, work_precision
from pdebench_lite.report.web.environments import environments
from pdebench_lite.report.web.fields import Room, fields
from pdebench_lite.report.web.leaderboard import leaderboard
from pdebench_lite.report.web.looks import entrant_look, scales
from pdebench_lite.report.web.page import page
from pdebench_lite.report.web.runs import LOGS, failures, runs
from pdebench_lite.report.web.tables import Json, sheet_json
from pdebench_lite.report.web.values import number
from pdebench_lite.store.records import Record, Store

# Entrants of a problem up to which there is a table; each of its numbers has a bootstrap.
_TIMED, _PAIRED = 60, 24


def write_report(store: Store, records: Sequence[Record], out: str | os.PathLike[str]) -> int:
    """Write the web report: one HTML file that needs no network.

    Args:
        store: results folder, where histories, fields, logs and environments are.
        records: its records, whatever their status; at least one.
        out: the file; its folder is made if missing, and it is replaced as a whole.

    Returns:
        Its size in bytes.

    Raises:
        PdebenchError: the file cannot be written.
    """
    path = Path(out)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot(path, error) from None
    text = page(gather(store, records)).encode("utf-8")
    try:
        write_whole(path, text)
    except OSError as error:
        raise _cannot(path, error) from None
    return len(text)


def _cannot(path: Path, error: OSError) -> PdebenchError:
    return PdebenchError(
        f"cannot write the report to '{path}': {error.strerror or error}; "
        "choose another file with --out FILE"
    )


def gather(store: Store, records: Sequence[Record]) -> Mapping[str, Any]:
    """Return all that the page shows, by the name of the part that holds it.

    Statistics, ranks and marks come from the comparison; the page computes none.
    """
    source = Source(store)
    raced = any(record.status == "ok" or record.failed for record in records)
    comparison = compare([source]) if raced else Comparison([], [], [], [])
    entrants = [entrant for p in comparison.problems for entrant in p.contest.entrants]
    ids = {id(entrant): place for place, entrant in enumerate(entrants)}
    cells = {r.cell: place for place, entrant in enumerate(entrants) for r in entrant.records}
    looks = Looks(records)
    problems = comparison.problems
    return {
        "overview": {
            "version": __version__,
            "records": len(records),
            "statuses": _tally(records),
            "problems": [_problem(problem, ids) for problem in problems],
            "overall": [sheet_json(sheet) for sheet in overall_sheets(comparison)],
            "entrants": [
                {"name": clean(e.key.label), "backend": clean(e.key.backend),
                 **entrant_look(e, looks)}
                for e in entrants
            ],
            "scales": scales(),
            "runs": runs(records, cells),
            "failures": failures(records, store, cells),
            "logs": LOGS,
            "environments": environments(source, records),
        },
        "curves": _curves(problems, store, looks, ids, len(records)),
        "fields": _fields(problems, store, ids),
    }  # fmt: skip


def _tally(records: Sequence[Record]) -> Json:
    return {
        status: sum(record.status == status for record in records)
        for status in dict.fromkeys(record.status for record in records)
    }


def _problem(problem: ProblemComparison, ids: Mapping[int, int]) -> Json:
    name = problem.contest.metric
    count = len(problem.contest.entrants)
    tables = [equal_time(problem), *equal_error(problem)] if count <= _TIMED else []
    tables += pair_sheet(problem, every=True) if count <= _PAIRED else []
    return {
        "label": clean(problem.contest.label),
        "metric": clean(name),
        "meaning": wording.meaning(name),
        "bound": number(problem.contest.bound),
        "leaderboard": leaderboard(problem, ids),
        "tables": [sheet_json(sheet) for sheet in tables],
        "tables_left_out": _left_out(count),
    }


def _left_out(count: int) -> str:
    """Say which tables a problem with so many entrants is without."""
    what = ["equal time and error"] if count > _TIMED else []
    what += ["pairs"] if count > _PAIRED else []
    if not what:
        return ""
    return f"No tables of {' or of '.join(what)} for {count} rows here; see: pdebench compare"


def _curves(
    problems: Sequence[ProblemComparison],
    store: Store,
    looks: Looks,
    ids: Mapping[int, int],
    count: int,
) -> list[Json]:
    most = moments_each(count)
    courses = moments_each(len(ids))
    return [
        {
            "work": work_precision(problem, looks, ids, courses),
            "metrics": [clean(name) for name in metrics_of(problem)],
            "histories": histories(problem, store, ids, most),
            "moments": most,
        }
        for problem in problems
    ]


def _fields(
    problems: Sequence[ProblemComparison], store: Store, ids: Mapping[int, int]
) -> list[Json]:
    room = Room()
    return [fields(problem, store, ids, room, len(problems)) for problem in problems]
