"""Method `deepxde`: the library DeepXDE, on PyTorch and on JAX."""

from pdebench_lite.method import Support
from pdebench_lite.problem import Task
from pdebench_peers.settings import PinnPeerSettings, Recipe, fits_a_pinn_library, missing

DISTRIBUTION = "deepxde"
DOCUMENTED = Recipe(hidden=(20, 20, 20), points=2540, sides=80, initial=160, adam_steps=15000)
"""https://deepxde.readthedocs.io/en/latest/demos/pinn_forward/burgers.html"""


def supports(task: Task, config: PinnPeerSettings) -> Support:
    """Say whether DeepXDE is installed and can state a task."""
    absent = missing(DISTRIBUTION, "flax")  # its layers on JAX are flax modules
    return Support(False, f"deepxde {absent}") if absent else fits_a_pinn_library(task)
