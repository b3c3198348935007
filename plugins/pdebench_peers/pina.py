"""Method `pina`: the library PINA, on PyTorch and Lightning."""

from pdebench_lite.method import Support
from pdebench_lite.problem import Task
from pdebench_peers.settings import PinnPeerSettings, Recipe, fits_a_pinn_library, missing

DISTRIBUTION = "pina-mathlab"
DOCUMENTED = Recipe(hidden=(30, 20, 10, 5), points=4000, sides=300, initial=150, adam_steps=1000)
"""PINA's own example of Burgers' equation, which releases since March 2025 ship no more:
https://github.com/mathLab/PINA/blob/4177bfb~/examples/run_burgers.py"""


def supports(task: Task, config: PinnPeerSettings) -> Support:
    """Say whether PINA is installed and can state a task."""
    absent = missing(DISTRIBUTION)
    return Support(False, f"pina {absent}") if absent else fits_a_pinn_library(task)
