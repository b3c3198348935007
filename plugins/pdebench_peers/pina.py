"""Method `pina`: the library PINA, on PyTorch and Lightning."""

from pdebench_lite.method import Method, Support
from pdebench_lite.problem import Task
from pdebench_peers.settings import PinnPeerSettings, Recipe, fits_a_pinn_library, missing

DISTRIBUTION = "pina-mathlab"
DOCUMENTED = Recipe(hidden=(30, 20, 10, 5), points=4000, sides=300, initial=150, adam_steps=1000)
"""PINA's own example of Burgers' equation, which releases since March 2025 ship no more:
https://github.com/mathLab/PINA/blob/4177bfb~/examples/run_burgers.py"""


def _supports(task: Task, config: PinnPeerSettings) -> Support:
    absent = missing(DISTRIBUTION)
    return Support(False, f"pina {absent}") if absent else fits_a_pinn_library(task)


PINA = Method(
    name="pina",
    family="physics-informed",
    summary="peer: PINA (torch, Lightning); Adam, with preset=matched then L-BFGS",
    solvers={"torch": "pdebench_peers._pina:solve"},
    Config=PinnPeerSettings,
    supports=_supports,
    requires=("pina-mathlab",),
    citation="""@article{coscia2023pina,
  author = {Coscia, Dario and Ivagnes, Anna and Demo, Nicola and Rozza, Gianluigi},
  title = {Physics-Informed Neural networks for Advanced modeling},
  journal = {Journal of Open Source Software}, volume = {8}, number = {87}, pages = {5352},
  year = {2023}, doi = {10.21105/joss.05352}}""",
)
