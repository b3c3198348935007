"""`pdebench claims`: the claims of the lecture that this program began with, tested."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pdebench_lite import Command, hookimpl

if TYPE_CHECKING:
    from pdebench_claims.claim import Claim


@hookimpl
def pdebench_claims() -> "Sequence[Claim]":
    """Return the claims."""
    from pdebench_claims import differentiation, effort, physics, supervised

    return (*supervised.CLAIMS, *differentiation.CLAIMS, *physics.CLAIMS, *effort.CLAIMS)


@hookimpl
def pdebench_commands() -> Sequence[Command]:
    """Return the verbs of this plugin."""
    return (Command("claims", "pdebench_claims.verb:claims"),)
