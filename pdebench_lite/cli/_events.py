"""`--json`: what happens in a study, one JSON object a line on stdout, for other programs."""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from pdebench_lite.cli.progress import Quiet, fraction_done
from pdebench_lite.cli.tally import Tally
from pdebench_lite.runner.child import plain
from pdebench_lite.runner.watch import Watch
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.records import Record

_PROGRESS_EVERY = 1.0  # seconds, for each cell


class Events(Quiet):
    """Prints one line per event: begin, reuse, start, wait, progress, leave, finish, end.

    Each object has `event` and `time` (seconds since 1970); those of a cell have its hash as
    `cell`. `begin` lists the cells, `finish` and `reuse` have the record's row as in
    `pdebench table --format json`, `end` has the counts and whether the study was stopped.

    Args:
        results: the results folder.
        tally: keeps the counts.
    """

    def __init__(self, results: Path, tally: Tally | None = None) -> None:
        self._results, self._out = results, sys.stdout  # which a run gives to plugins
        self._tally = tally or Tally()
        self._told: dict[str, float] = {}

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        if kind is None or issubclass(kind, KeyboardInterrupt | SystemExit):
            self._tell("end", **self._counts(), stopped=kind is not None)

    def begin(self, cells: list[Cell]) -> None:
        """List the cells."""
        self._tally.begin(cells)
        about = [
            {"cell": cell.hash, "title": cell.title, **cell.model_dump(mode="json")}
            for cell in cells
        ]
        self._tell("begin", results=str(self._results), cells=about)

    def reuse(self, cell: Cell, record: Record) -> None:
        """Tell that a cell has a record already."""
        self._tally.end(cell, record)
        self._tell("reuse", cell=cell.hash, record=record.row())

    def start(self, cell: Cell) -> None:
        """Tell that a cell begins."""
        self._tally.start(cell)
        self._tell("start", cell=cell.hash)

    def wait(self, cell: Cell, holder: str) -> None:
        """Tell that another runner has a cell."""
        self._tally.wait(cell)
        self._tell("wait", cell=cell.hash, holder=holder)

    def leave(self, holders: Mapping[str, int]) -> None:
        """Tell what other runners have, and that it is not waited for."""
        self._tell("leave", holders=dict(holders), **self._counts())

    def progress(self, cell: Cell, watch: Watch) -> None:
        """Tell, once a second for each cell, how it goes."""
        now = time.monotonic()
        if now - self._told.get(cell.hash, 0.0) < _PROGRESS_EVERY:
            return
        self._told[cell.hash] = now
        self._tell(
            "progress",
            cell=cell.hash,
            phase=watch.phase,
            fraction=round(fraction_done(cell, watch), 4),
            latest=plain(watch.progress),
            seconds_left=self._tally.seconds_left,
        )

    def finish(self, cell: Cell, record: Record) -> None:
        """Tell how a cell ended."""
        self._tally.end(cell, record)
        self._tell("finish", cell=cell.hash, record=record.row(), **self._counts())

    def _counts(self) -> dict[str, int]:
        tally = self._tally
        return {"done": tally.done, "failed": tally.failed, "total": tally.total}

    def _tell(self, event: str, **values: Any) -> None:
        line = {"event": event, "time": round(time.time(), 3), **values}
        print(json.dumps(line, ensure_ascii=True, allow_nan=False), flush=True, file=self._out)
