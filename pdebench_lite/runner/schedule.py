"""Which cell runs when and where: one at a time or several at once, shared with other runners."""

import math
import threading
import time
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.at_work import cells_at_work
from pdebench_lite.runner.execute import Executor, Slot, Stopped, TakenOver
from pdebench_lite.runner.listener import Listener
from pdebench_lite.runner.processes import kill_orphans
from pdebench_lite.runner.processors import affinity, usable_processors
from pdebench_lite.runner.states import State, state_of
from pdebench_lite.runner.watch import Watch
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.leases import Holder, Leases, machine
from pdebench_lite.store.records import Record, Store

_TICK = 0.1  # seconds between looks at what runs
_PATIENCE = 0.5  # between looks at cells that another runner has, at first
_LONGEST = 5.0  # and at last, as long as nothing happens: the folder may be on a server
_LOOK = 1.0  # between looks at what else runs on this machine


@dataclass
class _Running:
    cell: Cell
    slot: Slot
    watch: Watch | None = None


@dataclass
class Scheduler:
    """Runs the cells of a study that have no record yet, and those that shall be run again.

    Args:
        store: where records go.
        registry: where methods and problems are looked up.
        devices: backend -> device.
        rerun: which cells with a record are run again: `failed`, `stale`, `all`.
        ear: hears of the progress.
        jobs: cells at a time; the processors are divided between them.
        gpus: devices for cells on a GPU, one cell each at a time.
        wait: for cells that other runners have; else they are left to them.
    """

    store: Store
    registry: Registry
    devices: dict[str, str]
    rerun: frozenset[str] = frozenset()
    ear: Listener = field(default_factory=Listener)
    jobs: int = 1
    gpus: Sequence[str] = ()
    wait: bool = True

    def run(self, cells: Sequence[Cell]) -> list[Record]:
        """Return the records of all cells, in order, but for those that are left to others.

        Raises:
            PdebenchError: the results folder cannot be written, or a newer version of the program
                has written a record of a cell.
            KeyboardInterrupt: stopped; no child is left, finished cells are kept.
        """
        self.store.prepare()
        if newer := self.store.newer(cell.hash for cell in cells):
            raise PdebenchError(newer)
        self.store.sweep()
        kill_orphans()
        self.ear.begin(list(cells))
        self._stopping = threading.Event()
        self._records: dict[str, Record] = {}
        self._running: dict[Future[Record], _Running] = {}
        self._looked, self._on_machine = -math.inf, 0
        self._seen = {cell.hash: self._stamp(cell) for cell in cells} if self.rerun else {}
        with Leases(self.store.root) as leases, ThreadPoolExecutor(self.jobs) as pool:
            self._leases, self._pool = leases, pool
            leases.sweep()
            try:
                self._race(cells)
            except BaseException:
                self._stopping.set()
                raise
        return [self._records[cell.hash] for cell in cells if cell.hash in self._records]

    def _race(self, cells: Sequence[Cell]) -> None:
        pending, slots = deque(cells), self._slots()
        held: list[Cell] = []  # by another runner
        told: set[str] = set()
        beats: dict[str, float] = {}
        pause, known = _PATIENCE, -1
        while pending or held or self._running:
            while (chosen := self._next(pending, slots)) is not None:
                cell, slot = chosen
                pending.remove(cell)
                if not self._begin(cell, slot, slots):
                    held.append(cell)
            for done in self._wait(0.0 if not self._running and pending else _TICK):
                slots.append(done.slot)
                if done.cell.hash not in self._records:
                    held.append(done.cell)
            if not pending and not self._running and held:
                holders = [(cell, self._leases.holder(cell.hash)) for cell in held]
                for cell, holder in holders:
                    if self.wait and holder is not None and cell.hash not in told:
                        told.add(cell.hash)
                        self.ear.wait(cell, holder.title)
                if not self.wait:
                    alive = [h.title for c, h in holders if h and self._is_alive(c, h, beats)]
                    if len(alive) == len(held):
                        self.ear.leave(Counter(alive))
                        return
                idle, known = len(self._records) == known, len(self._records)
                pause = min(2 * pause, _LONGEST) if idle else _PATIENCE
                time.sleep(pause)
                pending, held = deque(held), []

    # ---- slots -------------------------------------------------------------------------------

    def _slots(self) -> list[Slot]:
        if self.jobs == 1:
            return [Slot()]
        cores = affinity()[: usable_processors()]
        gpus = [*self.gpus, *[""] * self.jobs]
        return [Slot(_share(cores, i, self.jobs), gpus[i]) for i in range(self.jobs)]

    def _next(self, pending: Iterable[Cell], slots: list[Slot]) -> tuple[Cell, Slot] | None:
        """Return the first cell that a free slot fits, and the slot.

        A cell on a GPU needs a slot that has one; others leave those free where they can.
        """
        plain = sorted(slots, key=lambda slot: bool(slot.device))
        for cell in pending:
            anywhere = self.jobs == 1 or self.devices[cell.backend] == "cpu"
            fitting = [slot for slot in plain if anywhere or slot.device]
            if fitting:
                return cell, fitting[0]
        return None

    def _concurrency(self) -> int:
        """Return how many cells run on this machine, in other folders too."""
        if (now := time.monotonic()) - self._looked > _LOOK:
            self._looked, seen = now, cells_at_work()
            if seen is None:  # then those that share this folder, which their leases name
                mine = [h for h in self._leases.others() if h.machine == machine()]
                seen = len(self._running) + len(mine)
            self._on_machine = seen
        return max(len(self._running), self._on_machine)

    # ---- one cell ----------------------------------------------------------------------------

    def _begin(self, cell: Cell, slot: Slot, slots: list[Slot]) -> bool:
        """Reuse a record or start the cell; returns False while another runner has it."""
        state = self._look(cell)
        if state.kind == "running":
            return False
        if state.wanted(self._rerun_of(cell)):
            if not self._leases.take(cell.hash):
                return False
            state = self._look(cell, mine=True)  # another may have finished it in between
            if not state.wanted(self._rerun_of(cell)):
                self._leases.release(cell.hash)
        if state.record is not None and not state.wanted(self._rerun_of(cell)):
            self._records[cell.hash] = state.record
            self.ear.reuse(cell, state.record)
            return True
        slots.remove(slot)
        running = _Running(cell, slot)

        def heard(watch: Watch) -> None:
            running.watch = watch

        executor = Executor(
            self.store, self.registry, self.devices, self._leases, heard, slot, self._stopping,
            self._concurrency,
        )  # fmt: skip
        self.ear.start(cell)
        self._looked = -math.inf
        self._running[self._pool.submit(executor.run, cell)] = running
        return True

    def _is_alive(self, cell: Cell, holder: Holder, beats: dict[str, float]) -> bool:
        """Whether the runner that has a cell is known to live: here, or by a heartbeat since.

        One that died elsewhere leaves a lease that is to be taken over as soon as it has expired.

        Args:
            cell: the cell.
            holder: who has it.
            beats: cell -> when its lease was touched, as first seen; added to.
        """
        if holder.machine == machine():
            return True
        beat = self._leases.beat(cell.hash)
        return beats.setdefault(cell.hash, beat) != beat

    def _look(self, cell: Cell, mine: bool = False) -> State:
        state = state_of(cell, self.store, self.registry, self._leases, mine)
        if state.kind == "newer":
            raise PdebenchError(state.note)
        made = state.record.started if state.record is not None else ""
        if made and self._seen.get(cell.hash, made) != made:
            self._seen[cell.hash] = _DONE  # it was made while we were at work: nothing to rerun
        return state

    def _stamp(self, cell: Cell) -> str:
        record = self.store.get(cell.hash)
        return "" if record is None else record.started

    def _rerun_of(self, cell: Cell) -> frozenset[str]:
        return frozenset() if self._seen.get(cell.hash) == _DONE else self.rerun

    def _wait(self, seconds: float) -> list[_Running]:
        """Wait for a cell to end; returns those that did."""
        if not self._running:
            return []
        ended, _ = wait(self._running, seconds, FIRST_COMPLETED)
        for running in self._running.values():
            if running.watch is not None:
                self.ear.progress(running.cell, running.watch)
        done = []
        for future in ended:
            running = self._running.pop(future)
            done.append(running)
            try:
                record = future.result()
            except (TakenOver, Stopped):
                continue
            finally:
                self._leases.release(running.cell.hash)
            self._records[running.cell.hash] = record
            self.ear.finish(running.cell, record)
        return done


def _share(cores: list[int], index: int, jobs: int) -> tuple[int, ...]:
    """Return one slot's processors; more slots than processors share them in turn."""
    if len(cores) < jobs:
        return (cores[index % len(cores)],) if cores else ()
    return tuple(cores[index::jobs])


_DONE = "done by another runner"
