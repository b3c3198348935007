"""Leases: which runner works on which cell, so that several can share one results folder.

A lease is a file made by exclusive create and touched every `HEARTBEAT` seconds. It is taken over
when its holder is dead (known at once on the same host, by process id and start time) or has been
silent for `EXPIRY` seconds. Changes of hands happen under the lock of the folder.
"""

import json
import math
import os
import platform
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Self

from pdebench_lite.errors import PdebenchError
from pdebench_lite.store.locks import file_clock, locked

HEARTBEAT = 10.0  # seconds
EXPIRY = 60.0
_PREFIX = ".lease-"


@dataclass(frozen=True)
class Holder:
    """Who works on a cell.

    Attributes:
        machine: tells this machine, since it was started, from any other (containers included).
        name: the machine's name, for people.
        pid: process id of the runner.
        born: when that process was started, in the kernel's own count.
        token: unique to the lease.
    """

    machine: str
    name: str
    pid: int
    born: str
    token: str

    @property
    def title(self) -> str:
        """Name the holder for people."""
        return f"process {self.pid} on {self.name}"

    @property
    def dead(self) -> bool:
        """Whether the holder is known to have ended; never for one on another machine."""
        return self.machine == machine() and born(self.pid) != self.born


@lru_cache(maxsize=1)
def machine() -> str:
    """Return what tells this machine, since it was started, from any other.

    Containers on one host share the boot, but each has process ids of its own.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")[:12]
        return f"{boot}{os.readlink('/proc/self/ns/pid').strip('pid:[]')}"
    except OSError:
        return "".join(c for c in platform.node() if c.isalnum())


def born(pid: int) -> str:
    """Return when a process was started, in clock ticks since boot; empty if it does not run."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
        return "alive" if _exists(pid) else ""
    return "" if status[0] in "ZX" else status[19]


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


class Leases:
    """The leases of one results folder, and those that this process holds.

    Use as a context manager: a thread sends the heartbeats; at the end all are given back.

    Args:
        root: the results folder; must exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._held: dict[str, Holder] = {}
        self._clock = -math.inf, 0.0  # when it was read, by ours, and what it said
        self._ended = threading.Event()
        self._pulse = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._pulse.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for cell in list(self._held):
            self.release(cell)

    def _path(self, cell: str) -> Path:
        return self.root / f"{_PREFIX}{cell}"

    def holder(self, cell: str) -> Holder | None:
        """Return who works on a cell now; None if nobody does.

        A lease that cannot be read counts until it expires.
        """
        try:
            with self._path(cell).open("rb") as file:  # opened: so NFS asks its server
                touched, text = os.fstat(file.fileno()).st_mtime, file.read()
        except OSError:
            return None
        holder = _parse(text) or Holder("", "an unknown machine", 0, "", "")
        return None if holder.dead or self._now() - touched > EXPIRY else holder

    def _now(self) -> float:
        """Return the time by the file system's own clock.

        That clock is read once in a while, since it takes making a file.
        """
        read, clock = self._clock
        if (since := time.monotonic() - read) > HEARTBEAT:
            clock, since = file_clock(self.root), 0.0
            self._clock = time.monotonic(), clock
        return clock + since

    def beat(self, cell: str) -> float:
        """Return when the lease of a cell was last touched; 0 where there is none."""
        try:
            return self._path(cell).stat().st_mtime
        except OSError:
            return 0.0

    def take(self, cell: str) -> bool:
        """Take the lease of a cell; returns whether this process has it now."""
        path = self._path(cell)
        with locked(self.root):
            if self.holder(cell) is not None:
                return False
            with suppress(FileNotFoundError):
                path.unlink()  # of a holder that is dead or silent
            mine = Holder(
                machine(), platform.node(), os.getpid(), born(os.getpid()), uuid.uuid4().hex
            )
            try:
                handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
            except FileExistsError:
                return False
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(asdict(mine), file)
            except OSError as error:  # a full disk: an empty lease would hold the cell
                path.unlink(missing_ok=True)
                raise PdebenchError(
                    f"cannot write to '{self.root}': {error.strerror}; make room, then run again"
                ) from None
            self._held[cell] = mine
            return True

    def holds(self, cell: str) -> bool:
        """Whether this process still has the lease: another may have taken it over."""
        mine = self._held.get(cell)
        return mine is not None and _read(self._path(cell)) == mine

    def release(self, cell: str) -> None:
        """Give a lease back, unless another has taken it over."""
        with locked(self.root):
            if self.holds(cell):
                with suppress(OSError):
                    self._path(cell).unlink()
            self._held.pop(cell, None)

    def sweep(self) -> None:
        """Remove the leases of runners that died on this machine."""
        with locked(self.root):
            for path in self.root.glob(f"{_PREFIX}*"):
                cell = path.name.removeprefix(_PREFIX)
                holder = _read(path)
                if cell not in self._held and holder is not None and holder.dead:
                    path.unlink(missing_ok=True)

    def others(self) -> list[Holder]:
        """Return who else works in this folder, one holder per cell."""
        cells = [path.name.removeprefix(_PREFIX) for path in self.root.glob(f"{_PREFIX}*")]
        holders = [self.holder(cell) for cell in cells if cell not in self._held]
        return [holder for holder in holders if holder is not None]

    def _beat(self) -> None:
        while not self._ended.wait(HEARTBEAT):
            for cell in list(self._held):
                if self.holds(cell):
                    with suppress(OSError):
                        os.utime(self._path(cell))


def _read(path: Path) -> Holder | None:
    """Return the holder that a lease names; None if it cannot be read.

    What a newer version says beyond that is passed over: its lease counts all the same.
    """
    try:
        return _parse(path.read_bytes())
    except OSError:
        return None


def _parse(text: bytes) -> Holder | None:
    try:
        said = json.loads(text)
        return Holder(**{each.name: said[each.name] for each in fields(Holder)})
    except (ValueError, TypeError, KeyError):
        return None
