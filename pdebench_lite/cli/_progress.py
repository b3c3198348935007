"""What a user sees while cells run: a live bar on a terminal, plain lines elsewhere, or nothing."""

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from pdebench_lite.api import Listener
from pdebench_lite.records import Record
from pdebench_lite.runner.clock import CHARGED
from pdebench_lite.runner.execute import Watch
from pdebench_lite.study import Cell


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
    """One plain line when a cell ends, for logs and pipes."""

    def __init__(self, results: Path, console: Console, notes: Sequence[str] = ()) -> None:
        self.results, self.console, self.notes = results, console, notes
        self._total = self._done = 0

    def begin(self, cells: list[Cell]) -> None:
        """Say how many cells there are, and what kept others from being run."""
        self._total = len(cells)
        for note in self.notes:
            self._say(f"not run: {note}")
        self._say(f"{len(cells)} cell{'s' if len(cells) != 1 else ''} -> {self.results}")

    def reuse(self, cell: Cell, record: Record) -> None:
        """Say that a cell is done already."""
        self._done += 1
        self._say(
            f"{self._place()} {cell.title}: {record.status} already (--rerun all runs it again)"
        )

    def start(self, cell: Cell) -> None:
        """Count the cell that begins."""
        self._done += 1

    def finish(self, cell: Cell, record: Record) -> None:
        """Say how a cell ended."""
        self._say(f"{self._place()} {cell.title}: {outcome(record)}", failed=record.failed)

    def _place(self) -> str:
        width = len(str(self._total))
        return f"[{self._done:{width}d}/{self._total}]"

    def _say(self, line: str, failed: bool = False) -> None:
        text = Text("".join(c if c.isprintable() else "?" for c in line))
        self.console.print(text, style="red" if failed else None, soft_wrap=True)


class Live(Lines):
    """A bar for the running cell: phase, step, loss, error, time left."""

    def __init__(self, results: Path, console: Console, notes: Sequence[str] = ()) -> None:
        super().__init__(results, console, notes)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[state]}", markup=False),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task("", total=1.0, state="", visible=False)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def start(self, cell: Cell) -> None:
        """Show the bar of a cell."""
        super().start(cell)
        name = f"{self._place()} {cell.label} {cell.backend}"
        self._bar.reset(self._task, description=name, state="starting", visible=True, total=1.0)

    def progress(self, cell: Cell, watch: Watch) -> None:
        """Move the bar."""
        done, state = fraction_done(cell, watch), describe(cell, watch)
        self._bar.update(self._task, completed=done, state=state)

    def finish(self, cell: Cell, record: Record) -> None:
        """Replace the bar by a line."""
        self._bar.update(self._task, visible=False)
        super().finish(cell, record)


def make_listener(results: Path, notes: Sequence[str] = ()) -> Quiet:
    """Return a live bar for a terminal, plain lines otherwise; both on stderr."""
    console = Console(stderr=True, highlight=False, markup=False)
    kind = Live if sys.stderr.isatty() else Lines
    return kind(results, console, notes)


def outcome(record: Record) -> str:
    """Say in a few words how a cell ended."""
    if record.status != "ok":
        return f"{record.status}: {record.reason}"
    name = record.ranked[0] if record.ranked else "rel_l2"
    error = record.metrics.get(name)
    value = "–" if error is None else f"{error:.2e}"
    return f"ok  {name} {value}  {record.steps} steps  {record.charged_s:.1f} s charged"


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
        elapsed = time.time() - watch.started
        words.append(f"about {elapsed * (cell.budget.max_steps / step - 1):.0f} s left")
    return "  ".join(words)
