"""`pdebench doctor`: whether this machine can run cells, and whether its numbers can be trusted."""

from collections.abc import Sequence

from pdebench_lite import Command, hookimpl


@hookimpl
def pdebench_commands() -> Sequence[Command]:
    """Return the verbs of this plugin."""
    return (Command("doctor", "pdebench_doctor.verb:doctor"),)
