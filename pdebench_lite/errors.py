"""The exceptions of pdebench-lite. A message is one line: what is wrong, the value, the remedy."""

import difflib
from collections.abc import Iterable

_MOST = 24  # names that a message lists
_SOME = 8  # names of what a file holds, which may be many thousands


def visible(text: str, kept: str = "") -> str:
    """Return a stranger's text with ? for all that could steer a terminal, but for what is kept."""
    return "".join(c if c.isprintable() or c in kept else "?" for c in text)


class PdebenchError(Exception):
    """A usage error or bad input; the command line prints it as one line and exits with 2.

    Its text may quote what a stranger wrote: it is one line without control characters.
    """

    def __str__(self) -> str:
        return visible(" ".join(super().__str__().split()))


class NewerError(PdebenchError):
    """A newer version of this program wrote a file; it is neither read nor replaced."""


class NotGivenError(PdebenchError):
    """A method asked its view for something that the task does not give."""


class UnsupportedError(PdebenchError):
    """A method cannot do what it was asked for; the cell is recorded as `unsupported`."""


class DivergedError(Exception):
    """Training produced a number that is not finite; the cell is recorded as `diverged`."""


def some(names: Iterable[object]) -> str:
    """List the first names and say how many more there are; empty for none."""
    every = [str(name) for name in names]
    more = f" and {len(every) - _SOME} more" if len(every) > _SOME else ""
    return ", ".join(every[:_SOME]) + more


def unknown_name(kind: str, name: str, known: Iterable[str]) -> PdebenchError:
    """Return the error for a name that does not exist, suggesting the nearest one.

    Args:
        kind: what the name stands for, such as "problem" or "parameter of burgers".
        name: the name that was typed.
        known: the names that exist.
    """
    names = sorted(known)
    folded = {known.casefold(): known for known in names}
    near = [folded[n] for n in difflib.get_close_matches(name.casefold(), folded, 1, cutoff=0.5)]
    hint = f"; did you mean '{near[0]}'?" if near else ""
    listing = f"known: {', '.join(names)}" if names else "there are none"
    if len(names) > _MOST:
        nearest = difflib.get_close_matches(name, names, n=_MOST // 2, cutoff=0.0)
        some = nearest if near else names[: _MOST // 2]
        listing = f"known: {', '.join(some)} and {len(names) - len(some)} more"
    return PdebenchError(f"unknown {kind} '{name}'{hint} ({listing})")
