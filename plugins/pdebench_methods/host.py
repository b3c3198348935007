"""Minimisers whose control flow runs on the host, on flat float64 vectors; for every backend."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from pdebench_methods.search import HostMatrix, LevenbergMarquardt, NewMatrix, SelfScaledBroyden

HOSTED = ("ssbroyden", "lm")
"""The optimisers of this module."""


class FlatObjective(Protocol):
    """An objective of a backend as functions of one NumPy vector (n,), compiled when first called.

    The data are those that `feed` was last given.
    """

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient (n,)."""

    def residuals(self, x: np.ndarray) -> np.ndarray:
        """Return the residuals (m,), whose squares sum to the loss."""

    def linearise(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the residuals (m,) and their exact Jacobian (m, n)."""

    def feed(self, data: dict[str, np.ndarray]) -> None:
        """Use other data of the same shapes."""


def flatten(parameters: Mapping[str, np.ndarray]) -> np.ndarray:
    """Join parameters in the order of their names, shape (n,)."""
    return np.concatenate([np.ravel(parameters[name]) for name in sorted(parameters)])


def slices(parameters: Mapping[str, np.ndarray]) -> dict[str, tuple[slice, tuple[int, ...]]]:
    """Return where each parameter lies in the joined vector, and its shape."""
    places, start = {}, 0
    for name in sorted(parameters):
        shape = np.shape(parameters[name])
        size = int(np.prod(shape, dtype=int))
        places[name] = slice(start, start + size), shape
        start += size
    return places


class HostMinimiser:
    """An optimiser of `pdebench_methods.search` on the objective of a backend.

    Args:
        optimizer: one of `HOSTED`.
        flat: what is minimised.
        parameters: where to start.
        matrix: makes the matrix of `ssbroyden`.
    """

    def __init__(
        self,
        optimizer: str,
        flat: FlatObjective,
        parameters: dict[str, np.ndarray],
        matrix: NewMatrix = HostMatrix,
    ) -> None:
        self._flat, self._places = flat, slices(parameters)
        self._optimizer: SelfScaledBroyden | LevenbergMarquardt
        x = flatten(parameters)
        if optimizer == "ssbroyden":
            self._optimizer = SelfScaledBroyden(flat.value_and_gradient, x, matrix)
        else:
            flat.residuals(x)  # compiles it
            self._optimizer = LevenbergMarquardt(flat.linearise, flat.residuals, x)

    def advance(self, steps: int) -> tuple[float, int, int]:
        """Do at most that many steps, fewer where no lower point is found."""
        before, done = self._optimizer.evaluations, 0
        while done < steps and self._optimizer.step():
            done += 1
        return self._optimizer.loss, done, self._optimizer.evaluations - before

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the parameters as of now."""
        x = self._optimizer.x
        return {name: x[where].reshape(shape) for name, (where, shape) in self._places.items()}

    def feed(self, data: dict[str, np.ndarray]) -> None:
        """Go on with other data of the same shapes."""
        self._flat.feed(data)
        self._optimizer.refresh()

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs."""
        return self._optimizer.state()

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state."""
        self._optimizer.restore(state)
