"""Weights of the parts of a loss, by the weighting that is configured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from pdebench_lite.errors import unknown_name
from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import Axis
from pdebench_methods.settings import component
from pdebench_methods.training import Term, Tools
from pdebench_methods.weightings import Part

ROOT = "/root"
"""Name in a part's data of the roots of its points' weights, (n,)."""

Function = Callable[[dict[str, Any], dict[str, Any]], Any]


def rooted(term: Term) -> Term:
    """Return a term whose gaps are times the roots of their points' weights, where there are."""

    def function(parameters: dict[str, Any], data: dict[str, Any]) -> list[Any]:
        root = data.get(ROOT)
        gaps = term.function(parameters, {k: v for k, v in data.items() if k != ROOT})
        return gaps if root is None else [root * gap for gap in gaps]

    return replace(term, function=function)


class Weighing:
    """Asks the configured weighting for the weights of each new set of points.

    Args:
        selector: of the weighting.
        tools: of the backend.
        time: the axis of time, if there is one.

    Attributes:
        changes: whether the weights ever change.
    """

    def __init__(self, selector: str, tools: Tools, time: Axis | None) -> None:
        described, self._config = component("weighting", selector)
        self.changes = described.name != "fixed"
        self._weigh = described.load(tools.backend)
        self._tools, self._time = tools, time
        self._compiled: dict[tuple[str, str], Function] = {}  # a new function is compiled again

    def roots(
        self, terms: Sequence[Term], parameters: dict[str, np.ndarray], memo: dict[str, Any]
    ) -> dict[str, np.ndarray]:
        """Return the roots of the points' weights, `{part}/root` -> (n,), those of before included.

        Args:
            terms: the parts of the loss with their data, NumPy.
            parameters: as of now.
            memo: where the weighting keeps what it remembers.

        Raises:
            PdebenchError: the weighting names a part that is not there.
        """
        if not self.changes:
            return {}
        parts = {term.name: self._part(term, parameters) for term in terms}
        factors = self._weigh(parts, memo.setdefault("weighting", {}), self._config)
        for name in factors:
            if name not in parts:
                raise unknown_name("part of the loss", name, parts)
        found = {}
        for term in terms:
            n = next(v.size for v in term.data.values() if np.ndim(v))
            root = np.sqrt(np.broadcast_to(np.asarray(factors.get(term.name, 1.0), float), n))
            found[f"{term.name}{ROOT}"] = root * term.data.get(ROOT, 1.0)
        return found

    def _part(self, term: Term, parameters: dict[str, np.ndarray]) -> Part:
        data = {k: np.asarray(v) for k, v in term.data.items() if k != ROOT}
        elapsed = None
        if self._time is not None:
            elapsed = (data[self._time.name] - self._time.lower) / self._time.length
        squares = self._function(term, "squares", _squares)
        mean = self._function(term, "mean", _mean)

        def gradient() -> np.ndarray:
            _, rows = self._tools.jacobian(mean, parameters, data)
            return np.concatenate([np.ravel(rows[name]) for name in sorted(rows)])

        def at_points() -> np.ndarray:
            return np.asarray(self._tools.evaluate(squares, parameters, data), np.float64)

        return Part(term.weight, elapsed, at_points, gradient)

    def _function(self, term: Term, kind: str, of: Callable[..., Any]) -> Function:
        return self._compiled.setdefault((term.name, kind), partial(of, term.function))


def _squares(gaps: Callable[..., list[Any]], parameters: Any, data: Mapping[str, Any]) -> Any:
    return sum(gap * gap for gap in gaps(parameters, data))


def _mean(gaps: Callable[..., list[Any]], parameters: Any, data: Mapping[str, Any]) -> Any:
    squares = _squares(gaps, parameters, data)
    xp = array_namespace(squares)
    return xp.reshape(xp.mean(squares), (1,))
