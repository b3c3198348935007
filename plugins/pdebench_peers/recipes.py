"""What each library is called, needs, and is documented to do; nothing of them is imported.

The adapters, one file for each library, import it, so listing and planning read this file instead.
"""

from typing import Literal

from pydantic import Field

from pdebench_lite.problem import Task
from pdebench_lite.registry.method import Support
from pdebench_peers.settings import Library, PeerSettings, PinnPeerSettings, Recipe


class DeepxdeSettings(PinnPeerSettings):
    """Settings of `deepxde`.

    Documented: https://deepxde.readthedocs.io/en/latest/demos/pinn_forward/burgers.html; seeking a
    number, https://deepxde.readthedocs.io/en/latest/demos/pinn_inverse/diffusion.1d.inverse.html

    Matched, tried on seed 0: its Nyström–Newton-CG (PyTorch) took 36 steps in 80 s after 90 s, and
    the error stayed where L-BFGS had left it. Redrawing points every 500 steps did not help L-BFGS
    (3.2e-3 after 2640 steps, 1.5e-3 with fixed points); Adam, all that there is on JAX, gains by it
    and a decaying rate (6.2e-3 after 6451 steps, 2.3e-2 without).
    """

    library = Library("DeepXDE", ("deepxde", "flax"))  # its layers on JAX are flax modules
    documented = Recipe(
        (20, 20, 20), 2540, sides=80, initial=160, steps=15_000, lbfgs=True, glorot="normal"
    )
    inverse = Recipe((32, 32, 32), 40, sides=20, initial=10, steps=50_000)


class JinnsSettings(PinnPeerSettings):
    """Settings of `jinns`.

    Documented: https://mia_jinns.gitlab.io/jinns/Notebooks/PDE/1D_non_stationary_Burgers/; seeking
    a number, the first part of jinns' notebook 1D_non_stationary_Burgers_JointEstimation_Vanilla.
    Both are in double precision.

    Matched, tried on seed 0: redrawing half of the points every 500 iterations by its RAR-D left an
    error of 1e-2 after two minutes of self-scaled Broyden, where fixed ones left 5e-4.
    """

    library = Library("jinns", ("jinns",))
    documented = Recipe((16, 16, 16), 900, sides=2000, initial=2000, steps=300)
    inverse = Recipe((16, 16), 1024, sides=2, initial=1024, steps=1500)

    optimizer: Literal["ngd", "ssbroyden", "adam"] = Field(
        "ngd",
        description="ngd: natural gradient, as documented; ssbroyden: self-scaled Broyden; adam",
    )


class PinaSettings(PinnPeerSettings):
    """Settings of `pina`.

    Documented: PINA's own example of Burgers' equation, which releases since March 2025 ship no
    more: https://github.com/mathLab/PINA/blob/4177bfb~/examples/run_burgers.py; seeking a number,
    https://mathlab.github.io/PINA/tutorial7/tutorial.html
    """

    library = Library("PINA", ("pina-mathlab",))
    documented = Recipe((30, 20, 10, 5), 4000, 300, initial=150, steps=1000, learning_rate=6e-3)
    inverse = Recipe((20, 20, 20), points=400, sides=1000, steps=1500, learning_rate=5e-3)


_PRIOR = 1e-5
"""Weight of the mean squared slope with `matched`.

Of 0, 1e-7, …, 1e-4 the best on two initial states that took part in tuning, with 1% noise: errors
of 0.27 and 0.23, without a prior 0.61 and 0.34.
"""


class PhiflowSettings(PeerSettings):
    """Settings of `phiflow`.

    Documented: https://physicsbaseddeeplearning.org/diffphys-code-burgers.html
    """

    library = Library("PhiFlow", ("phiflow",))

    cells: int = Field(0, ge=0, le=65536, description="cells; 0: 128, with preset=matched 256")
    weight: float | None = Field(
        None, ge=0, description="of the initial state's mean squared slope; null: the preset's"
    )

    @property
    def prior(self) -> float:
        """The weight, or that of the preset: a textbook's recipe has none."""
        preset = 0.0 if self.preset == "documentation" else _PRIOR
        return preset if self.weight is None else self.weight


def supports_phiflow(task: Task, config: PhiflowSettings) -> Support:
    """Say whether PhiFlow is here and a task seeks the initial state of Burgers' equation."""
    absent = config.library.missing()
    if absent:
        return Support(False, absent)
    if task.problem.name != "burgers" or not task.asks_fields:
        return Support(False, f"this adapter states Burgers' step in PhiFlow, not {task.label}")
    if [unknown.kind for unknown in task.unknowns] != ["initial"]:
        return Support(False, f"{task.label} seeks no initial state; that is what is fitted here")
    return Support(True)
