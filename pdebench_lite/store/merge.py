"""Merging: the results folders of several machines in one, without overwriting what differs."""

import json
import re
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pdebench_lite.errors import PdebenchError
from pdebench_lite.store.leases import Leases
from pdebench_lite.store.records import (
    ENVIRONMENTS,
    FIELDS,
    HISTORY,
    LOG,
    RECORD,
    WEIGHTS,
    Record,
    Store,
)

ARTIFACTS = (HISTORY, FIELDS, WEIGHTS, LOG)
Prefer: TypeAlias = Literal["", "first", "newest"]
Outcome: TypeAlias = Literal["kept", "copied", "duplicate", "conflict", "resolved", "busy", "newer"]


@dataclass(frozen=True)
class Copy:
    """One record of one cell, and where it lies."""

    record: Record
    folder: Path

    @property
    def artifacts(self) -> list[str]:
        """Names of the files next to the record; links are none of them."""
        return [n for n in ARTIFACTS if _regular(self.folder / n)]


@dataclass(frozen=True)
class Decision:
    """What was done with one cell.

    Attributes:
        title: the cell, for people.
        cell: its hash.
        outcome: `kept`: only the target had it; `copied`: only one source; `duplicate`: several
            folders had equal records; `conflict`: their records differ, and nothing was done;
            `resolved`: they differ, and one was taken; `busy`: a runner works on the cell in the
            target, and nothing was done; `newer`: the target has a record of it that a newer
            version of the program wrote, and nothing was done.
        folders: the results folders that have the cell.
        taken: the one whose record is in the target now; None if none is.
        differences: names of what differs, with the value in each folder.
    """

    title: str
    cell: str
    outcome: Outcome
    folders: tuple[Path, ...]
    taken: Path | None
    differences: dict[str, list[Any]] = field(default_factory=dict)


@dataclass
class Merged:
    """What became of all cells, and a line for everything that was left out."""

    decisions: list[Decision] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    @property
    def conflicts(self) -> list[Decision]:
        """The cells whose records differ and of which none was taken."""
        return [d for d in self.decisions if d.outcome == "conflict"]


def merge(
    sources: Sequence[Path],
    into: Path,
    prefer: Prefer = "",
    artifacts: Sequence[str] = ARTIFACTS,
) -> Merged:
    """Copy the records of several results folders into one. The sources are only read.

    What the target holds already takes part as the first of the folders. Of equal records the one
    with the most files next to it is kept. Names of cells and environments are hashes that were
    checked, and only regular files of known names are copied: nothing can leave the target.

    Args:
        sources: results folders, in order of precedence.
        into: the target; made if it is missing. Runners may be at work in it.
        prefer: which of several different records of a cell to take: that of the first folder, or
            the one that was started last; by default none.
        artifacts: names of the files to copy next to `record.json`.

    Raises:
        PdebenchError: a source is not a folder, or is the target; the target cannot be written.
    """
    target = Store(into)
    for source in sources:
        if not source.is_dir():
            raise PdebenchError(f"no results folder '{source}'; name folders that exist")
        if source.resolve() == into.resolve():
            raise PdebenchError(f"'{source}' is the target itself; leave it out of the sources")
    target.prepare()
    done = Merged()
    folders = list({path.resolve(): path for path in (into, *sources)}.values())
    cells: dict[str, list[Copy]] = {}
    for path in folders:
        for copy in _copies(Store(path), done.left_out):
            cells.setdefault(copy.record.cell, []).append(copy)
    environments: dict[str, list[Path]] = {}
    for found in cells.values():
        decision, best = _decide(found, into, prefer, artifacts)
        if best is not None and best.folder.parent != into:
            if Leases(into).holder(decision.cell) is not None:
                decision, best = _left_alone(decision, "busy"), None
            elif not _publish(best, target, artifacts):
                decision, best = _left_alone(decision, "newer"), None
        done.decisions.append(decision)
        if best is not None and best.record.environment:
            alike = [copy.folder.parent for copy in found if copy.record == best.record]
            environments.setdefault(best.record.environment, []).extend(alike)
    done.left_out += _keep_environments(environments, target)
    return done


