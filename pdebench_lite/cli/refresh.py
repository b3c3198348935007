"""`pdebench refresh`: the tables within documents, made again by the commands that stand there."""

import io
import re
import shlex
from contextlib import redirect_stdout
from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.errors import PdebenchError
from pdebench_lite.files import write_whole

EXAMPLES = """\b
Examples:
  pdebench refresh README.md results/peers.md
  pdebench refresh --check README.md

\b
A table in a document, in Markdown:
  <!-- pdebench table --aggregate --format md -->
  <!-- /pdebench -->
"""

_VERBS = ("table", "compare", "payoff")  # they only read
_BEGIN = re.compile(r"^<!-- pdebench (?P<words>.+?) -->\n", re.MULTILINE)
_END = re.compile(r"^<!-- /pdebench -->$", re.MULTILINE)


def refresh(
    documents: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Documents.")],
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit status 1 if one is out of date.")
    ] = False,
) -> int:
    """Make the tables within documents again.

    What stands between a comment that holds a command, `<!-- pdebench table … -->` or compare, and
    `<!-- /pdebench -->` is replaced by what the command prints. Paths are those of this folder.
    """
    outdated = 0
    for document in documents:
        try:
            old = document.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise PdebenchError(f"cannot read '{document}': {reason}") from None
        new = _refreshed(document, old)
        outdated += new != old
        verdict = "up to date" if new == old else "out of date" if check else "written"
        if new != old and not check:
            try:
                write_whole(document, new)
            except OSError as error:
                raise PdebenchError(f"cannot write '{document}': {error.strerror}") from None
        print(f"{document}: {verdict}")
    return 1 if check and outdated else 0


def _refreshed(document: Path, text: str) -> str:
    """Return a document in which every command's output is that of now."""
    parts, position = [], 0
    while begin := _BEGIN.search(text, position):
        line = text.count("\n", 0, begin.start()) + 1
        end = _END.search(text, begin.end())
        following = _BEGIN.search(text, begin.end())
        if end is None or (following is not None and following.start() < end.start()):
            raise PdebenchError(f"{document}:{line}: no line '<!-- /pdebench -->' ends this table")
        parts += [text[position : begin.end()], _printed(begin["words"], f"{document}:{line}")]
        position = end.start()
    if not parts:
        raise PdebenchError(
            f"'{document}' holds no table; begin one with a line '<!-- pdebench table -->'"
        )
    return "".join([*parts, text[position:]])


def _printed(line: str, place: str) -> str:
    """Return what a command prints."""
    from pdebench_lite.cli import application, commands_for

    try:
        words = shlex.split(line)
    except ValueError as error:
        raise PdebenchError(f"{place}: '{line}' is not a command: {error}") from None
    if words[0] not in _VERBS:
        raise PdebenchError(
            f"{place}: 'pdebench {words[0]}' makes no table; write one of: {', '.join(_VERBS)}"
        )
    out = io.StringIO()
    with redirect_stdout(out):
        try:
            application(commands_for(words))(words, prog_name="pdebench", standalone_mode=False)
        except PdebenchError as error:
            raise PdebenchError(f"{place}: {error}") from None
        except Exception as error:
            said = getattr(error, "format_message", None)  # typer's usage errors
            if said is None:
                raise
            raise PdebenchError(f"{place}: {said()} (see: pdebench {words[0]} --help)") from None
    return out.getvalue()
