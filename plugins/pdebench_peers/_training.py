"""What libraries that train in loops of their own have in common here: a seed, steps, reports."""

import math
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from pdebench_lite.problem.solution import Solution
from pdebench_lite.runner.run import Run
from pdebench_peers._layers import on_host, weights_of
from pdebench_peers._statement import Statement

LBFGS_CALL = 20
"""Iterations of torch's L-BFGS in one call, between two reports; torch's own default."""


def loaded_backend() -> str:
    """Return the array library that the harness has loaded, one for a cell, before the solver.

    A library that must be told its backend when it is imported is so imported before the clock
    starts, as those of all other methods are.
    """
    return "torch" if "torch" in sys.modules else "jax"


def seed_of(run: Run) -> int:
    """Return the seed of a library's own random numbers."""
    return int(run.rng("seed").integers(2**31))


class Training:
    """A network that a library trains: its reports and the solution that it is at any time.

    Args:
        run: what reports go to.
        statement: the task.
        predict: points (n, axes) -> fields (n, fields), by the network as it is now.
        layers: returns its layers as they are now; see `weights_of`.
        raw: returns what is trained in the place of the sought coefficients, as it is now.
    """

    def __init__(
        self,
        run: Run,
        statement: Statement,
        predict: Callable[[np.ndarray], Any],
        layers: Callable[[], Iterable[Any]],
        raw: Callable[[], Mapping[str, Any]],
    ) -> None:
        self._run, self._statement = run, statement
        self._predict, self._layers, self._raw = predict, layers, raw
        self._steps = self._evaluations = 0
        self._known = (0, 0)

    def solution(self) -> Solution:
        """Return the network as it is now; the record keeps the library's name and version."""
        statement, now = self._statement, self._raw()
        raw = {name: on_host(now[name]).reshape(()) for name in statement.sought}
        weights = weights_of(self._layers()) | raw

        def answer(points: dict[str, Any]) -> dict[str, np.ndarray]:
            values = on_host(self._predict(statement.columns(points))).astype(np.float64)
            return {name: values[:, i] for i, name in enumerate(statement.fields)}

        return Solution(
            predict=answer,
            unknowns={k: _constant(v) for k, v in statement.coefficients(raw).items()},
            weights=weights,
            parameters=sum(values.size for values in weights.values()),
            details=self._run.config.library.details(),
        )

    def begin(self) -> bool:
        """Report the start; returns whether to stop there."""
        return self._run.report(0, None, self.solution)

    def before(self, optimizer: Any) -> None:
        """Let a call of torch's L-BFGS end where the budget of steps does."""
        group = _group(optimizer)
        if "max_iter" in group:
            limit = math.inf if self._run.max_steps is None else self._run.max_steps
            group["max_iter"] = min(LBFGS_CALL, limit - self._steps)

    def after(self, loss: Any, optimizer: Any = None, evaluations: int = 1) -> bool:
        """Report what a call of an optimiser did: one step, or many of torch's L-BFGS.

        Args:
            loss: at the call's end, if it is known.
            optimizer: what was called; torch's L-BFGS tells of itself.
            evaluations: of the loss or its gradient in a step of another optimiser.

        Returns:
            Whether to stop, as when L-BFGS can do no more.
        """
        group, done, calls = _group(optimizer), 1, evaluations
        if "max_iter" in group:
            state = optimizer.state[group["params"][0]]
            before, self._known = self._known, (state["n_iter"], state["func_evals"])
            done, calls = (new - old for old, new in zip(before, self._known, strict=True))
        self._steps += done
        self._evaluations += calls
        stop = self._run.report(self._steps, loss, self.solution, self._evaluations)
        return stop or done < group.get("max_iter", 1)


def _constant(value: np.ndarray) -> Callable[[dict[str, Any]], np.ndarray]:
    return lambda points: np.asarray(value, dtype=np.float64)


def _group(optimizer: Any) -> dict[str, Any]:
    """Return the settings of an optimiser of torch; others show none."""
    return getattr(optimizer, "param_groups", [{}])[0]
