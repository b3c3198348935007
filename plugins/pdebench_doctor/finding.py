"""Finding: one thing that was looked at, how it is, and what mends it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Level: TypeAlias = Literal["ok", "note", "warning", "error"]
LEVELS: tuple[Level, ...] = ("ok", "note", "warning", "error")


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        section: what it belongs to, such as `clock`.
        name: what was looked at.
        level: `ok`; `note`: worth knowing; `warning`: numbers suffer; `error`: unusable.
        found: what is the case, with its value.
        remedy: the command that mends it, or what else helps; empty if nothing is to be done.
    """

    section: str
    name: str
    level: Level
    found: str
    remedy: str = ""


def read(path: Path) -> str:
    """Return the text of a small file of the kernel's, stripped; empty if it cannot be read."""
    try:
        return path.read_text().strip()
    except (OSError, ValueError):
        return ""
