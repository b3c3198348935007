"""State of a cell in a results folder: fresh, stale, failed, missing and so on."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pdebench_lite.errors import NewerError, PdebenchError
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.identity import fingerprint_of
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.checkpoints import read_checkpoint
from pdebench_lite.store.leases import Leases
from pdebench_lite.store.marks import changed_marks
from pdebench_lite.store.records import RECORD, Record, Store

Kind: TypeAlias = Literal[
    "fresh", "stale", "failed", "missing", "running", "interrupted", "corrupt", "newer"
]
RERUN = ("failed", "stale", "all")


@dataclass(frozen=True)
class State:
    """What is known of a cell.

    Attributes:
        kind: `fresh`; `stale`: made by other sources or libraries; `failed`; `missing`; `running`;
            `interrupted`: it will resume from a checkpoint, or start afresh; `corrupt`; `newer`: a
            newer version of the program wrote it, which is not run over.
        note: what changed, why it failed, who runs it, where it will resume.
        record: the record, where there is a sound one.
        changed: what differs from the sources and libraries of now.
    """

    kind: Kind
    note: str = ""
    record: Record | None = None
    changed: str = ""

    def wanted(self, rerun: frozenset[str]) -> bool:
        """Whether `pdebench run` runs the cell, given what `--rerun` names."""
        if self.kind == "newer":
            return False
        if self.record is None or "all" in rerun:
            return True
        return (self.record.failed and "failed" in rerun) or (
            bool(self.changed) and "stale" in rerun
        )


def state_of(
    cell: Cell, store: Store, registry: Registry, leases: Leases, mine: bool = False
) -> State:
    """Look up the state of a cell; reads only.

    Args:
        cell: the cell.
        store: the results folder.
        registry: where methods and problems are looked up.
        leases: those of the folder.
        mine: this process holds the lease, so that nobody else runs the cell.
    """
    holder = None if mine else leases.holder(cell.hash)
    if holder is not None:
        return State("running", holder.title)
    folder = store.folder(cell.hash)
    if not (folder / RECORD).exists():
        left = store.unfinished(cell.hash)
        if not left:
            return State("missing")
        if newer := store.newer([cell.hash]):
            return State("newer", newer)
        steps = [c.harness["steps"] for c in map(read_checkpoint, left) if c is not None]
        note = f"will resume after step {max(steps)}" if steps else "will start from the beginning"
        return State("interrupted", note)
    try:
        record = store.read(folder)
    except NewerError as error:
        return State("newer", str(error))
    except PdebenchError as error:
        return State("corrupt", str(error))
    return state_of_record(record, cell, registry)


def state_of_record(record: Record, cell: Cell, registry: Registry) -> State:
    """Say whether a sound record is fresh, failed or stale."""
    try:
        changed = changed_marks(record.fingerprint, fingerprint_of(registry, cell))
    except PdebenchError as error:  # the plugin is gone, or knows the setting no more
        changed = str(error)
    if record.failed:
        return State("failed", f"{record.status}: {record.reason}", record, changed)
    if changed:
        return State("stale", changed, record, changed)
    return State("fresh", record.reason, record)
