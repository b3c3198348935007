"""Solver of `reverse-mode`."""

from collections.abc import Callable
from typing import Any

import numpy as np

from pdebench_differentiation import _trace
from pdebench_differentiation._answer import Differentiate, Index, answer, orders
from pdebench_differentiation._libraries import Library
from pdebench_lite.errors import UnsupportedError
from pdebench_lite.problem import Expression
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

Function = Callable[[Any], Any]


def solve(view: View, run: Run) -> Solution:
    """Pull adjoints back through the expression, k times nested for the order k.

    A pass gives the derivatives by all inputs; so order k takes a pass for each output and each
    derivative of order k − 1 below. Griewank & Walther 2008, doi:10.1137/1.9780898717761, section
    3.2. In torch and JAX by the library's own `vjp`, rows at once by `vmap`; in NumPy on a recorded
    evaluation trace.
    """

    def prepare(expression: Expression, library: Library) -> tuple[Differentiate, int]:
        d, m, groups = expression.points.shape[0], expression.outputs, orders(expression.asked)
        below = {k: sorted({index[:-1] for index in same}) for k, same in groups.items() if k}
        passes = m * sum(map(len, below.values())) + (0 in groups and 1 not in groups)
        if library.transforms is None:
            if max(groups) > 1:
                raise UnsupportedError(
                    f"reverse-mode in NumPy is not nested: order 1, not {max(groups)}; "
                    "take the backend torch or jax, or forward-mode or taylor-mode"
                )
            return _in_numpy(expression, groups), passes
        vjp, vmap = library.transforms.vjp, library.transforms.vmap
        rows = library.array(np.eye(m))
        seeds = {k: library.array(_directions(prefixes, d)) for k, prefixes in below.items()}
        places = {k: _places(groups[k], prefixes) for k, prefixes in below.items()}

        def differentiate(x: Any, constants: dict[str, Any]) -> list[Any]:
            def value(z: Any) -> Any:
                return expression.function(z, constants)

            def one_order(k: int) -> Any:
                def along(row: Any, directions: Any) -> Any:
                    """Return the gradient of one output's derivative along (k − 1, d)."""
                    g = _component(value, row)
                    for i in range(directions.shape[0]):
                        g = _component(_gradient(vjp, g), directions[i])
                    return _gradient(vjp, g)(x)

                if k == 1:  # one evaluation forwards, however many rows
                    y, pull = vjp(value, x)
                    found = vmap(lambda row: pull(row[:, None] + 0.0 * y)[0])(rows)[None]
                else:
                    by_row = vmap(along, (0, None))
                    found = vmap(lambda directions: by_row(rows, directions))(seeds[k])
                prefix, last = places[k]
                return found[prefix, :, last]  # (prefixes, m, d, n) -> (asked, m, n)

            return [one_order(k) if k else value(x)[None] for k in groups]

        return differentiate, passes

    return answer(view, run, prepare)


def _component(g: Function, weights: Any) -> Function:
    """Return the weighted sum of a function's rows, (rows, n) -> (n,)."""
    return lambda z: (weights[:, None] * g(z)).sum(0)


def _gradient(vjp: Any, g: Function) -> Function:
    """Return the gradient at every point of a function z -> (n,); its shape is that of z."""

    def pulled(z: Any) -> Any:
        y, pull = vjp(g, z)
        return pull(1.0 + 0.0 * y)[0]

    return pulled


def _directions(prefixes: list[Index], d: int) -> np.ndarray:
    """Return unit vectors, (prefixes, order − 1, d)."""
    return np.array([[np.eye(d)[i] for i in prefix] for prefix in prefixes])


def _places(same: list[Index], prefixes: list[Index]) -> tuple[list[int], list[int]]:
    """Return where each derivative stands among the gradients."""
    return [prefixes.index(i[:-1]) for i in same], [i[-1] for i in same]


def _in_numpy(expression: Expression, groups: dict[int, list[Index]]) -> Differentiate:
    inputs = [index[0] for index in groups.get(1, [])]
    seeds = np.eye(expression.outputs)[:, :, None]  # (rows, m, 1)

    def differentiate(x: Any, constants: dict[str, Any]) -> list[Any]:
        trace = _trace.record(expression.function, x, constants)
        y = trace.output.value
        adjoints = trace.pull(np.broadcast_to(seeds.astype(x.dtype), (len(y), *y.shape)))
        return [y[None] if k == 0 else np.swapaxes(adjoints, 0, 1)[inputs] for k in groups]

    return differentiate
