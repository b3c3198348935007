"""YAML read safely: plain data and the line of each part; no tags, no anchors, bounded in size."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from pdebench_lite.errors import PdebenchError
from pdebench_lite.selectors import parse_value

Place: TypeAlias = tuple[str | int, ...]
SIZE_LIMIT = 256_000  # bytes
DEPTH_LIMIT = 20


@dataclass(frozen=True)
class Source:
    """A YAML text as data, with the line on which each part of it stands.

    Attributes:
        name: the file's name, for messages.
        data: nested dicts with text keys, lists, numbers, texts, booleans, None.
        lines: place (keys and indices from the top) -> line, from 1.
        given: keys at the top that come from the command line and not from the file.
    """

    name: str
    data: Any
    lines: dict[Place, int] = field(default_factory=dict)
    given: frozenset[str] = frozenset()

    def error(self, place: Place, message: str) -> PdebenchError:
        """Return the error that says what is wrong at a place, or at the nearest one above."""
        if place and place[0] in self.given:
            return PdebenchError(message)
        known = [place[:n] for n in range(len(place), -1, -1) if place[:n] in self.lines]
        line = self.lines[known[0]] if known else 1
        return PdebenchError(f"{self.name}:{line}: {message}")


def read(path: Path) -> Source:
    """Read a YAML file.

    Raises:
        PdebenchError: it cannot be read, is too large, no UTF-8 or no YAML of the kind that is
            read here; the message begins with file and line.
    """
    try:
        with path.open("rb") as file:
            content = file.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or error
        raise PdebenchError(
            f"cannot read '{path}': {reason}; name a study file, or write "
            "pdebench run --problem … --methods …"
        ) from None
    if len(content) > SIZE_LIMIT:
        raise PdebenchError(f"{path}: over {SIZE_LIMIT} bytes, too large for a study")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PdebenchError(f"{path}:{line}: not UTF-8; save the file as UTF-8") from None
    return parse(text, str(path))


def parse(text: str, name: str) -> Source:
    """Read a YAML text.

    Scalars without quotes are read as in selectors (`1e-3` is a number, `yes` a word), those with
    quotes are texts. A key may stand once.

    Raises:
        PdebenchError: it is not YAML, or has tags, anchors, several documents, a key twice, a key
            that is not a scalar, or too many levels.
    """
    builder = _Builder(name)
    try:
        return builder.source(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        hint = ""
        if "flow" in str(error.context):
            hint = "; put selectors that stand inside [ ] or { } in quotes"
        elif r"'\t'" in str(error.problem):
            hint = "; indent with spaces"
        raise PdebenchError(f"{name}:{line}: {error.problem or error.context}{hint}") from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = f"#x{error.character:04x}" if isinstance(error.character, int) else "odd bytes"
        raise PdebenchError(f"{name}:{line}: the character {character} is not allowed") from None
    except (ValueError, OverflowError) as error:  # an escape that stands for no character
        raise PdebenchError(f"{name}:{builder.line}: {error}") from None


class _Builder:
    """Makes data of the parser's events, noting lines."""

    def __init__(self, name: str) -> None:
        self.name, self.line = name, 1
        self.lines: dict[Place, int] = {}

    def _refuse(self, message: str) -> PdebenchError:
        return PdebenchError(f"{self.name}:{self.line}: {message}")

    def source(self, events: Iterator[yaml.Event]) -> Source:
        documents, data = 0, None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                self.line = _line(event)
                if documents > 1:
                    raise self._refuse("a second document begins; a study is one")
            elif isinstance(event, yaml.NodeEvent):
                data = self._node(event, events, ())
        return Source(self.name, data, self.lines)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], place: Place) -> Any:
        self.line = _line(event)
        self.lines.setdefault(place, self.line)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise self._refuse("anchors and aliases (& and *) are not read; write it out")
        if getattr(event, "tag", None):
            raise self._refuse("tags (!) are not read; leave them out")
        if any("\ud800" <= c <= "\udfff" for c in getattr(event, "value", "")):
            raise self._refuse(
                "half of a surrogate pair is not a character; write \\U and 8 digits"
            )
        if len(place) > DEPTH_LIMIT:
            raise self._refuse(f"nested more than {DEPTH_LIMIT} levels deep")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(events, place)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(events, place)
        assert isinstance(event, yaml.ScalarEvent)
        return _plain(event.value) if event.style is None else event.value

    def _sequence(self, events: Iterator[yaml.Event], place: Place) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, events, (*place, len(items))))
        return items

    def _mapping(self, events: Iterator[yaml.Event], place: Place) -> dict[str, Any]:
        items: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            self.line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise self._refuse("a key must be a word; put a selector in quotes")
            key = event.value
            self._node(event, events, (*place, key))  # its line; no tag, no anchor
            if key in items:
                raise self._refuse(f"'{key}' is given twice")
            items[key] = self._node(next(events), events, (*place, key))
        return items


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _plain(text: str) -> Any:
    """Read a scalar without quotes."""
    return None if text in ("", "~") else parse_value(text)
