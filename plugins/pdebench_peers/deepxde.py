"""Method `deepxde`: the library DeepXDE, on PyTorch and on JAX."""

from pdebench_lite.method import Method, Support
from pdebench_lite.problem import Task
from pdebench_peers.settings import PinnPeerSettings, Recipe, fits_a_pinn_library, missing

DISTRIBUTION = "deepxde"
DOCUMENTED = Recipe(hidden=(20, 20, 20), points=2540, sides=80, initial=160, adam_steps=15000)
"""https://deepxde.readthedocs.io/en/latest/demos/pinn_forward/burgers.html"""


def _supports(task: Task, config: PinnPeerSettings) -> Support:
    absent = missing(DISTRIBUTION, "flax")  # its layers on JAX are flax modules
    return Support(False, f"deepxde {absent}") if absent else fits_a_pinn_library(task)


DEEPXDE = Method(
    name="deepxde",
    family="physics-informed",
    summary="peer: DeepXDE; Adam, then its L-BFGS where it has one (PyTorch)",
    solvers={"torch": "pdebench_peers._deepxde:solve", "jax": "pdebench_peers._deepxde:solve"},
    Config=PinnPeerSettings,
    supports=_supports,
    requires=("deepxde",),
    citation="""@article{lu2021deepxde,
  author = {Lu, Lu and Meng, Xuhui and Mao, Zhiping and Karniadakis, George Em},
  title = {{DeepXDE}: a deep learning library for solving differential equations},
  journal = {SIAM Review}, volume = {63}, number = {1}, pages = {208--228}, year = {2021},
  doi = {10.1137/19M1274067}}""",
)
