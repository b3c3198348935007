"""What a user sees while cells run: a live overview on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from pdebench_lite.cli.tally import Tally
from pdebench_lite.errors import visible
from pdebench_lite.measure.clock import CHARGED
from pdebench_lite.runner.listener import Listener
from pdebench_lite.runner.watch import Watch
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.records import Record
from pdebench_lite.text import counted

_OVERVIEW_EVERY = 60.0  # seconds between overviews in a log
_BAR = 12  # columns
_NOTEBOOK_EVERY = 1.0  # seconds between updates of a notebook's output
_SHOWN = 10  # lines of what has happened that a notebook shows
_REDRAW_EVERY = 0.25  # seconds; drawing takes processor time from the cells


class Quiet(Listener):
    """Prints nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        return None


class Lines(Quiet):
    """One plain line when a cell ends, and now and then an overview: for logs and pipes.

    Args:
        results: the results folder, to be named.
        console: where to print.
        notes: what kept other cells from being run.
        tally: keeps the counts.
    """

    def __init__(
        self,
        results: Path,
        console: Console,
        notes: Sequence[str] = (),
        tally: Tally | None = None,
    ) -> None:
        self.results, self.console, self.notes = results, console, notes
        self.tally = tally or Tally()
        self._overview = time.monotonic()

    def begin(self, cells: list[Cell]) -> None:
        """Say how many cells there are, and what kept others from being run."""
        self.tally.begin(cells)
        for note in self.notes:
            self._say(f"not run: {note}")
        self._say(f"{counted(len(cells), 'cell')} -> {self.results}")

    def reuse(self, cell: Cell, record: Record) -> None:
        """Say that a cell is done already."""
        self.tally.end(cell, record)
        hint = f" (--rerun {'failed' if record.failed else 'all'} runs it again)"
        if record.status == "unsupported":  # what was lacking may be there by now
            hint = f": {record.reason}; --rerun stale runs it again if code or packages changed"
        self._say(
            f"{self._place()} {cell.title}: {record.status} already{hint}", failed=record.failed
        )

    def start(self, cell: Cell) -> None:
        """Count the cell that begins."""
        self.tally.start(cell)

    def wait(self, cell: Cell, holder: str) -> None:
        """Say that another runner has a cell."""
        self.tally.wait(cell)
        self._say(f"{cell.title}: waiting for {holder}, which runs it")

    def leave(self, holders: Mapping[str, int]) -> None:
        """Say what other runners have, and that it is not waited for."""
        who = ", ".join(f"{holder} ({counted(n, 'cell')})" for holder, n in holders.items())
        self._say(f"no cell is free: {who}; not waiting for them (--wait does)")

    def progress(self, cell: Cell, watch: Watch) -> None:
        """Give an overview of a long study, once a minute."""
        now = time.monotonic()
        if self.tally.total > 1 and now - self._overview > _OVERVIEW_EVERY:
            self._overview = now
            self._say(self.tally.line)

    def finish(self, cell: Cell, record: Record) -> None:
        """Say how a cell ended."""
        self.tally.end(cell, record)
        self._say(f"{self._place()} {cell.title}: {outcome(record)}", failed=record.failed)

    def _place(self) -> str:
        width = len(str(self.tally.total))
        return f"[{self.tally.done:{width}d}/{self.tally.total}]"

    def _say(self, line: str, failed: bool = False) -> None:
        text = Text(visible(line))
        self.console.print(text, style="red" if failed else None, soft_wrap=True)


class Live(Lines):
    """A bar for each running cell (phase, step, loss, error, time left), and one for the study."""

    def __init__(
        self,
        results: Path,
        console: Console,
        notes: Sequence[str] = (),
        tally: Tally | None = None,
    ) -> None:
        super().__init__(results, console, notes, tally)
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=_BAR),
            TextColumn("{task.fields[state]}", markup=False),
            console=console,
            transient=True,
            refresh_per_second=1 / _REDRAW_EVERY,
        )
        self._whole = self._bars.add_task("all", total=1, state="", visible=False)
        self._cells: dict[str, TaskID] = {}
        self._several = False  # problems: else their name would only take room

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def begin(self, cells: list[Cell]) -> None:
        """Show the bar of the study, if it has several cells."""
        super().begin(cells)
        self._several = len({cell.problem_label for cell in cells}) > 1
        self._bars.update(self._whole, total=len(cells), visible=len(cells) > 1)
        self._draw()

    def reuse(self, cell: Cell, record: Record) -> None:
        """Count a cell that is done already."""
        self._remove(cell)
        super().reuse(cell, record)
        self._draw()

    def start(self, cell: Cell) -> None:
        """Show the bar of a cell."""
        super().start(cell)
        self._remove(cell)
        problem = f"{cell.problem_label} " if self._several else ""
        name = f"{problem}{cell.label} {cell.backend} seed {cell.seed}"
        self._cells[cell.hash] = self._bars.add_task(name, total=1.0, state="starting")
        self._draw()

    def wait(self, cell: Cell, holder: str) -> None:
        """Take away the bar of a cell that another runner has."""
        self._remove(cell)
        super().wait(cell, holder)
        self._draw()

    def progress(self, cell: Cell, watch: Watch) -> None:
        """Move the bars."""
        bar = self._cells.get(cell.hash)
        if bar is not None:
            done, state = fraction_done(cell, watch), describe(cell, watch)
            self._bars.update(bar, completed=done, state=state)
        now = time.monotonic()
        if now - self._overview > _REDRAW_EVERY:
            self._overview = now
            self._draw()

    def finish(self, cell: Cell, record: Record) -> None:
        """Replace the bar of a cell by a line."""
        self._remove(cell)
        super().finish(cell, record)
        self._draw()

    def _remove(self, cell: Cell) -> None:
        bar = self._cells.pop(cell.hash, None)
        if bar is not None:
            self._bars.remove_task(bar)

    def _draw(self) -> None:
        self._bars.update(self._whole, completed=self.tally.done, state=self.tally.line)


