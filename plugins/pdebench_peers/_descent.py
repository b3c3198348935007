"""A vector fitted on the host, reported after every step: gradient descent, SciPy's L-BFGS-B."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize

from pdebench_lite.problem.solution import Solution
from pdebench_lite.runner.run import Run

_ENDLESS = {"maxiter": 1 << 30, "maxfun": 1 << 30, "ftol": 0.0, "gtol": 0.0}


class Descent:
    """A vector on its way to the minimum of a function.

    Args:
        run: what reports go to.
        gradient: vector (n,) -> value and gradient (n,), float64.
        start: the vector at first.
        solution: vector -> the solution that it stands for.
    """

    def __init__(
        self,
        run: Run,
        gradient: Callable[[np.ndarray], tuple[float, np.ndarray]],
        start: np.ndarray,
        solution: Callable[[np.ndarray], Solution],
    ) -> None:
        self._run, self._gradient, self._of = run, gradient, solution
        self._x, self._steps, self._evaluations = start, 0, 0
        self._now: tuple[float, np.ndarray]  # value and gradient at `_x`, from `begin` on

    def solution(self) -> Solution:
        """Return what the vector stands for as it is now."""
        return self._of(self._x)

    def begin(self) -> bool:
        """Evaluate, which compiles, and report the start; returns whether to stop there."""
        with self._run.phase("compile"):
            self._now = self._evaluate(self._x)
        return self._run.report(0, self._now[0], self.solution)

    def by_gradient(self, steps: int, learning_rate: float) -> None:
        """Go down the gradient for so many steps, or until the budget ends."""
        for _ in range(steps):
            value, slope = self._now
            if self._report(self._x - learning_rate * slope, value):
                break
            self._now = self._evaluate(self._x)

    def by_lbfgs(self) -> None:
        """Descend by SciPy's L-BFGS-B until the budget ends or it can do no more."""

        def callback(intermediate_result: Any) -> None:
            if self._report(intermediate_result.x, float(intermediate_result.fun)):
                raise StopIteration

        options: Any = _ENDLESS
        minimize(
            self._evaluate, self._x, jac=True, method="L-BFGS-B", callback=callback, options=options
        )

    def _evaluate(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        self._evaluations += 1
        return self._gradient(x)

    def _report(self, x: np.ndarray, value: float) -> bool:
        self._x, self._steps = x, self._steps + 1
        return self._run.report(self._steps, value, self.solution, self._evaluations)
