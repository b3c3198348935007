"""Solver of `finite-differences`."""

from itertools import product
from typing import Any

import numpy as np

from pdebench_differentiation._answer import Differentiate, Index, answer, orders
from pdebench_differentiation._libraries import Library
from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import Expression
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

_ACCURACY = {"forward": 1, "central": 2}


def stencil(scheme: str, order: int) -> dict[int, float]:
    """Return node -> weight on unit spacing for the derivative of that order along an axis.

    Forward: the k-th power of (E − 1), E being the shift by one. Central: powers of the second
    difference (1, −2, 1), and one (−½, 0, ½) more where the order is odd.
    """
    weights = np.ones(1)
    if scheme == "forward":
        for _ in range(order):
            weights = np.convolve(weights, [-1.0, 1.0])
        return {node: float(w) for node, w in enumerate(weights)}
    for _ in range(order // 2):
        weights = np.convolve(weights, [1.0, -2.0, 1.0])
    if order % 2:
        weights = np.convolve(weights, [-0.5, 0.0, 0.5])
    middle = len(weights) // 2
    return {node - middle: float(w) for node, w in enumerate(weights) if w}


def best_step(order: int, accuracy: int, dtype: str) -> float:
    """Return ε^(1/(k+p)): truncation O(h^p) and rounding O(ε/h^k) are then of one size.

    Nocedal & Wright 2006, doi:10.1007/978-0-387-40065-5, section 8.1, for k = 1.
    """
    return float(np.finfo(dtype).eps) ** (1.0 / (order + accuracy))


def solve(view: View, run: Run) -> Solution:
    """Evaluate the expression at all nodes of all stencils in one batch."""
    scheme, step = run.config.scheme, run.config.h

    def prepare(expression: Expression, library: Library) -> tuple[Differentiate, int]:
        d, groups = expression.points.shape[0], orders(expression.asked)
        nodes: dict[tuple[float, ...], int] = {}
        rows = []
        for order, same in groups.items():
            auto = best_step(order, _ACCURACY[scheme], run.dtype)
            h = auto if step == "auto" else step
            rows += [_row(scheme, index, d, h, nodes) for index in same]
        matrix = np.zeros((len(rows), len(nodes)))
        for row, weights in zip(matrix, rows, strict=True):
            row[list(weights)] = list(weights.values())
        shifts, weights = library.array(np.array(list(nodes)).T), library.array(matrix)

        def differentiate(x: Any, constants: dict[str, Any]) -> list[Any]:
            xp = array_namespace(x)
            n = x.shape[1]
            wide = xp.reshape(x[:, None, :] + shifts[:, :, None], (d, -1))
            y = xp.reshape(expression.function(wide, constants), (-1, len(nodes), n))
            return [xp.permute_dims(weights @ y, (1, 0, 2))]

        return differentiate, len(nodes)

    return answer(view, run, prepare)


def _row(
    scheme: str, index: Index, d: int, h: float, nodes: dict[tuple[float, ...], int]
) -> dict[int, float]:
    """Return node number -> weight of one derivative, and number the nodes that are new."""
    along = [stencil(scheme, index.count(i)) for i in range(d)]
    weights = {}
    for corner in product(*(line.items() for line in along)):
        shift = tuple(h * node for node, _ in corner)
        number = nodes.setdefault(shift, len(nodes))
        weights[number] = float(np.prod([w for _, w in corner])) / h ** len(index)
    return weights
