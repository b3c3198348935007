"""What libraries that train in loops of their own have in common here: a backend and reports."""

import math
import sys
from collections.abc import Callable
from typing import Any

from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run

LBFGS_CALL = 20
"""Iterations of torch's L-BFGS in one call, between two reports; torch's own default."""


def loaded_backend() -> str:
    """Return the array library that the harness has loaded, one for a cell, before the solver.

    A library that must be told its backend when it is imported is so imported before the clock
    starts, as those of all other methods are.
    """
    return "torch" if "torch" in sys.modules else "jax"


class Progress:
    """Counts and reports after every call of an optimiser: one step, or many of torch's L-BFGS.

    Args:
        run: what reports go to.
        candidate: returns the solution as it is now.
    """

    def __init__(self, run: Run, candidate: Callable[[], Solution]) -> None:
        self._run, self._candidate = run, candidate
        self._steps = self._evaluations = 0
        self._known = (0, 0)

    def before(self, optimizer: Any) -> None:
        """Let a call of L-BFGS end where the budget of steps does."""
        group = _group(optimizer)
        if "max_iter" in group:
            limit = math.inf if self._run.max_steps is None else self._run.max_steps
            group["max_iter"] = min(LBFGS_CALL, limit - self._steps)

    def after(self, optimizer: Any, loss: Any = None) -> bool:
        """Report what a call did; returns whether to stop, as when L-BFGS can do no more."""
        group, done, calls = _group(optimizer), 1, 1
        if "max_iter" in group:
            state = optimizer.state[group["params"][0]]
            before, self._known = self._known, (state["n_iter"], state["func_evals"])
            done, calls = (new - old for old, new in zip(before, self._known, strict=True))
        self._steps += done
        self._evaluations += calls
        stop = self._run.report(self._steps, loss, self._candidate, self._evaluations)
        return stop or done < group.get("max_iter", 1)


def _group(optimizer: Any) -> dict[str, Any]:
    """Return the settings of an optimiser of torch; others show none."""
    return getattr(optimizer, "param_groups", [{}])[0]
