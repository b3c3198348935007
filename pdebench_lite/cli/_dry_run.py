"""`--dry-run`: the cells of a study, what would be run, and how long it would take."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pdebench_lite.cli.tally import Tally
from pdebench_lite.errors import visible
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.inputs import check_inputs
from pdebench_lite.runner.states import State, state_of
from pdebench_lite.runner.study.estimate import Estimate, Estimator, duration_text
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.leases import Leases
from pdebench_lite.store.records import Store
from pdebench_lite.text import counted


@dataclass(frozen=True)
class Planned:
    """A cell, its state, whether it would be run, and how long that would take."""

    cell: Cell
    state: State
    wanted: bool
    estimate: Estimate


def look_ahead(
    cells: Sequence[Cell],
    known: Registry,
    results: Path,
    rerun: frozenset[str],
    estimator: Estimator,
) -> list[Planned]:
    """Return what a run would do with each cell; changes nothing on disk.

    Raises:
        PdebenchError: a file that a cell would read cannot be used.
    """
    store, planned = Store(results), []
    leases = Leases(store.root)
    for cell in cells:
        state = state_of(cell, store, known, leases)
        planned.append(Planned(cell, state, state.wanted(rerun), estimator.estimate(cell)))
    check_inputs(known, (p.cell for p in planned if p.wanted))
    return planned


def as_text(planned: Sequence[Planned], estimator: Estimator, jobs: int) -> str:
    """Write the plan for people: a line per cell and a sum."""
    wanted = [p for p in planned if p.wanted]
    lines = []
    for p in planned:
        seconds = p.estimate.seconds
        takes = "?" if seconds is None else f"about {duration_text(seconds)}"
        verdict = f"run, {takes} ({p.estimate.basis})" if p.wanted else "keep"
        lines.append(f"{p.cell.hash[:8]}  {p.state.kind:11s}  {p.cell.title}: {verdict}")
    tally = Tally(estimator, jobs)
    tally.begin([p.cell for p in wanted])
    left = tally.seconds_left
    guessed = sum(p.estimate.basis == "its budget" for p in wanted)
    total = f"{counted(len(planned), 'cell')}, {len(wanted)} to run"
    if left is None:
        unknown = sum(p.estimate.seconds is None for p in wanted)
        total += f"; time unknown: {unknown} with steps only and no earlier record"
    elif wanted:
        total += f"; about {duration_text(left)} with --jobs {jobs}"
        total += f", {guessed} of them by budget alone" if guessed else ""
    return "\n".join(map(visible, (*lines, total)))


def as_json(planned: Sequence[Planned]) -> str:
    """Write the plan for programs: a list of objects, one per cell."""
    rows = [
        {
            "cell": p.cell.hash,
            "title": p.cell.title,
            "state": p.state.kind,
            "note": p.state.note,
            "run": p.wanted,
            "seconds": p.estimate.seconds,
            "basis": p.estimate.basis,
            **p.cell.model_dump(mode="json"),
        }
        for p in planned
    ]
    return json.dumps(rows, indent=1)
