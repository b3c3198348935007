"""Files of data that settings name: known by their contents, shown by their name, read by path.

A setting of the type `DataFile` enters a cell's identity by the SHA-256 of the file. Records hold
`name@hash`, labels the same with the first digits of the hash; neither holds a folder. Where a file
of these contents lies is remembered on this machine, in the user's cache, so that a record leads
back to its file and a large file is read only once to hash it.
"""

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

from pdebench_lite.errors import PdebenchError

_STORED = re.compile(r"(?P<name>[^/]+)@(?P<digest>[0-9a-f]{64})", re.DOTALL)
_TYPED = re.compile(r"(?P<path>.+)@(?P<digest>[0-9a-f]{12,64})", re.DOTALL)
_SHORT = 12  # digits of the hash in labels
_SETTLED = 2 * 10**9  # ns: a file this young may change again without a new time stamp


@dataclass(frozen=True)
class DataFile(os.PathLike[str]):
    """A file that a setting names. Two are equal where their contents are.

    Use it as the type of a setting, `path: DataFile | None = None`, and open it like a path.

    Attributes:
        name: the file's name, without its folders.
        digest: SHA-256 of its contents, 64 hexadecimal digits.
        path: where it was found, absolute.
    """

    name: str = field(compare=False)
    digest: str
    path: Path = field(compare=False)

    def __fspath__(self) -> str:
        return str(self.path)

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}"

    @classmethod
    def of(cls, given: Any) -> Self:
        """Return the file of a path, or of `name@hash` as records and labels write it.

        Raises:
            ValueError: there is no such file, it cannot be read, or it has other contents.
        """
        if isinstance(given, cls):
            return given
        text = os.fspath(given) if isinstance(given, str | os.PathLike) else ""
        if not isinstance(text, str) or not text:
            raise ValueError("not the name of a file")
        typed, path = _TYPED.fullmatch(text), _absolute(text)
        if typed is None or os.path.exists(path):
            return cls(path.name, digest_of(path), path)
        path, wanted = _absolute(typed["path"]), typed["digest"]
        for place, seen in _all_seen().items():
            fits = seen.digest.startswith(wanted) and seen.holds(place)
            if fits and digest_of(Path(place)) == seen.digest:
                return cls(path.name, seen.digest, Path(place))
        found = _lacking(path)
        if os.path.exists(path):
            digest = digest_of(path)
            if digest.startswith(wanted):
                return cls(path.name, digest, path)
            found = f"'{path}' has other contents ({digest[:_SHORT]})"
        raise ValueError(
            f"needs the file '{path.name}' whose SHA-256 begins with {wanted[:_SHORT]}, but "
            f"{found}; where it is elsewhere, write FOLDER/{path.name}@{wanted[:_SHORT]}"
        )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls.of, serialization=core_schema.to_string_ser_schema(when_used="always")
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "file-path"}


def _absolute(text: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(text)))


def _lacking(path: Path) -> str:
    """Say what is wrong with a path at which there is no file."""
    if os.path.islink(path):
        return f"'{path}' is a link to '{os.readlink(path)}', which is not there"
    if os.path.exists(path.parent) and not os.access(path.parent, os.X_OK):
        return f"there is no permission to look into '{path.parent}'"
    return f"there is no file '{path}'"


# ---- contents ----------------------------------------------------------------------------------


class Seen(NamedTuple):
    """A file as it was when it was hashed; times in ns since 1970."""

    size: int
    inode: int
    modified: int
    changed: int
    hashed: int
    digest: str

    def holds(self, place: str | os.PathLike[str]) -> bool:
        """Say whether the file is as it was then, as far as its size and times tell."""
        with suppress(OSError):
            return _state(place) == self[:4]
        return False

    @property
    def settled(self) -> bool:
        """Whether a later change would have had another time stamp."""
        return max(self.modified, self.changed) + _SETTLED < self.hashed


def _state(place: str | os.PathLike[str]) -> tuple[int, int, int, int]:
    found = os.stat(place)
    return found.st_size, found.st_ino, found.st_mtime_ns, found.st_ctime_ns


