"""Standard streams that never end the work: closed, full, without a reader, of a small alphabet."""

import codecs
import errno
import io
import os
import select
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_USUAL = ("strict", "surrogateescape", "backslashreplace")  # ways to treat what cannot be encoded
_ALIKE = {
    "−": "-", "–": "-", "—": "-", "─": "-", "·": "|", "…": "...", "×": "x", "∞": "inf", "≤": "<=",
    "≥": ">=", "±": "+-", "→": "->", "½": "1/2", "●": "*",
}  # fmt: skip


class _Steady(io.FileIO):
    """A file that takes everything; the first error of writing is kept as `error`."""

    error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write what can be written; of the rest nothing is heard but `error`."""
        try:
            while (count := super().write(data)) is None:  # others made the pipe non-blocking
                select.select([], [self], [])
            return count
        except OSError as error:
            self.error = self.error or error
            return len(data)


def look_alike(error: UnicodeError) -> tuple[str, int]:
    """Replace what an encoding lacks: ν by nu, ₂ by 2, – by -, and others by an escape."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(map(_alike, text)), error.end


def _alike(character: str) -> str:
    if character in _ALIKE:
        return _ALIKE[character]
    if plain := unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode():
        return plain
    if (name := unicodedata.name(character, "")).startswith("GREEK SMALL LETTER "):
        return name.rpartition(" ")[2].lower()
    return character.encode("ascii", "backslashreplace").decode()


codecs.register_error("look_alike", look_alike)


@contextmanager
def steady() -> Iterator[list[OSError]]:
    """Make the standard streams of this process such that writing to them never fails.

    A reader that has left (`| head`) or a stream that was closed (`>&-`) wants to know no more: the
    work goes on. What is lost for another reason, such as a full disk, is told at the end.

    Yields:
        A list; at the end it holds the error by which stdout lost something, if there was one.
    """
    lost: list[OSError] = []
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: the next file that is opened would take its number
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    before = sys.stdout, sys.stderr
    sys.stdout, out = _wrapped(sys.stdout, sys.__stdout__)
    sys.stderr, _ = _wrapped(sys.stderr, sys.__stderr__)
    try:
        yield lost
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        sys.stdout, sys.stderr = before
        if out is not None and out.error is not None and out.error.errno != errno.EPIPE:
            lost.append(out.error)


def _wrapped(stream: Any, own: Any) -> tuple[Any, _Steady | None]:
    """Return a stream over the same file that never fails; a stranger's stream as it is."""
    if stream is None:  # Python's sign of a closed one
        return open(os.devnull, "w", encoding="utf-8"), None
    if stream is not own:
        return stream, None
    stream.flush()
    file = _Steady(stream.fileno(), "w", closefd=False)
    text = io.TextIOWrapper(
        io.BufferedWriter(file),
        encoding=stream.encoding,
        errors="look_alike" if stream.errors in _USUAL else stream.errors,
        line_buffering=stream.line_buffering or stream.write_through,
    )
    return text, file