def _copies(store: Store, left_out: list[str]) -> Iterable[Copy]:
    loaded = store.load_as_written()
    left_out += loaded.unsound
    for record in loaded.records:
        folder = store.folder(record.cell)
        if folder.is_symlink() or (folder / RECORD).is_symlink():
            left_out.append(f"{folder}: is a link, and links are not followed")
            continue
        left_out += [
            f"{folder / n}: is a link, and links are not followed"
            for n in ARTIFACTS
            if (folder / n).is_symlink()
        ]
        yield Copy(record, folder)


def _regular(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


# ---- one cell --------------------------------------------------------------------------------


def _decide(
    found: list[Copy], into: Path, prefer: Prefer, artifacts: Sequence[str]
) -> tuple[Decision, Copy | None]:
    """Return what becomes of a cell, and the copy that shall be in the target if any."""
    first = found[0]
    here = first if first.folder.parent == into else None
    about = (first.record.identity.title, first.record.cell)
    where = tuple(copy.folder.parent for copy in found)
    differences = _differences([copy.record for copy in found])
    if differences and not prefer:
        stays = None if here is None else here.folder.parent
        return Decision(*about, "conflict", where, stays, differences), None
    best = max(found, key=_started) if prefer == "newest" else first
    alike = [copy for copy in found if copy.record == best.record]
    best = max(alike, key=lambda copy: len(set(copy.artifacts) & set(artifacts)))
    outcome: Outcome = "resolved" if differences else "duplicate" if len(found) > 1 else "copied"
    if best is here and outcome == "copied":
        outcome = "kept"
    return Decision(*about, outcome, where, best.folder.parent, differences), best


def _left_alone(decision: Decision, why: Literal["busy", "newer"]) -> Decision:
    return Decision(decision.title, decision.cell, why, decision.folders, None)


def _started(copy: Copy) -> datetime:
    """Return when a record was begun; one that does not say so is the oldest."""
    try:
        moment = datetime.fromisoformat(copy.record.started)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _differences(records: Sequence[Record]) -> dict[str, list[Any]]:
    """Return what is not the same in all records: field or metric -> the value of each."""
    rows = [record.model_dump(mode="json") for record in records]
    different = [name for name in rows[0] if any(row[name] != rows[0][name] for row in rows)]
    found: dict[str, list[Any]] = {}
    for name in different:
        if name != "metrics":
            found[name] = [row[name] for row in rows]
            continue
        for metric in dict.fromkeys(m for row in rows for m in row[name]):
            values = [row[name].get(metric) for row in rows]
            if any(value != values[0] for value in values):
                found[metric] = values
    if different == ["metrics"] and not found:  # one lists a metric without a value
        found["metrics"] = [row["metrics"] for row in rows]
    return found


def _publish(copy: Copy, target: Store, artifacts: Sequence[str]) -> bool:
    """Copy a record into the target; returns whether that was done, not over a newer version's."""
    workspace = target.workspace(copy.record.cell)
    try:
        for name in set(copy.artifacts) & set(artifacts):
            shutil.copyfile(copy.folder / name, workspace / name, follow_symlinks=False)
        if target.publish(copy.record, workspace) is not None:
            return True
        shutil.rmtree(workspace)
        return False
    except OSError as error:
        shutil.rmtree(workspace, ignore_errors=True)
        raise PdebenchError(
            f"cannot copy '{copy.folder}' to '{target.root}': {error.strerror or error}"
        ) from None


# ---- environments ----------------------------------------------------------------------------


def _keep_environments(wanted: dict[str, list[Path]], target: Store) -> list[str]:
    """Copy the environments that records name; returns a line for each that cannot be."""
    lines = []
    for digest, roots in wanted.items():
        mine = read_environment(target.root, digest)
        for root in dict.fromkeys(roots):
            its = read_environment(root, digest)
            if its is None:
                lines.append(f"{_environment_file(root, digest)}: missing or no environment")
            elif mine is None:
                target.keep_environment(its, digest)
                mine = its
            elif its != mine:
                lines.append(
                    f"{_environment_file(root, digest)}: differs from the target's, which stays"
                )
    return lines


def _environment_file(root: Path, digest: str) -> Path:
    return root / ENVIRONMENTS / f"{digest}.json"


def read_environment(root: Path, digest: str) -> dict[str, Any] | None:
    """Return an environment of a results folder; None if it is missing or garbage.

    Args:
        root: the results folder.
        digest: hash of the environment, as records name it.
    """
    path = _environment_file(root, digest)
    if not re.fullmatch(r"\w{1,64}", digest) or path.is_symlink():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return stored if isinstance(stored, dict) else None
