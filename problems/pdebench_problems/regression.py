"""Regression of functions of one variable from noisy labels: no equation, only data."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from pdebench_lite.errors import PdebenchError
from pdebench_lite.problem import Domain, Interval, Observation, Problem, Reference
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks.field import Axes, FieldTask, Purpose

_REACH = 1.0  # labels lie in [−1, 1],
_END = 2.0  # and the domain ends at −2 and 2
_JUMP = 0.3
_ROUNDING = 1e-15


def _smooth(x: np.ndarray) -> np.ndarray:
    return np.sin(np.pi * x) + 0.5 * x


def _discontinuous(x: np.ndarray) -> np.ndarray:
    return 0.5 * np.sin(np.pi * x) + np.where(x < _JUMP, -0.5, 0.5)


def _high_frequency(x: np.ndarray) -> np.ndarray:
    return np.sin(2 * np.pi * x) + 0.5 * np.sin(20 * np.pi * x)


_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "smooth": _smooth,
    "discontinuous": _discontinuous,
    "high-frequency": _high_frequency,
}


class _Curve(FieldTask):
    """Labels come from x ∈ [−1, 1]; where the answer is scored depends on the task."""

    ranked: ClassVar[tuple[str, ...]] = ("rel_l2", "linf")
    reported = ("mae",)
    everywhere = False

    def labels(self, rng: np.random.Generator, n: int) -> tuple[Observation, ...]:
        """Draw n points uniformly in [−1, 1] and read the function there, with noise."""
        if n < 1:
            raise PdebenchError(f"labels={n}: ask for at least one label")
        x = rng.uniform(-_REACH, _REACH, n)
        exact = self.reference.evaluate({"x": x})["u"]
        noise = self.problem.parameters.noise * self._rms
        return (Observation("u", {"x": x}, exact + noise * rng.standard_normal(n), noise),)

    @cached_property
    def _rms(self) -> float:
        x = np.linspace(-_REACH, _REACH, 10_001)
        return float(np.sqrt(np.mean(self.reference.evaluate({"x": x})["u"] ** 2)))


class Interpolation(_Curve):
    """The answer is scored where the labels lie, between them: x ∈ [−1, 1]."""

    name = "interpolation"
    summary = "given noisy labels on [−1, 1], find the function there"

    def axes(self, purpose: Purpose) -> Axes:
        """Return x: both ends included."""
        counts = self.scoring if purpose == "final" else self.watching
        return {"x": np.linspace(-_REACH, _REACH, counts["1"])}


class Extrapolation(_Curve):
    """The answer is scored where there are no labels: 1 < |x| ≤ 2."""

    name = "extrapolation"
    summary = "given noisy labels on [−1, 1], find the function on 1 < |x| ≤ 2"

    def axes(self, purpose: Purpose) -> Axes:
        """Return x to both sides of the labels."""
        counts = self.scoring if purpose == "final" else self.watching
        right = np.linspace(_REACH, _END, counts["1"] // 2 + 1)[1:]
        return {"x": np.concatenate([-right[::-1], right])}


class Regression(Problem):
    """u = f(x), x ∈ [−2, 2], known by noisy labels on [−1, 1]; dimensionless.

    Parameters:
        function: `smooth`, sin πx + x/2; `discontinuous`, ½ sin πx with a jump from −½ to ½ at
            x = 0.3; `high-frequency`, sin 2πx + ½ sin 20πx, whose second part a network learns
            late (Rahaman et al. 2019, arXiv:1806.08734).
        noise: standard deviation of the labels' noise over the rms of f on [−1, 1].

    That one hidden layer can come as near to f as one likes, if it is wide enough: Cybenko 1989,
    doi:10.1007/BF02551274 (`mlp[depth=1,width=p]`).
    """

    class Parameters(Settings):
        """Parameters of the regression."""

        function: Literal["smooth", "discontinuous", "high-frequency"] = Field(
            "smooth", description="which function"
        )
        noise: float = Field(0.05, ge=0, le=1, description="noise std, relative to the rms of f")

    name = "regression"
    summary = "functions of one variable from noisy labels, inside and outside of their interval"
    citation = """@article{cybenko1989approximation,
  author = {Cybenko, George},
  title = {Approximation by superpositions of a sigmoidal function},
  journal = {Mathematics of Control, Signals and Systems}, volume = {2}, pages = {303--314},
  year = {1989}, doi = {10.1007/BF02551274}}
@inproceedings{rahaman2019spectral,
  author = {Rahaman, Nasim and Baratin, Aristide and Arpit, Devansh and Draxler, Felix and Lin, Min
            and Hamprecht, Fred and Bengio, Yoshua and Courville, Aaron},
  title = {On the spectral bias of neural networks},
  booktitle = {International Conference on Machine Learning}, pages = {5301--5310}, year = {2019},
  eprint = {1806.08734}, archivePrefix = {arXiv}}"""
    fields = ("u",)
    tasks = (Interpolation, Extrapolation)

    @cached_property
    def domain(self) -> Domain:
        """X ∈ [−2, 2]."""
        return Domain(Interval(x=(-_END, _END)))

    def reference(self) -> Reference:
        """Return the function itself."""
        function = _FUNCTIONS[self.parameters.function]

        def evaluate(points: dict[str, Any]) -> dict[str, np.ndarray]:
            return {"u": function(np.asarray(points["x"], float))}

        return Reference(evaluate, _ROUNDING, "the function itself; bound by rounding")
