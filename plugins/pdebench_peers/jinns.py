"""Method `jinns`: the library jinns, on JAX."""

from typing import Literal

from pydantic import Field

from pdebench_lite.method import Support
from pdebench_lite.problem import Task
from pdebench_peers.settings import PinnPeerSettings, Recipe, fits_a_pinn_library, missing

DISTRIBUTION = "jinns"
DOCUMENTED = Recipe(hidden=(16, 16, 16), points=900, sides=2000, initial=2000)
DOCUMENTED_STEPS = 300
"""https://mia_jinns.gitlab.io/jinns/Notebooks/PDE/1D_non_stationary_Burgers/"""


class JinnsSettings(PinnPeerSettings):
    """Settings of `jinns`."""

    optimizer: Literal["ngd", "ssbroyden", "adam"] = Field(
        "ngd",
        description="ngd: natural gradient, as documented; ssbroyden: self-scaled Broyden; adam",
    )


def supports(task: Task, config: PinnPeerSettings) -> Support:
    """Say whether jinns is installed and can state a task."""
    absent = missing(DISTRIBUTION)
    return Support(False, f"jinns {absent}") if absent else fits_a_pinn_library(task)
