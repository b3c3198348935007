"""Levenberg–Marquardt: damped Gauss–Newton for sums of squares of few parameters."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from scipy import linalg

Residuals: TypeAlias = Callable[[np.ndarray], np.ndarray]
"""x (n,) -> residuals (m,)."""
Linearisation: TypeAlias = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
"""x (n,) -> residuals (m,) and their Jacobian (m, n)."""

_FIRST_DAMPING = 1e-3  # of the largest diagonal entry of JᵀJ
_SVD_UP_TO = 300  # parameters; above it, the normal equations and Cholesky
_MOST_TRIALS = 30  # damping factors tried from one point; the last one is beyond any use


class LevenbergMarquardt:
    """Minimise f(x) = Σ rᵢ(x)² by steps δ with (JᵀJ + λI) δ = −Jᵀr.

    The damping λ follows the gain ratio ϱ = (actual fall of f)/(predicted fall): Madsen, Nielsen &
    Tingleff, *Methods for Non-Linear Least Squares Problems* (2nd ed., IMM, DTU 2004), algorithm
    3.16. Up to 300 parameters every λ shares one singular value decomposition of J, which keeps the
    digits that JᵀJ would square away; above, each λ costs a Cholesky factor.

    SciPy's `least_squares` and optimistix' `LevenbergMarquardt` run to their end in one call. A run
    here has to stop between any two steps, report, save and go on bit by bit as if it had not
    stopped, and may change its data on the way; hence this class.

    Args:
        linearise: residuals and Jacobian at a point; called once per accepted step.
        residuals: the residuals alone; called for every trial step.
        x: where to start, shape (n,).

    Attributes:
        x: the point as of now, float64.
        loss: f(x).
        evaluations: calls of either function so far.
        damping: λ.
    """

    def __init__(self, linearise: Linearisation, residuals: Residuals, x: np.ndarray) -> None:
        self._linearise, self._residuals = linearise, residuals
        self.x = np.array(x, dtype=np.float64)
        self.evaluations = 0
        self.damping, self._growth = 0.0, 2.0  # zero: to be set from the first Jacobian
        self.refresh()

    def refresh(self) -> None:
        """Evaluate again at x, after a change of what the functions compute; λ is kept."""
        r, J = self._linearise(self.x)
        self.evaluations += 1
        self._r = np.asarray(r, dtype=np.float64)
        self._J = np.asarray(J, dtype=np.float64)
        self.loss = float(self._r @ self._r)

    def step(self) -> bool:
        """Take one step that lowers f; returns False where none does (x is then left alone)."""
        solve, largest = self._solver()
        if not self.damping:
            self.damping = _FIRST_DAMPING * largest
        if not self.damping:
            return False  # the Jacobian vanishes
        for _ in range(_MOST_TRIALS):
            delta, predicted = solve(self.damping)
            if predicted > 0:
                trial = self.x + delta
                if np.array_equal(trial, self.x):
                    return False
                r = np.asarray(self._residuals(trial), dtype=np.float64)
                self.evaluations += 1
                loss = float(r @ r)
                if loss < self.loss:  # False for NaN too
                    gain = (self.loss - loss) / predicted
                    self.damping *= max(1 / 3, 1 - (2 * gain - 1) ** 3)
                    self._growth = 2.0
                    self.x = trial
                    self.refresh()
                    return True
            self.damping *= self._growth
            self._growth *= 2.0
        return False

    def _solver(self) -> tuple[Callable[[float], tuple[np.ndarray, float]], float]:
        """Return λ -> (δ, predicted fall of f), and the scale of JᵀJ."""
        J, r = self._J, self._r
        if J.shape[1] <= _SVD_UP_TO:
            U, s, Vt = linalg.svd(J, full_matrices=False, check_finite=False)
            b = U.T @ r

            def by_svd(damping: float) -> tuple[np.ndarray, float]:
                scaled = s * b / (s**2 + damping)
                delta = -(Vt.T @ scaled)
                # f(x) − |r + Jδ|² = δᵀ(λδ − Jᵀr), the right side free of cancellation
                return delta, float(damping * (scaled @ scaled) + scaled @ (s * b))

            return by_svd, float(np.max(np.sum(J * J, axis=0)))
        A = linalg.blas.dsyrk(1.0, J.T, lower=1)  # J.T is Fortran-ordered: no copy
        g = J.T @ r
        diagonal = A.diagonal().copy()

        def by_cholesky(damping: float) -> tuple[np.ndarray, float]:
            np.fill_diagonal(A, diagonal + damping)
            factor, info = linalg.lapack.dpotrf(A, lower=1, clean=0)
            if info:  # not positive definite in floating point: more damping
                return np.full_like(g, np.nan), 0.0
            delta, _ = linalg.lapack.dpotrs(factor, -g, lower=1)
            return delta, float(delta @ (damping * delta - g))

        return by_cholesky, float(diagonal.max())

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs to go on bit by bit."""
        return {
            "x": self.x.copy(),
            "damping": np.asarray([self.damping, self._growth]),
            "evaluations": np.asarray(self.evaluations),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state that `state` returned."""
        self.x = np.array(state["x"], dtype=np.float64)
        self.damping, self._growth = map(float, state["damping"])
        self.refresh()  # the same residuals and Jacobian again
        self.evaluations = int(state["evaluations"])
