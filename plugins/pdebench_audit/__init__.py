"""`pdebench audit`: how far published reference files are from our certified references."""

from collections.abc import Sequence

from pdebench_lite import Command, hookimpl


@hookimpl
def pdebench_commands() -> Sequence[Command]:
    """Return the verbs of this plugin."""
    return (Command("audit", "pdebench_audit.verb:audit"),)
