"""The state of a study while it runs: how many cells are done, and how long the rest will take."""

import time
from collections.abc import Sequence

from pdebench_lite.runner.study.estimate import Estimator, duration_text
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.records import Record


class Tally:
    """Counts of a study, kept up to date by a listener.

    Args:
        estimator: what is known of how long cells take; learns as cells end.
        jobs: cells at a time.
    """

    def __init__(self, estimator: Estimator | None = None, jobs: int = 1) -> None:
        self._estimator = estimator or Estimator()
        self._jobs = jobs
        self._waiting: dict[str, Cell] = {}
        self.running: dict[str, tuple[Cell, float]] = {}
        self.total = self.done = self.failed = 0

    def begin(self, cells: Sequence[Cell]) -> None:
        """Take in the cells of the study."""
        self.total, self._waiting = len(cells), {cell.hash: cell for cell in cells}

    def start(self, cell: Cell) -> None:
        """Note that a cell runs now."""
        self._waiting.pop(cell.hash, None)
        self.running[cell.hash] = (cell, time.monotonic())

    def wait(self, cell: Cell) -> None:
        """Note that a cell does not run here (any more), and is not done."""
        self.running.pop(cell.hash, None)
        self._waiting[cell.hash] = cell

    def end(self, cell: Cell, record: Record) -> None:
        """Note that a cell has a record."""
        self._waiting.pop(cell.hash, None)
        if self.running.pop(cell.hash, None):
            self._estimator.add(record)
        self.done += 1
        self.failed += record.failed

    @property
    def seconds_left(self) -> float | None:
        """Wall seconds until the study ends, or None while nothing is known of some cell."""
        now = time.monotonic()
        waiting = [self._estimator.estimate(cell).seconds for cell in self._waiting.values()]
        running = []
        for cell, since in self.running.values():
            whole = self._estimator.estimate(cell).seconds
            running.append(None if whole is None else max(0.0, whole - (now - since)))
        rests = [rest for rest in (*waiting, *running) if rest is not None]
        if len(rests) < len(waiting) + len(running):
            return None
        side_by_side = max(1, min(self._jobs, len(rests)))
        return max(sum(rests) / side_by_side, max(rests, default=0.0))

    @property
    def line(self) -> str:
        """The state in one line."""
        words = [f"{self.done} of {self.total} done"]
        if self.failed:
            words.append(f"{self.failed} failed")
        if self.running:
            words.append(f"{len(self.running)} running")
        left = self.seconds_left
        if left is not None and self.done < self.total:
            words.append(f"about {duration_text(left)} left")
        return ", ".join(words)
