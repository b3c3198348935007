"""SHA256SUMS: what a bundle holds, and whether somebody has changed it since."""

import hashlib
from pathlib import Path

from pdebench_lite.errors import PdebenchError
from pdebench_paper.instructions import SUMS


def write_sums(folder: Path) -> None:
    """List every file of a folder with its hash, in the format of `sha256sum`."""
    paths = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != SUMS)
    lines = [f"{_hash(path)}  {path.relative_to(folder).as_posix()}\n" for path in paths]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def written_before(folder: Path) -> list[Path]:
    """Return the files that an earlier bundle left in a folder, all of them as it left them.

    Raises:
        PdebenchError: one of them was changed since.
    """
    try:
        text = (folder / SUMS).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return []
    found = []
    for line in text.splitlines():
        expected, _, name = line.partition("  ")
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file():
            continue
        if _hash(path) != expected:
            raise PdebenchError(
                f"'{path}' was changed since it was made; move it away or choose another --out DIR"
            )
        found.append(path)
    return found


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
