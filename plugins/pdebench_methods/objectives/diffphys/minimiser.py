"""Regularised Gauss–Newton as a minimiser of the shared training loop."""

import time

import numpy as np

from pdebench_lite.optimize.regularised_gauss_newton import RegularisedGaussNewton
from pdebench_methods.host import FlatObjective, HostMinimiser, flatten, slices


class GaussNewtonMinimiser(HostMinimiser):
    """`RegularisedGaussNewton` on the objective of a backend.

    Args:
        flat: the residuals without the prior, compiled by the backend.
        parameters: where to start.
        options: of `RegularisedGaussNewton`.

    Attributes:
        search: the optimiser.
        seconds: that the last linearisation took.
    """

    def __init__(
        self, flat: FlatObjective, parameters: dict[str, np.ndarray], **options: object
    ) -> None:
        self._flat, self._places = flat, slices(parameters)
        self.seconds = 0.0
        start = flatten(parameters)
        flat.residuals(start)  # compiles it

        def linearise(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            began = time.perf_counter()
            found = flat.linearise(x)
            self.seconds = time.perf_counter() - began
            return found

        self.search = RegularisedGaussNewton(linearise, flat.residuals, start, **options)  # type: ignore[arg-type]
        self._optimizer = self.search  # type: ignore[assignment]
