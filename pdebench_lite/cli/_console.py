"""How commands print to a terminal: with colours or without, and in lines of how many columns."""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_NARROWEST = 40  # columns: a terminal that states fewer (some state 0 or 1) is not believed


def colourful() -> bool:
    """Whether stdout shows colours: a terminal that can, whose user did not ask for none."""
    able = sys.stdout.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")
    return able and not os.environ.get("NO_COLOR")


def make_console() -> "Console":
    """Return a console on stdout that reads no markup."""
    from rich.console import Console

    made = Console(highlight=False, markup=False)
    made.width = max(made.width, _NARROWEST)
    return made
