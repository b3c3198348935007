"""Solver of `complex-step`."""

from typing import Any

import numpy as np

from pdebench_differentiation._answer import Differentiate, answer, orders
from pdebench_differentiation._libraries import Library
from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import Expression
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run


def solve(view: View, run: Run) -> Solution:
    """Evaluate the expression at x + ih along every input that is asked for, in one batch.

    Squire & Trapp 1998, doi:10.1137/S003614459631241X, eq. 6.
    """
    h = run.config.h

    def prepare(expression: Expression, library: Library) -> tuple[Differentiate, int]:
        d, groups = expression.points.shape[0], orders(expression.asked)
        inputs = [index[0] for index in groups.get(1, [])]
        steps = library.array(h * np.eye(d)[:, inputs])

        def differentiate(x: Any, constants: dict[str, Any]) -> list[Any]:
            xp = array_namespace(x)
            real = [expression.function(x, constants)[None]] if 0 in groups else []
            if not inputs:
                return real
            wide = x[:, None, :] + 1j * steps[:, :, None]
            lifted = {k: xp.astype(v, wide.dtype) for k, v in constants.items()}
            y = expression.function(xp.reshape(wide, (d, -1)), lifted)
            slopes = xp.reshape(xp.imag(y) / h, (-1, len(inputs), x.shape[1]))
            return [*real, xp.permute_dims(slopes, (1, 0, 2))]

        return differentiate, len(inputs) + (0 in groups)

    return answer(view, run, prepare)
