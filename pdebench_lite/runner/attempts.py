"""Attempts at a cell: how many were lost, how far they came and how long they took.

A workspace holds what its attempt started from. A runner that dies with its child cannot say so;
the next one reads it from what is left.
"""

import json
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from pdebench_lite.runner.child import JOURNAL
from pdebench_lite.store.checkpoints import CHECKPOINT, discard_checkpoint, read_checkpoint
from pdebench_lite.store.records import LEFT, LOG

ATTEMPTS = 3  # how often in a row an attempt may be lost, and come no further, before we give up
ATTEMPT = "attempt.json"


@dataclass(frozen=True)
class Attempt:
    """What an attempt starts from.

    Attributes:
        fingerprint: sources and libraries that it runs with.
        resumed, restarted: earlier attempts after which it went on, or began again.
        lost: attempts in a row, this one included once it has begun, that were killed, or whose
            runner was, and that had come no further than the one before.
        start: step of the checkpoint that it goes on from; -1: from the beginning.
        wall_s: seconds that earlier attempts took.
    """

    fingerprint: dict[str, str] = field(default_factory=dict)
    resumed: int = 0
    restarted: int = 0
    lost: int = 0
    start: int = -1
    wall_s: float = 0.0


def read(workspace: Path) -> Attempt:
    """Return what the attempt in a workspace started from; that of a first one if nothing says."""
    with suppress(OSError, ValueError, TypeError):
        return Attempt(**json.loads((workspace / ATTEMPT).read_text(encoding="utf-8")))
    return Attempt()


def write(workspace: Path, attempt: Attempt) -> None:
    """Note what an attempt starts from."""
    (workspace / ATTEMPT).write_text(json.dumps(asdict(attempt)), encoding="utf-8")


def begin(workspace: Path, attempt: Attempt) -> None:
    """Note that an attempt begins: should its runner die too, it is one that was lost."""
    write(workspace, replace(attempt, lost=attempt.lost + 1, start=_steps(workspace)))


def inherit(left: Iterable[Path], workspace: Path, fingerprint: dict[str, str]) -> Attempt:
    """Take up what earlier runners left of a cell: the workspace that had come furthest.

    Args:
        left: their workspaces, which are removed.
        workspace: of the next attempt.
        fingerprint: what that will be run with.
    """
    folders = list(left)
    attempt = Attempt(fingerprint)
    if folders:
        furthest = max(folders, key=_steps)
        attempt = go_on(furthest, workspace, fingerprint)
        others = [read(folder).wall_s + _spent(folder) for folder in folders if folder != furthest]
        attempt = replace(attempt, wall_s=attempt.wall_s + sum(others))
    write(workspace, attempt)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return attempt


def go_on(old: Path, new: Path, fingerprint: dict[str, str], spent: float | None = None) -> Attempt:
    """Put into a workspace what the next attempt at a cell starts from.

    A checkpoint that other sources or libraries made is not gone on from.

    Args:
        old: workspace of the attempt that was killed.
        new: workspace of the next one; may be the same.
        fingerprint: what the next attempt will be run with.
        spent: seconds that the old attempt took; read from its files if nobody knows.
    """
    before, reached = read(old), _steps(old)
    same = before.fingerprint == fingerprint
    usable = same and reached >= 0
    in_order = (old / LEFT).exists()  # its runner was asked to stop, and did
    lost = max(0, before.lost - in_order) if same and reached <= before.start else 0
    wall = before.wall_s + (_spent(old) if spent is None else spent)
    begun = int((old / JOURNAL).exists())
    if not usable:
        discard_checkpoint(new)
    elif old != new:
        for path in (old / CHECKPOINT, *old.glob("checkpoint-*.npz")):
            shutil.copy2(path, new / path.name)
    attempt = Attempt(
        fingerprint,
        before.resumed + begun * usable,
        before.restarted + begun * (not usable),
        lost,
        wall_s=wall,
    )
    (new / JOURNAL).unlink(missing_ok=True)
    write(new, attempt)
    return attempt


def _steps(folder: Path) -> int:
    checkpoint = read_checkpoint(folder)
    return -1 if checkpoint is None else int(checkpoint.harness["steps"])


def _spent(folder: Path) -> float:
    """Return the seconds from the beginning of an attempt to its last sign of life."""
    signs = []
    for name in (ATTEMPT, JOURNAL, CHECKPOINT, LOG, LEFT):
        with suppress(OSError):
            signs.append((folder / name).stat().st_mtime)
    return max(signs) - signs[0] if (folder / ATTEMPT).exists() else 0.0
