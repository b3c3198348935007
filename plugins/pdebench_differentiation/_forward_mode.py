"""Solver of `forward-mode`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pdebench_differentiation import _dual
from pdebench_differentiation._answer import Differentiate, Index, answer, orders
from pdebench_differentiation._libraries import Library
from pdebench_lite.problem import Expression
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

Function = Callable[[Any], Any]


def solve(view: View, run: Run) -> Solution:
    """Push tangents through the expression, k times nested for the order k.

    Griewank & Walther 2008, doi:10.1137/1.9780898717761, section 3.1. In torch and JAX by the
    library's own `jvp`, all directions at once by `vmap`; in NumPy by dual numbers.
    """

    def prepare(expression: Expression, library: Library) -> tuple[Differentiate, int]:
        d, groups = expression.points.shape[0], orders(expression.asked)
        if library.transforms is None:
            return _in_numpy(expression, groups), sum(map(len, groups.values()))
        jvp, vmap = library.transforms.jvp, library.transforms.vmap
        seeds = {k: library.array(_directions(same, d)) for k, same in groups.items() if k}

        def differentiate(x: Any, constants: dict[str, Any]) -> list[Any]:
            def value(z: Any) -> Any:
                return expression.function(z, constants)

            def along(directions: Any) -> Any:
                """Differentiate along one direction after the other, (order, d)."""
                g: Function = value
                for i in range(directions.shape[0]):
                    g = _tangent(jvp, g, directions[i])
                return g(x)

            return [vmap(along)(seeds[k]) if k else value(x)[None] for k in groups]

        return differentiate, sum(map(len, groups.values()))

    return answer(view, run, prepare)


def _tangent(jvp: Any, g: Function, direction: Any) -> Function:
    """Return the derivative of a function along a direction, at every point."""

    def pushed(z: Any) -> Any:
        return jvp(g, (z,), (direction[:, None] + 0.0 * z,))[1]

    return pushed


def _directions(same: list[Index], d: int) -> np.ndarray:
    """Return unit vectors, (asked, order, d)."""
    return np.eye(d)[np.array(same)]


def _in_numpy(expression: Expression, groups: dict[int, list[Index]]) -> Differentiate:
    d, m = expression.points.shape[0], expression.outputs
    seeds = {k: _directions(same, d) for k, same in groups.items() if k}

    def differentiate(x: Any, constants: dict[str, Any]) -> list[Any]:
        def block(k: int, same: list[Index]) -> Any:
            if not k:
                return expression.function(x, constants)[None]
            y = expression.function(_dual.along(x, seeds[k]), constants)
            return np.broadcast_to(_dual.derivative(y, k), (len(same), m, x.shape[1]))

        return [block(k, same) for k, same in groups.items()]

    return differentiate
