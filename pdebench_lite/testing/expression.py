"""ExpressionContract: an expression is one function on every library, and its truth is true."""

import re
from collections.abc import Iterator
from math import isfinite
from typing import Any, ClassVar

import numpy as np
import pytest

from pdebench_lite.errors import NotGivenError
from pdebench_lite.numerics import jets
from pdebench_lite.problem import Task
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.seeding import generator
from pdebench_lite.tasks.expression import ExpressionTask
from pdebench_lite.testing._libraries import LIBRARIES, Library, library
from pdebench_lite.testing.problem import ProblemDescriptionContract

_STEP = 1e-4


class ExpressionContract(ProblemDescriptionContract):
    """What every problem owes that gives expressions to differentiate.

    Attributes:
        selector: the problem, such as `"derivatives:network[order=1]"`.
        agreement: largest relative difference between libraries in float64.
        slope: the same between first derivatives and central differences with the step 1e-4.
    """

    agreement: ClassVar[float] = 1e-12
    slope: ClassVar[float] = 1e-6

    @pytest.fixture(scope="class")
    @classmethod
    def expressions(cls, tasks: list[Task]) -> list[ExpressionTask]:
        """Return the tasks that give an expression."""
        found = [task for task in tasks if isinstance(task, ExpressionTask)]
        assert found, f"no task of {cls.selector} gives an expression"
        return found

    @pytest.fixture(params=LIBRARIES)
    def lib(self, request: pytest.FixtureRequest) -> Iterator[Library]:
        """Return one array library after the other."""
        with library(request.param) as found:
            yield found

    def test_expression(self, expressions: list[ExpressionTask]) -> None:
        """Shapes are as stated, derivatives are named in order and once, nothing is drawn twice."""
        for task in expressions:
            e, again = task.expression(), task.expression()
            d, n = e.points.shape
            assert np.asarray(e.function(e.points, e.constants)).shape == (e.outputs, n)
            assert len(set(e.asked)) == len(e.asked) > 0, "nothing is asked, or something twice"
            for index in e.asked:
                assert list(index) == sorted(index), f"{index} does not ascend"
                assert set(index) <= set(range(d)), f"{index} names no inputs of {d}"
            np.testing.assert_array_equal(e.points, again.points)

    def test_function_on(self, expressions: list[ExpressionTask], lib: Library) -> None:
        """The function keeps shape and dtype, and agrees with NumPy; jets give its slopes."""
        for task in expressions:
            e = task.expression()
            x = e.points[:, :5]
            expected = np.asarray(e.function(x, e.constants))
            for dtype, tolerance in (("float64", self.agreement), ("float32", 1e-4)):
                found = e.function(lib.array(x, dtype), lib.arrays(e.constants, dtype))
                what = f"{task.label} on {lib.name} in {dtype}"
                assert dtype in str(found.dtype), f"{what} is {found.dtype}"
                _assert_close(found, expected, tolerance, what)
            space = jets.space(("a",), ("a",))
            rows = [jets.constant(space, lib.array(row)) for row in x[1:]]
            first = jets.variables(space, {"a": lib.array(x[0])})["a"]
            lifted = e.function(jets.stack([first, *rows]), lib.arrays(e.constants))
            _assert_close(lifted.value, expected, self.agreement, f"{task.label} on jets")
            _assert_close(
                lifted.derivative("a"), _slope(e, x, 0), self.slope, f"slope of {task.label}"
            )

    def test_truth(self, expressions: list[ExpressionTask]) -> None:
        """The truth has a small positive bound; values and first derivatives are those found."""
        for task in expressions:
            e, truth = task.expression(), task.truth
            assert 0 < truth.bound < 1e-12, f"{task.label}: bound {truth.bound}"
            assert task.reference_bound == truth.bound
            asked, outputs, checked = truth.values.shape
            assert (asked, outputs) == (len(e.asked), e.outputs)
            x = e.points[:, :checked]
            for index, values in zip(e.asked, truth.values, strict=True):
                if not index:
                    expected = np.asarray(e.function(x, e.constants))
                    _assert_close(values, expected, self.agreement, f"value of {task.label}")
                if len(index) == 1:
                    _assert_close(values, _slope(e, x, index[0]), self.slope, f"∂{index}")

    def test_the_truth_scores_best(
        self, known: Registry, expressions: list[ExpressionTask]
    ) -> None:
        """The truth has no error, what is wrong has one, and the cost of a call is measured."""
        for task in expressions:
            e = task.expression()
            rest = e.points.shape[1] - task.truth.values.shape[-1]
            exact = np.pad(task.truth.values, ((0, 0), (0, 0), (0, rest)))
            scores = []
            for answer in (exact, 1.1 * exact):
                evaluation = task.evaluate(_answering(answer), "final")
                scores.append({name: known.metric(name).compute(evaluation)
                               for name in task.ranked})  # fmt: skip
                for name, (dims, values, _) in evaluation.arrays().items():
                    assert len(dims) == values.ndim, f"{name}: {dims} for {values.shape}"
            for name in task.ranked:
                best, wrong = (score[name] for score in scores)
                assert best is not None
                assert wrong is not None
                assert isfinite(best)
                if not known.metric(name).machine:
                    assert best == 0.0
                    assert wrong > 0.01

    def test_the_view_gives_nothing_else(self, expressions: list[ExpressionTask]) -> None:
        """The view hands out the expression, notes it, and refuses labels and solvers."""
        for task in expressions:
            view = View(task, lambda purpose: generator("contract", purpose))
            refused: dict[str, Any] = {
                "data": lambda view=view: view.labels(3),
                "equation": view.equation,
                "solver": view.solver,
            }
            for face, call in refused.items():
                assert not view.given(face)
                with pytest.raises(NotGivenError, match=re.escape(view.label)):
                    call()
            assert not view.sees
            assert view.expression().asked == task.expression().asked
            assert view.sees == {"expression": True}


def _answering(values: np.ndarray) -> Solution:
    return Solution(lambda query: {"derivatives": values})


def _slope(e: Any, x: np.ndarray, i: int) -> np.ndarray:
    """Return ∂y/∂x_i by a central difference; (m, n)."""
    shift = np.zeros((x.shape[0], 1))
    shift[i] = _STEP
    above, below = (np.asarray(e.function(x + sign * shift, e.constants)) for sign in (1, -1))
    return (above - below) / (2 * _STEP)


def _assert_close(found: Any, expected: np.ndarray, tolerance: float, what: str) -> None:
    found = np.broadcast_to(np.asarray(found, float), expected.shape)
    scale = max(float(np.max(np.abs(expected))), 1e-300)
    gap = float(np.max(np.abs(found - expected))) / scale
    assert gap <= tolerance, f"{what}: relative gap {gap:.2g} > {tolerance:g}"
