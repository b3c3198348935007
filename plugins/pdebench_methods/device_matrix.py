"""The matrix of a quasi-Newton method in the memory of an accelerator."""

from typing import Any, Protocol

import numpy as np


class ArrayTools(Protocol):
    """How a backend moves arrays."""

    def asarray(self, values: np.ndarray) -> Any:
        """Move an array to the device, in the dtype of the run."""

    def to_numpy(self, values: Any) -> np.ndarray:
        """Bring an array to the host."""


class DeviceMatrix:
    """A `pdebench_lite.optimize.SymmetricMatrix` as an array of a backend, both triangles of it.

    Vectors come and go; the matrix, which is what takes time to read, stays on the device.

    Args:
        tools: the backend's; the run is in float64.
        n: rows and columns.
    """

    def __init__(self, tools: ArrayTools, n: int) -> None:
        self._tools = tools
        self._M: Any = tools.asarray(np.eye(n))

    def times(self, vector: np.ndarray, plus: np.ndarray) -> np.ndarray:
        """Return M·vector + plus, each (n,), float64."""
        return self._tools.to_numpy(self._M @ self._tools.asarray(vector)) + plus

    def add(self, u: np.ndarray, v: np.ndarray) -> None:
        """Add uvᵀ + vuᵀ, for u and v of shape (n, k)."""
        product = self._tools.asarray(u) @ self._tools.asarray(v).T
        self._M = self._M + (product + product.T)

    def scale(self, factor: float) -> None:
        """Multiply by a number."""
        self._M = self._M * factor

    def numpy(self) -> np.ndarray:
        """Return a copy, (n, n)."""
        return np.array(self._tools.to_numpy(self._M))

    def load(self, values: np.ndarray) -> None:
        """Take other values, (n, n)."""
        self._M = self._tools.asarray(values)
