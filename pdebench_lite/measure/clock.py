"""The clock of one cell: phases, the time charged, and the device waited for at every reading."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal, TypeAlias

Phase: TypeAlias = Literal["setup", "data", "compile", "train", "evaluate", "predict", "resume"]
PHASES: tuple[Phase, ...] = (
    "setup", "data", "compile", "train", "evaluate", "predict", "resume"
)  # fmt: skip
CHARGED: tuple[Phase, ...] = ("data", "compile", "train")


class Clock:
    """Adds up the wall time of phases; an inner phase pauses the outer one.

    Args:
        synchronize: waits until the device has finished; called before each reading.
        on_change: called with the name of the phase on whose account time now goes; what it takes
            is the harness's own and counts as `evaluate`.
        elapsed: seconds already spent in `setup` when the clock is made.
    """

    def __init__(
        self,
        synchronize: Callable[[], None] = lambda: None,
        on_change: Callable[[Phase], None] = lambda phase: None,
        elapsed: float = 0.0,
    ) -> None:
        self.synchronize = synchronize
        self.on_change = on_change
        self.spent: dict[Phase, float] = dict.fromkeys(PHASES, 0.0)
        self.spent["setup"] = elapsed
        self._restoring = False
        self._stack: list[Phase] = ["setup"]
        self._since = time.perf_counter()

    @property
    def current(self) -> Phase:
        """The phase that is running."""
        return self._stack[-1]

    @property
    def account(self) -> Phase:
        """The phase that time goes to: `resume` for what a resumed run does again."""
        redone = self._restoring and self.current in ("data", "compile")
        return "resume" if redone else self.current

    def _settle(self) -> None:
        now = time.perf_counter()
        self.spent[self.account] += now - self._since
        self._since = now

    def _change(self) -> None:
        """Tell which phase is running now, on nobody's account."""
        self.on_change(self.account)
        now = time.perf_counter()
        self.spent["evaluate"] += now - self._since
        self._since = now

    def resume(self, spent: Mapping[Phase, float]) -> None:
        """Go on from what an earlier process had spent.

        Until `caught_up` data and compilation are those of a resumed run: they are done again, kept
        apart as `resume`, and not charged.
        """
        self._settle()
        for phase, seconds in spent.items():
            self.spent[phase] += seconds
        for again in ("data", "compile", "train"):  # what this process has spent so far, besides
            self.spent["resume"] += self.spent[again] - spent.get(again, 0.0)
            self.spent[again] = spent.get(again, 0.0)
        self._restoring = True
        self._change()

    def caught_up(self) -> None:
        """Charge data and compilation again: a resumed run is where the earlier process was."""
        if self._restoring:
            self._settle()
            self._restoring = False
            self._change()

    def read(self) -> None:
        """Wait for the device, then bring `spent` up to date."""
        self.synchronize()
        self._settle()

    @property
    def charged(self) -> float:
        """Seconds charged as of the last reading: data + compile + train."""
        return sum(self.spent[phase] for phase in CHARGED)

    @contextmanager
    def phase(self, name: Phase) -> Iterator[None]:
        """Run a block as one phase.

        Raises:
            ValueError: there is no such phase.
        """
        if name not in PHASES:
            raise ValueError(f"no phase '{name}'; phases: {', '.join(PHASES)}")
        self.read()
        self._stack.append(name)
        self._change()
        try:
            yield
        finally:
            self.read()
            self._stack.pop()
            self._change()
