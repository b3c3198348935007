"""Method `jinns`: the library jinns, on JAX."""

from typing import Literal

from pydantic import Field

from pdebench_lite.method import Method, Support
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


def _supports(task: Task, config: PinnPeerSettings) -> Support:
    absent = missing(DISTRIBUTION)
    return Support(False, f"jinns {absent}") if absent else fits_a_pinn_library(task)


JINNS = Method(
    name="jinns",
    family="physics-informed",
    summary="peer: jinns (JAX); its natural gradient, self-scaled Broyden, or Adam",
    solvers={"jax": "pdebench_peers._jinns:solve"},
    Config=JinnsSettings,
    supports=_supports,
    requires=("jinns",),
    citation="""@article{gangloff2024jinns,
  author = {Gangloff, Hugo and Jouvin, Nicolas},
  title = {jinns: a {JAX} library for physics-informed neural networks}, year = {2024},
  eprint = {2412.14132}, archivePrefix = {arXiv}}""",
)
