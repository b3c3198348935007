"""Regularised Gauss–Newton as a minimiser of the shared training loop."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from pdebench_methods.host import FlatObjective, HostMinimiser, flatten, slices
from pdebench_methods.search.regularised_gauss_newton import RegularisedGaussNewton

_SLACK = 1.25  # steps take that much longer than their evaluations


class GaussNewtonMinimiser(HostMinimiser):
    """`RegularisedGaussNewton` on the objective of a backend.

    The Jacobian is exact, by forward tangents or in reverse, for the grid that it is taken on. That
    may be a coarser grid than that of the residuals: then the fit is to the fine grid and only the
    way there is the coarse one's (defect correction; Stetter 1978, doi:10.1007/BF01432879).

    Args:
        residuals: the objective on the fine grid, without the prior, compiled by the backend.
        tangents: the objective on the grid of the Jacobian; the same one where that is exact.
        parameters: where to start.
        time_left: charged seconds that are left.
        joint: whether trial points are linearised too, which spares the compilation of the
            residuals alone, and of an accepted point the next linearisation.
        options: of `RegularisedGaussNewton`.

    Attributes:
        search: the optimiser.
        seconds: that the last linearisation took.
        out_of_time: whether it stopped because the next step would take longer than is left.
    """

    def __init__(
        self,
        residuals: FlatObjective,
        tangents: FlatObjective,
        parameters: dict[str, np.ndarray],
        time_left: Callable[[], float],
        joint: bool,
        **options: Any,
    ) -> None:
        self._flat, self._places, self._time_left = residuals, slices(parameters), time_left
        self.seconds, self._trial_seconds, self.out_of_time = 0.0, 0.0, False
        exact = residuals is tangents
        joint = joint and exact

        @_keeps_last
        def both(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            """Return residuals and Jacobian on the grid of the Jacobian."""
            began = time.perf_counter()
            found = tangents.linearise(x)
            self.seconds = time.perf_counter() - began
            return found

        @_keeps_last
        def trial(x: np.ndarray) -> np.ndarray:
            began = time.perf_counter()
            found = both(x)[0] if joint else residuals.residuals(x)
            self._trial_seconds = time.perf_counter() - began
            return found

        def linearise(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return both(x) if exact else (trial(x), both(x)[1])

        start = flatten(parameters)
        self.search = RegularisedGaussNewton(linearise, trial, start, **options)
        self._optimizer = self.search  # type: ignore[assignment]

    def advance(self, steps: int) -> tuple[float, int, int]:
        """Do at most that many steps; fewer at the end, or where time is too short for another."""
        began, left = time.perf_counter(), self._time_left()
        before, done = self.search.evaluations, 0
        while done < steps:
            needed = _SLACK * (self.seconds + self._trial_seconds)
            self.out_of_time = time.perf_counter() - began + needed > left
            if self.out_of_time or not self.search.step():
                break
            done += 1
        return self.search.loss, done, self.search.evaluations - before


def _keeps_last(function: Callable[[np.ndarray], Any]) -> Callable[[np.ndarray], Any]:
    """Let a function answer at once when it is asked for the same point again."""
    last: tuple[bytes, Any] = (b"", None)

    def kept(x: np.ndarray) -> Any:
        nonlocal last
        if last[0] != x.tobytes():
            last = x.tobytes(), function(x)
        return last[1]

    return kept
