"""Listener: what hears of a study's progress; the command line has one, a notebook may."""

from collections.abc import Mapping

from pdebench_lite.runner.watch import Watch
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.records import Record


class Listener:
    """Hears of everything and does nothing; called from one thread only."""

    def begin(self, cells: list[Cell]) -> None:
        """Hear which cells the study has."""

    def reuse(self, cell: Cell, record: Record) -> None:
        """Hear that a cell has a record already, which is kept."""

    def start(self, cell: Cell) -> None:
        """Hear that a cell begins."""

    def wait(self, cell: Cell, holder: str) -> None:
        """Hear that another runner works on a cell, whose result is waited for."""

    def leave(self, holders: Mapping[str, int]) -> None:
        """Hear how many cells are left to which other runners: nothing else is to be done."""

    def progress(self, cell: Cell, watch: Watch) -> None:
        """Hear, some times a second, how a cell goes."""

    def finish(self, cell: Cell, record: Record) -> None:
        """Hear that a cell has a record."""
