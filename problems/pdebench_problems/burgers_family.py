"""Task `family` of Burgers' equation: many initial states and viscosities; its solution operator.

| set | rms of u₀ − mean | modes | ν |
|---|---|---|---|
| train, validation, test | U(0.35, 0.71) | 1…8, amplitudes ∝ 1/m | log-uniform in [0.01, 0.1] |
| amplitude | U(0.71, 1.06) | same | same |
| frequency | same | 5…12, amplitudes ∝ 1 | same |
| viscosity | same | same | log-uniform in [0.003, 0.01] |

The mean is U(−½, ½) everywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import log, sqrt
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from pdebench_lite.errors import PdebenchError
from pdebench_lite.metrics import Metric, shifted_error
from pdebench_lite.problem import Problem
from pdebench_lite.seeding import generator
from pdebench_lite.selectors import changed
from pdebench_lite.tasks import Ensemble, FamilyTask
from pdebench_problems._cole_hopf import ColeHopf


@dataclass(frozen=True)
class Law:
    """How the instances of a set are drawn.

    Attributes:
        size: range of the rms of u₀ without its mean.
        modes: first and last Fourier mode.
        decay: amplitudes are N(0, 1)/m^decay.
        nu: range of the viscosity.
    """

    size: tuple[float, float] = (sqrt(1 / 8), sqrt(1 / 2))
    modes: tuple[int, int] = (1, 8)
    decay: float = 1.0
    nu: tuple[float, float] = (0.01, 0.1)

    def draw(self, rng: np.random.Generator) -> ColeHopf:
        """Draw one instance, with its exact solution."""
        first, last = self.modes
        m = np.arange(1, last + 1)
        waves = rng.standard_normal((2, last)) * np.where(m < first, 0.0, m**-self.decay)
        rms = sqrt(np.sum(waves**2) / 2)
        sine, cosine = (waves * rng.uniform(*self.size) / rms).tolist()
        low, high = self.nu
        nu = low * float(np.exp(rng.uniform(0.0, log(high / low))))
        return ColeHopf(nu, float(rng.uniform(-0.5, 0.5)), tuple(sine), tuple(cosine))


LAWS: Mapping[str, Law] = {
    "amplitude": Law(size=(sqrt(1 / 2), sqrt(9 / 8))),
    "frequency": Law(modes=(5, 12), decay=0.0),
    "viscosity": Law(nu=(0.003, 0.01)),
}
"""The shifted test sets; all others are drawn by `Law()`."""


class Family(FamilyTask):
    """Map u(·, 0) and ν to u at later times, for instances that come with the query.

    States are given and asked at cell centres. The truth is Cole and Hopf's exact solution.
    """

    class Parameters(FamilyTask.Parameters):
        """Sizes of the sets, and what is given and asked of an instance."""

        cells: int = Field(128, ge=16, le=4096, description="cell centres of a state")
        frames: int = Field(1, ge=1, le=1000, description="equal time steps to T, all asked")

    name = "family"
    summary = "given solved instances, find u at later times from u(·, 0) and ν of others"
    shifts: ClassVar[tuple[str, ...]] = tuple(LAWS)
    ranked: ClassVar[tuple[str, ...]] = ("rel_l2", "rel_l2_ood")
    reported: ClassVar[tuple[str, ...]] = (
        "nrmse",
        *(f"rel_l2_{shift}" for shift in LAWS),
        "instance_s",
        "mae",
        "linf",
    )

    def __init__(self, problem: Problem, parameters: Any) -> None:
        fixed = ", ".join(name for name in changed(problem.parameters) if name != "horizon")
        if fixed:
            raise PdebenchError(f"burgers:family draws its instances itself; leave out: {fixed}")
        super().__init__(problem, parameters)

    @property
    def settings(self) -> dict[str, Any]:
        """Those of the task, and the horizon: the rest is drawn."""
        horizon = {"horizon": self.problem.parameters.horizon}
        return {**horizon, **self.parameters.model_dump(mode="json")}

    @property
    def axes(self) -> dict[str, np.ndarray]:
        """Cell centres and times, the start among them."""
        domain = self.problem.domain
        assert domain.time is not None
        times = np.linspace(domain.time.lower, domain.time.upper, self.parameters.frames + 1)
        return {"x": domain.grid(self.parameters.cells).centres("x"), "t": times}

    def draw(self, name: str, n: int, rng: np.random.Generator | None = None) -> Ensemble:
        """Draw instances and evaluate their exact solutions: some 10 ms for each later frame."""
        axes, exact = self.axes, self._exact(name, n, rng)
        x, t = axes["x"][:, None], axes["t"]
        return Ensemble(
            axes,
            {"u": np.stack([e.evaluate(x, t) for e in exact])},
            {"nu": np.asarray([e.nu for e in exact])},
        )

    def _exact(self, name: str, n: int, rng: np.random.Generator | None = None) -> list[ColeHopf]:
        law = LAWS.get(name, Law())
        rng = generator("burgers", "family", name) if rng is None else rng
        return [law.draw(rng) for _ in range(n)]

    @cached_property
    def reference_bound(self) -> float:
        """Largest bound of the instances that are steepest for their viscosity, one of each set."""
        horizon, bounds = self.problem.parameters.horizon, []
        for name in ("test", *self.shifts):
            hardest = max(self._exact(name, self.parameters.test), key=_steepness)
            bounds.append(hardest.bound(horizon))
        return max(bounds)


def _steepness(exact: ColeHopf) -> float:
    return sum(map(abs, (*exact.sine, *exact.cosine))) / exact.nu


METRICS = tuple(
    Metric(
        f"rel_l2_{shift}",
        f"relative L2 error on the test set that is shifted in {shift}",
        shifted_error(shift),
        applies=lambda task: isinstance(task, Family),
    )
    for shift in LAWS
)