_seen: dict[str, Seen] = {}  # by absolute path, in this process


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file, all of it; one that has not changed is not read again.

    Raises:
        ValueError: it is not a file, cannot be read, or changes while it is read.
    """
    if not os.path.exists(path):
        raise ValueError(f"{_lacking(path)}; give a file's path from this folder, or all of it")
    if not os.path.isfile(path):
        raise ValueError(f"'{path}' is a folder or a device; name the file in it")
    place = str(path)
    for known in (_seen, _kept()):
        if place in known and known[place].settled and known[place].holds(place):
            _seen[place] = known[place]
            return known[place].digest
    try:
        before, began = _state(place), time.time_ns()
        with open(place, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if _state(place) != before:
            raise ValueError(f"'{path}' changes while it is read; wait until it is complete")
    except OSError as error:
        raise ValueError(f"cannot read '{path}': {error.strerror or error}") from None
    _seen[place] = Seen(*before, began, digest)
    _keep(place, _seen[place])
    return digest


def _all_seen() -> dict[str, Seen]:
    """Return all that is known, first what this process has hashed."""
    return {**_seen, **{place: seen for place, seen in _kept().items() if place not in _seen}}


def _cache() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.environ.get("PDEBENCH_CACHE") or f"{home}/pdebench-lite") / "data-files.json"


def _kept() -> dict[str, Seen]:
    """Return what earlier processes have hashed; a cache that cannot be read holds nothing."""
    try:
        stored = json.loads(_cache().read_text(encoding="utf-8"))
        kept = {place: Seen(*values) for place, values in stored.items()}
        return {place: seen for place, seen in kept.items() if isinstance(seen.digest, str)}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _keep(place: str, seen: Seen) -> None:
    """Remember a file on the disk, and forget those that are gone."""
    kept = {**{p: s for p, s in _kept().items() if s.holds(p)}, place: seen}
    path = _cache()
    with suppress(OSError):  # without a cache, the file is hashed again next time
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}-{time.time_ns()}")
        partial.write_text(json.dumps(kept), encoding="utf-8")
        partial.replace(path)


# ---- names in records --------------------------------------------------------------------------


def texts(value: Any) -> Iterator[str]:
    """Yield the texts in JSON values."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            if isinstance(part, str | dict | list | tuple):
                yield from texts(part)


def each(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (name, hash) of each data file in settings as a record keeps them."""
    for text in texts(value):
        if found := _stored(text):
            yield found["name"], found["digest"]


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Return JSON values with each text changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: mapped(part, change) for key, part in value.items()}
    return [mapped(part, change) for part in value] if isinstance(value, list | tuple) else value


def nameless(value: Any) -> Any:
    """Return JSON values with data files by their contents alone: what counts in an identity."""
    return mapped(value, lambda text: found["digest"] if (found := _stored(text)) else text)


def _stored(text: str) -> re.Match[str] | None:
    return _STORED.fullmatch(text) if "@" in text else None


def short(text: str) -> str:
    """Return `name@hash` with the digits of the hash that labels show; other texts as they are."""
    found = _stored(text)
    return f"{found['name']}@{found['digest'][:_SHORT]}" if found else text


def unhashed(label: str) -> str:
    """Return a label with data files by their names alone."""
    return re.sub(rf"@[0-9a-f]{{{_SHORT}}}(?=[\],\"])", "", label)


# ---- a cell and its child ----------------------------------------------------------------------


def places(values: Any) -> dict[str, Seen]:
    """Return where the data files of a cell lie, and how they were when they were hashed.

    Args:
        values: settings as a record keeps them.
    """
    wanted, found = {digest for _, digest in each(values)}, {}
    for place, seen in _all_seen().items() if wanted else ():
        if seen.digest in wanted and seen.holds(place):
            found[place] = seen
            wanted.remove(seen.digest)
    return found


def check_unchanged(files: Mapping[str, Seen]) -> None:
    """Check that files are what they were; a record of other contents would be wrong.

    Raises:
        PdebenchError: one has changed, or is no longer there.
    """
    for place, seen in files.items():
        try:
            same = seen.holds(place) or digest_of(Path(place)) == seen.digest
        except ValueError:
            same = False
        if not same:
            raise PdebenchError(f"'{place}' was changed while a cell read it; run the cell again")


def learn(known: Mapping[str, list[Any]]) -> None:
    """Take over what another process has found out, as `places` returned it, through JSON."""
    _seen.update({place: Seen(*values) for place, values in known.items()})


def without_folders(text: str, values: Any) -> str:
    """Return a message with the data files of a cell by their names, not their paths."""
    names = {digest: name for name, digest in each(values)}
    for place, seen in dict(_seen).items():  # other cells may be at work in other threads
        if seen.digest in names:
            for path in (place, os.path.realpath(place)):
                text = text.replace(path, names[seen.digest])
    return text
