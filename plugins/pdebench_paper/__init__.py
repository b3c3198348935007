"""`pdebench paper` and `cite`: a folder from which a paper is written and its numbers checked."""

from collections.abc import Sequence

from pdebench_lite import Command, hookimpl


@hookimpl
def pdebench_commands() -> Sequence[Command]:
    """Return the verbs of this plugin."""
    return (
        Command("paper", "pdebench_paper.verb_paper:paper"),
        Command("cite", "pdebench_paper.verb_cite:cite"),
    )
