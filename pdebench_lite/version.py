"""Which version of this program runs, and what was written by a later one."""

import re
from importlib.metadata import version

from pdebench_lite.errors import NewerError

VERSION = version("pdebench-lite")


def later(other: object) -> bool:
    """Whether a version is later than that of this program; not if it is not a version."""
    return isinstance(other, str) and _order(other) > _order(VERSION)


def _order(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"[0-9]{1,9}", text)))[:3]


def made_by_newer(path: object, what: str) -> NewerError:
    """Return the error of a file that a newer version wrote.

    Args:
        path: the file.
        what: the version, or what shows that it is a newer one.
    """
    return NewerError(
        f"{path}: made by a newer version of pdebench-lite ({what}; this is {VERSION}); update "
        "with pip install -U pdebench-lite, or use another --results folder"
    )
