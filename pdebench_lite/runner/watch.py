"""What the parent knows of a running child, from the events that it streams; and its limits."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from pdebench_lite.measure.clock import CHARGED, PHASES
from pdebench_lite.store.cell import Cell

SETUP_LIMIT = 300.0
SILENCE_LIMIT = 300.0
_SHORT = {"data": "preparing its data", "compile": "compiling"}  # where a short budget ends
_MORE = 3  # times what was spent there is what a late cell is told to ask for


@dataclass
class Watch:
    """The state of a running child.

    Its times are those of the monotonic clock, which all processes of a machine share and nobody
    sets: a machine that was asleep, or whose date was put right, has not overrun a budget.
    """

    started: float = field(default_factory=time.monotonic)
    phase: str = "setup"
    since: float = field(default_factory=time.monotonic)
    heard: float = field(default_factory=time.monotonic)
    spent: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    progress: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    sees: dict[str, int | bool] = field(default_factory=dict)
    steal: float | None = None
    waited: float | None = None
    at_work: bool = False

    def take(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        self.heard = time.monotonic()
        kind = event.pop("kind", "")
        if kind == "phase":
            self.spent[self.phase] += event["wall"] - self.since
            self.phase, self.since = event["name"], event["wall"]
            self.at_work |= self.phase in CHARGED
            self.steal, self.waited = event.get("steal"), event.get("waited")
        elif kind == "progress":
            self.progress = event
        elif kind == "history":
            self.history.append(event)
        elif kind == "sees":
            self.sees = event["sees"]
        elif kind == "resumed":  # the method goes on from a checkpoint: so does its account
            self.history = event["rows"]
            self.spent.update(event["spent"])
            self.since = self.heard

    def end(self) -> None:
        """Stop the clock of the phase that is running: the child has ended or will be stopped."""
        now = time.monotonic()
        if self.phase:
            self.spent[self.phase] += now - self.since
        self.phase, self.since = "", now

    def seconds(self, *phases: str) -> float:
        """Return the wall seconds spent in phases until now."""
        running = time.monotonic() - self.since if self.phase in phases else 0.0
        return sum(self.spent[phase] for phase in phases) + running


def overdue(watch: Watch, cell: Cell) -> str:
    """Say why a child must be stopped now; empty while it may go on."""
    if not watch.at_work:
        setup = time.monotonic() - watch.started
        return f"set-up took over {SETUP_LIMIT:g} s" if setup > SETUP_LIMIT else ""
    limit = cell.budget.max_time
    charged = watch.seconds(*CHARGED)
    grace = 0.0 if limit is None else max(5.0, 0.2 * limit)
    if limit is not None and charged > limit + grace:
        late = f"did not stop within {limit:g} s and {grace:g} s of grace"
        if watch.phase not in _SHORT:
            return late
        more = ceil(limit + _MORE * watch.seconds(watch.phase))
        return f"{late}: it was still {_SHORT[watch.phase]}; give more, such as --max-time {more}s"
    patience = SILENCE_LIMIT
    if watch.phase == "resume":  # what was charged before, and took part of the budget then
        patience = max(patience, limit or 0.0)
    silent = time.monotonic() - watch.heard > patience
    if silent and (limit is None or watch.phase not in CHARGED):
        return f"no report for {patience:g} s (phase {watch.phase})"
    return ""


def follow(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield, each time, the events that were added to a file since in complete lines."""
    while not path.exists():
        yield []
    rest = b""
    with path.open("rb") as file:  # once: it may lie on a server
        while True:
            *lines, rest = (rest + file.read()).split(b"\n")
            yield [event for event in map(parse, lines) if event]


def parse(line: bytes) -> dict[str, Any] | None:
    """Read one line of a journal; None if it is not an event."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):  # a plugin that forks may write into its parent's line
        return None
    return event if isinstance(event, dict) else None
