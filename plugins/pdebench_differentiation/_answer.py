"""From a way of differentiating to a solution: what the methods have in common."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from pdebench_differentiation._libraries import LIBRARIES, Library
from pdebench_differentiation._tables import tables
from pdebench_lite.problem import Expression
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

Index: TypeAlias = tuple[int, ...]
Differentiate: TypeAlias = Callable[[Any, dict[str, Any]], list[Any]]
"""Maps points (d, n) and constants to blocks of derivatives, (asked, m, n) together."""


def orders(asked: tuple[Index, ...]) -> dict[int, list[Index]]:
    """Return the derivatives of each order, ascending."""
    return {k: [i for i in asked if len(i) == k] for k in sorted({len(i) for i in asked})}


def answer(
    view: View, run: Run, prepare: Callable[[Expression, Library], tuple[Differentiate, int]]
) -> Solution:
    """Prepare a way of differentiating, call it once, and return it as a solution.

    Args:
        view: gives the expression.
        run: the run.
        prepare: returns the function that differentiates, whose blocks are in the order of
            `orders`, and how many evaluations of the expression (with tangents, adjoints or
            coefficients, as the case may be) a call stands for.
    """
    expression = view.expression()
    library: Library = LIBRARIES[run.backend](run.dtype, run.device)
    with run.phase("data"):
        constants = {name: library.array(v) for name, v in expression.constants.items()}
    differentiate, passes = prepare(expression, library)
    compiled = library.compiled(differentiate)
    given = [index for same in orders(expression.asked).values() for index in same]
    places = [given.index(index) for index in expression.asked]

    def predict(query: dict[str, Any]) -> dict[str, np.ndarray]:
        blocks = compiled(library.array(query["x"]), constants)
        found = np.concatenate([np.asarray(block, np.float64) for block in blocks])
        return {"derivatives": found if given == list(expression.asked) else found[places]}

    with run.phase("compile"):
        predict({"x": expression.points})
    run.count(passes=passes)
    solution = Solution(predict, details=tables(expression))
    run.report(step=1, loss=None, candidate=lambda: solution, evaluations=passes)
    return solution
