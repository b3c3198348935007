"""Solver of `taylor-mode`."""

from typing import Any

from pdebench_differentiation._answer import Differentiate, answer, orders
from pdebench_differentiation._libraries import Library
from pdebench_lite.numerics import array_namespace, jets
from pdebench_lite.problem import Expression
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run


def solve(view: View, run: Run) -> Solution:
    """Apply the expression to jets that keep the derivatives that are asked for.

    Griewank & Walther 2008, doi:10.1137/1.9780898717761, chapter 13.
    """

    def prepare(expression: Expression, library: Library) -> tuple[Differentiate, int]:
        groups = orders(expression.asked)
        letters = [chr(ord("a") + i) for i in range(expression.points.shape[0])]
        words = {
            k: ["".join(letters[i] for i in index) for index in same] for k, same in groups.items()
        }
        space = jets.space(letters, [word for same in words.values() for word in same])

        def differentiate(x: Any, constants: dict[str, Any]) -> list[Any]:
            xp = array_namespace(x)
            at = jets.variables(space, {letter: x[i] for i, letter in enumerate(letters)})
            y = expression.function(jets.stack([at[letter] for letter in letters]), constants)
            return [xp.stack([y.derivative(word) for word in same]) for same in words.values()]

        return differentiate, 1

    return answer(view, run, prepare)