class Notebook(Lines):
    """One output of a notebook's cell, replaced while the study goes on; never more than a page."""

    def __init__(
        self,
        results: Path,
        console: Console,
        notes: Sequence[str] = (),
        tally: Tally | None = None,
    ) -> None:
        super().__init__(results, console, notes, tally)
        self._said: list[str] = []
        self._states: dict[str, str] = {}
        self._drawn = 0.0

    def __enter__(self) -> Self:
        display = import_module("IPython.display").display
        self._output = display({"text/plain": "starting"}, raw=True, display_id=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._states.clear()
        self._draw()

    def start(self, cell: Cell) -> None:
        """Show that a cell begins."""
        super().start(cell)
        self._states[cell.hash] = f"{cell.title}: starting"
        self._draw()

    def wait(self, cell: Cell, holder: str) -> None:
        """Show that another runner has a cell."""
        self._states.pop(cell.hash, None)
        super().wait(cell, holder)

    def progress(self, cell: Cell, watch: Watch) -> None:
        """Show, once a second, how the cells go."""
        self._states[cell.hash] = f"{cell.title}: {describe(cell, watch)}"
        if time.monotonic() - self._drawn > _NOTEBOOK_EVERY:
            self._draw()

    def finish(self, cell: Cell, record: Record) -> None:
        """Show how a cell ended."""
        self._states.pop(cell.hash, None)
        super().finish(cell, record)

    def _say(self, line: str, failed: bool = False) -> None:
        self._said.append(line)
        self._draw()

    def _draw(self) -> None:
        self._drawn = time.monotonic()
        more = [f"({counted(len(self._said) - _SHOWN, 'line')} before)"]
        said = [*(more if len(self._said) > _SHOWN else []), *self._said[-_SHOWN:]]
        text = "\n".join(map(visible, (self.tally.line, *self._states.values(), *said)))
        self._output.update({"text/plain": text}, raw=True)


def make_listener(results: Path, notes: Sequence[str] = (), tally: Tally | None = None) -> Quiet:
    """Return a live overview for a notebook or a terminal, plain lines otherwise, on stderr."""
    console = Console(stderr=True, highlight=False, markup=False)
    if console.is_jupyter:
        return Notebook(results, console, notes, tally)
    kind = Live if sys.stderr.isatty() and not console.is_dumb_terminal else Lines
    return kind(results, console, notes, tally)


def outcome(record: Record) -> str:
    """Say in a few words how a cell ended."""
    if record.status != "ok":
        return f"{record.status}: {record.reason}"
    name = record.ranked[0] if record.ranked else "rel_l2"
    error = record.metrics.get(name)
    value = "–" if error is None else f"{error:.2e}"
    steps = f"{record.steps} step{'' if record.steps == 1 else 's'}"
    return f"ok  {name} {value}  {steps}  {record.charged_s:.1f} s charged"


def fraction_done(cell: Cell, watch: Watch) -> float:
    """Estimate how much of the budget is spent, from 0 to 1."""
    parts = [0.0]
    if cell.budget.max_time:
        parts.append(watch.seconds(*CHARGED) / cell.budget.max_time)
    if cell.budget.max_steps:
        parts.append(watch.progress.get("step", 0) / cell.budget.max_steps)
    return min(1.0, max(parts))


def describe(cell: Cell, watch: Watch) -> str:
    """Say what a running cell is doing."""
    step = watch.progress.get("step")
    words = [watch.phase] if not step or watch.phase in ("setup", "compile") else [f"step {step}"]
    for name, label in (("loss", "loss"), ("rel_l2", "error")):
        value = watch.progress.get(name)
        if value is not None:
            words.append(f"{label} {value:.1e}")
    if cell.budget.max_time:
        left = max(0.0, cell.budget.max_time - watch.seconds(*CHARGED))
        words.append(f"{left:.0f} s left")
    elif cell.budget.max_steps and step:
        elapsed = time.monotonic() - watch.started
        words.append(f"about {elapsed * (cell.budget.max_steps / step - 1):.0f} s left")
    return "  ".join(words)
