"""Classic problems of optimisation, from Moré, Garbow & Hillstrom 1981 (ACM TOMS 7(1), 17–41)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest


@dataclass(frozen=True)
class LeastSquaresProblem:
    """Residuals with their Jacobian, the usual start, and the minimiser (its value is zero)."""

    residuals: Callable[[np.ndarray], np.ndarray]
    jacobian: Callable[[np.ndarray], np.ndarray]
    start: tuple[float, ...]
    minimum: tuple[float, ...]

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        r = self.residuals(x)
        return float(r @ r), 2.0 * self.jacobian(x).T @ r

    def linearise(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.residuals(x), self.jacobian(x)


ROSENBROCK = LeastSquaresProblem(  # number 1
    lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]),
    lambda x: np.array([[-20 * x[0], 10.0], [-1.0, 0.0]]),
    (-1.2, 1.0),
    (1.0, 1.0),
)
POWELL = LeastSquaresProblem(  # number 13: the Hessian is singular at the minimum
    lambda x: np.array(
        [
            x[0] + 10 * x[1],
            np.sqrt(5) * (x[2] - x[3]),
            (x[1] - 2 * x[2]) ** 2,
            np.sqrt(10) * (x[0] - x[3]) ** 2,
        ]
    ),
    lambda x: np.array(
        [
            [1.0, 10.0, 0.0, 0.0],
            [0.0, 0.0, np.sqrt(5), -np.sqrt(5)],
            [0.0, 2 * (x[1] - 2 * x[2]), -4 * (x[1] - 2 * x[2]), 0.0],
            [2 * np.sqrt(10) * (x[0] - x[3]), 0.0, 0.0, -2 * np.sqrt(10) * (x[0] - x[3])],
        ]
    ),
    (3.0, -1.0, 0.0, 1.0),
    (0.0, 0.0, 0.0, 0.0),
)


@pytest.fixture(params=[ROSENBROCK, POWELL], ids=["rosenbrock", "powell"])
def classic(request: pytest.FixtureRequest) -> LeastSquaresProblem:
    return request.param
