"""`pdebench data` and the problem `pdebench-file`: data files in the layout of PDEBench."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pdebench_lite import Command, hookimpl

if TYPE_CHECKING:  # takes long to import, and listing the methods needs none
    from pdebench_lite.problem import Problem


@hookimpl
def pdebench_problems() -> "Sequence[type[Problem]]":
    """Return the problem that is read from a file."""
    from pdebench_data.family_file import PdebenchFile

    return (PdebenchFile,)


@hookimpl
def pdebench_commands() -> Sequence[Command]:
    """Return the verbs of this plugin."""
    return (Command("data", "pdebench_data.verb:data"),)
