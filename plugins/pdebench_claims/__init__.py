"""The claims of the lecture that this program began with, tried: one module per subject."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pdebench_lite import hookimpl

if TYPE_CHECKING:
    from pdebench_lite.claims import Claim


@hookimpl
def pdebench_claims() -> "Sequence[Claim]":
    """Return the claims."""
    from pdebench_claims import differentiation, effort, physics, supervised

    return (*supervised.CLAIMS, *differentiation.CLAIMS, *physics.CLAIMS, *effort.CLAIMS)
