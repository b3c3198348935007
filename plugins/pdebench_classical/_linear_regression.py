"""Solver of `linear-regression`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import BSpline

from pdebench_lite.problem import Observation
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

_DEGREE = 3  # of splines
_EXTENSION = 2.0  # period of the Fourier basis over the interval of the labels
_CUT = 1e-12  # singular values below this share of the largest are left out
_LARGEST = 256  # basis that is tried


def _spline(s: np.ndarray, size: int) -> np.ndarray:
    """Return B-splines on uniform knots; outside, the last polynomial goes on. (n, size)."""
    inner = np.linspace(-1.0, 1.0, size - _DEGREE + 1)
    knots = np.concatenate([[-1.0] * _DEGREE, inner, [1.0] * _DEGREE])
    return BSpline(knots, np.eye(size), _DEGREE)(s)


def _polynomial(s: np.ndarray, size: int) -> np.ndarray:
    return np.polynomial.chebyshev.chebvander(s, size - 1)


def _fourier(s: np.ndarray, size: int) -> np.ndarray:
    """Return waves of twice the interval's length, which need not fit its ends; (n, size).

    Huybrechs 2010, doi:10.1137/090752456.
    """
    phase = np.outer(s, np.pi / _EXTENSION * np.arange(size // 2 + 1))
    return np.hstack([np.cos(phase), np.sin(phase[:, 1:])])[:, :size]


_BASES: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "spline": _spline,
    "polynomial": _polynomial,
    "fourier": _fourier,
}


@dataclass(frozen=True)
class _Fit:
    """Weights of a basis on an interval that is mapped to [−1, 1], and what they leave over."""

    basis: str
    middle: float
    half: float
    weights: np.ndarray
    score: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        s = (np.asarray(x, float) - self.middle) / self.half
        return _BASES[self.basis](s, self.weights.size) @ self.weights


def _fit(label: Observation, axis: str, basis: str, size: int) -> _Fit:
    """Fit by least squares; the score is that of generalised cross-validation.

    n·RSS/(n − rank)²: Golub, Heath & Wahba 1979, doi:10.1080/00401706.1979.10489751, eq. 1.4.
    """
    x = np.asarray(label.points[axis], float)
    middle, half = 0.5 * (x.max() + x.min()), 0.5 * float(np.ptp(x)) or 1.0
    matrix = _BASES[basis]((x - middle) / half, size)
    weights, _, rank, _ = np.linalg.lstsq(matrix, label.values, rcond=_CUT)
    left = float(np.sum((matrix @ weights - label.values) ** 2))
    score = x.size * left / (x.size - rank) ** 2 if rank < x.size else np.inf
    return _Fit(basis, middle, half, weights, score)


def _sizes(labels: int, basis: str) -> list[int]:
    """Return the sizes to try: powers of √2 from 4 on, at most half as many as labels.

    Polynomials on points without order are stable up to about the root of their number only: Cohen,
    Davenport & Leviatan 2013, doi:10.1007/s10208-013-9142-3, section 3.
    """
    most = 2 * int(labels**0.5) if basis == "polynomial" else labels // 2
    largest = max(4, min(_LARGEST, most))
    powers = [round(4 * 2 ** (k / 2)) for k in range(20)]
    return [size for size in powers if size <= largest]


def solve(view: View, run: Run) -> Solution:
    """Fit every field in the chosen basis."""
    config = run.config
    with run.phase("data"):
        labels = view.labels(config.labels)
    (axis,) = view.domain.names
    auto = config.size == "auto"
    sizes = _sizes(config.labels, config.basis) if auto else [config.size]
    fits: Mapping[str, _Fit] = {
        label.field: min(
            (_fit(label, axis, config.basis, size) for size in sizes),
            key=lambda fit: fit.score,
        )
        for label in labels
    }

    def predict(points: dict[str, Any]) -> dict[str, np.ndarray]:
        return {name: fit(points[axis]) for name, fit in fits.items()}

    solution = Solution(
        predict,
        weights={name: fit.weights for name, fit in fits.items()},
        parameters=sum(fit.weights.size for fit in fits.values()),
        details={"size": {name: fit.weights.size for name, fit in fits.items()}},
    )
    run.report(step=1, loss=None, candidate=lambda: solution)
    return solution
