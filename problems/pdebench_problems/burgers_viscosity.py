"""Task `viscosity` of Burgers' equation: ν, and the field, from sparse noisy samples."""

from collections.abc import Callable, Mapping
from functools import cached_property
from math import sqrt
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from pdebench_lite.metrics import NORMAL_95, Metric
from pdebench_lite.problem import Observation, Unknown
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask
from pdebench_problems._cole_hopf import MODES, ColeHopf

_GUESS = 0.03  # the middle of the valid range, on a logarithmic scale
_STEP = 1e-4  # of central differences, in ln ν and in amplitudes: errors near 1e-8


class Viscosity(FieldTask):
    """Find ν from values of u at scattered points of a few times, with noise.

    By default the initial state is unknown as well: with it, one number is fitted to hundreds.
    What any unbiased estimator can reach is known here, so that errors are put in relation to it.
    """

    class Parameters(Settings):
        """What is measured, and whether the initial state is given."""

        sensors: int = Field(40, ge=4, le=10_000, description="scattered places at each time")
        times: int = Field(10, ge=1, le=1000, description="times T/n, 2T/n, …, T")
        noise: float = Field(0.01, gt=0, le=1, description="noise std, relative to rms")
        initial: Literal["unknown", "given"] = Field("unknown", description="initial state")

    name = "viscosity"
    summary = "given noisy samples of u, find ν, the field and (unless given) its initial state"
    ranked: ClassVar[tuple[str, ...]] = ("nu_rel_error", "rel_l2", "initial_rel_l2")
    reported: ClassVar[tuple[str, ...]] = ("nu_over_bound", "nu_covered", "mae")

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """ν, positive, of unknown magnitude; and the initial state unless it is given."""
        nu = Unknown("nu", "coefficient", (), guess=_GUESS, positive=True)
        if self.parameters.initial == "given":
            return (nu,)
        return (nu, Unknown("u_initial", "initial", ("x",), "u"))

    @property
    def gives(self) -> frozenset[str]:
        """The initial state, where the task says so."""
        known = {"initial_state", "ansatz"} if self.parameters.initial == "given" else set()
        return super().gives | known

    @cached_property
    def noise(self) -> float:
        """Standard deviation of the noise, in the unit of u."""
        return float(self.parameters.noise) * sqrt(float(np.mean(self.truth("history")["u"] ** 2)))

    def observations(self, rng: np.random.Generator) -> tuple[Observation, ...]:
        """Draw places uniformly, new ones at each time, and values with Gaussian noise."""
        p, domain = self.parameters, self.problem.domain
        assert domain.time is not None
        times = domain.time.upper * np.arange(1, p.times + 1) / p.times
        points = {
            "x": domain["x"].lower + domain["x"].length * rng.random(p.times * p.sensors),
            "t": np.repeat(times, p.sensors),
        }
        exact = self.reference.evaluate(points)["u"]
        values = exact + self.noise * rng.standard_normal(exact.size)
        return (Observation("u", points, values, self.noise),)

    def cramer_rao(self, observations: tuple[Observation, ...]) -> float:
        """Return the least standard deviation of an unbiased estimate of ν from observations.

        Where the initial state is unknown, it is taken for a trigonometric polynomial of eight
        modes, which all initial states of the problem are: 17 more parameters. An estimator with a
        prior is biased and may be better. Rao 1945, Bull. Calcutta Math. Soc. 37, 81–91.
        """
        known = self._bounds.get(id(observations))
        if known is not None and known[0] is observations:
            return known[1]
        burgers: Any = self.problem
        exact: ColeHopf = burgers.exact
        J = np.concatenate(
            [
                self._sensitivities(exact, o.points["x"], o.points["t"]) / o.noise
                for o in observations
            ]
        )
        # (JᵀJ)⁻¹ at ν: what is left of the column of ν once the others have explained it.
        column, others = J[:, 0], J[:, 1:]
        left = column - others @ np.linalg.lstsq(others, column, rcond=None)[0]
        bound = exact.nu / float(np.linalg.norm(left))
        self._bounds[id(observations)] = observations, bound  # it takes seconds
        return bound

    @cached_property
    def _bounds(self) -> dict[int, tuple[tuple[Observation, ...], float]]:
        return {}

    def _sensitivities(self, exact: ColeHopf, x: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Return ∂u/∂(ln ν, mean, amplitudes), shape (n, 1 or 18), by central differences."""

        def moved(h: np.ndarray) -> np.ndarray:
            sine, cosine = (
                tuple((np.pad(a, (0, MODES - len(a))) + d).tolist())
                for a, d in zip((exact.sine, exact.cosine), np.split(h[2:], 2), strict=True)
            )
            nu, mean = exact.nu * float(np.exp(h[0])), exact.mean + float(h[1])
            return ColeHopf(nu, mean, sine, cosine).evaluate(x, t)

        count = 1 if self.parameters.initial == "given" else 2 + 2 * MODES
        steps = _STEP * np.eye(2 + 2 * MODES)[:count]
        return np.stack([(moved(h) - moved(-h)) / (2 * _STEP) for h in steps], axis=1)


def _nu(e: FieldEvaluation) -> tuple[float, float]:
    return float(e.found_on_grid["nu"]), float(e.true_unknowns["nu"])


def _rel_error(e: FieldEvaluation) -> float:
    found, true = _nu(e)
    return abs(found - true) / true


def _over_bound(e: FieldEvaluation) -> float | None:
    if not e.observations:
        return None
    found, true = _nu(e)
    assert isinstance(e.task, Viscosity)
    return abs(found - true) / e.task.cramer_rao(e.observations)


def _covered(e: FieldEvaluation) -> float | None:
    stated: Mapping[str, Callable[..., Any]] = e.solution.deviations
    if "nu" not in stated:
        return None
    found, true = _nu(e)
    return float(abs(found - true) <= NORMAL_95 * float(np.asarray(stated["nu"]({})).squeeze()))


def _applies(task: Any) -> bool:
    return isinstance(task, Viscosity)


METRICS = (
    Metric("nu_rel_error", "relative error of the found ν", _rel_error, applies=_applies),
    Metric(
        "nu_over_bound",
        "error of the found ν over the Cramér–Rao bound; over noise draws its rms is 1 at best",
        _over_bound,
        applies=_applies,
        over_seeds="rms",
    ),
    Metric(
        "nu_covered",
        "1 if the stated 95% interval holds the true ν, else 0; empty where none was stated",
        _covered,
        applies=_applies,
        over_seeds="share",
    ),
)
