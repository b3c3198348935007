"""Dense symmetric matrices that an optimiser multiplies and updates: on the host, by BLAS."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np
from scipy.linalg import blas


class SymmetricMatrix(Protocol):
    """A matrix M of shape (n, n), wherever it lies; it begins as the identity."""

    def times(self, vector: np.ndarray, plus: np.ndarray) -> np.ndarray:
        """Return M·vector + plus, each (n,), float64."""

    def add(self, u: np.ndarray, v: np.ndarray) -> None:
        """Add uvᵀ + vuᵀ, for u and v of shape (n, k)."""

    def scale(self, factor: float) -> None:
        """Multiply by a number."""

    def numpy(self) -> np.ndarray:
        """Return a copy, (n, n)."""

    def load(self, values: np.ndarray) -> None:
        """Take other values, (n, n)."""


NewMatrix: TypeAlias = Callable[[int], SymmetricMatrix]
"""n -> the identity of shape (n, n)."""


class HostMatrix:
    """A symmetric matrix in NumPy, of which the lower triangle is read and written."""

    def __init__(self, n: int) -> None:
        self._M = np.asfortranarray(np.eye(n))

    def times(self, vector: np.ndarray, plus: np.ndarray) -> np.ndarray:
        """Return M·vector + plus, each (n,), float64."""
        return blas.dsymv(1.0, self._M, vector, beta=1.0, y=plus, lower=1)

    def add(self, u: np.ndarray, v: np.ndarray) -> None:
        """Add uvᵀ + vuᵀ, for u and v of shape (n, k)."""
        self._M = blas.dsyr2k(1.0, u, v, beta=1.0, c=self._M, lower=1, overwrite_c=1)

    def scale(self, factor: float) -> None:
        """Multiply by a number."""
        self._M *= factor

    def numpy(self) -> np.ndarray:
        """Return a copy, (n, n)."""
        return np.tril(self._M) + np.tril(self._M, -1).T

    def load(self, values: np.ndarray) -> None:
        """Take other values, (n, n)."""
        self._M = np.array(values, order="F")
