"""ExpressionTask: a function is given, its derivatives are asked for; and the evaluation."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np

from pdebench_lite.measure.calls import Calls, measure_calls
from pdebench_lite.problem import Expression, Face, Observation, Task
from pdebench_lite.problem.solution import Solution
from pdebench_lite.tasks._answers import entry, shaped


@dataclass(frozen=True)
class Exact:
    """Derivatives in extended precision, rounded to float64.

    Attributes:
        values: (asked, outputs, checked): at the first points of the expression.
        bound: bound on their relative L2 error.
    """

    values: np.ndarray
    bound: float


class ExpressionTask(Task):
    """Base of tasks that ask for derivatives of a function that is given.

    A solution maps the query `{"x": (d, n)}` to `{"derivatives": (asked, outputs, n)}`. It is asked
    for all points, for the cost, and scored on the first of them, where the truth is known.
    """

    ranked: ClassVar[tuple[str, ...]] = ("rel_l2", "call_s")
    reported = ("call_mb",)

    @property
    def faces(self) -> frozenset[Face]:
        """The expression."""
        return frozenset({"expression"})

    @property
    def gives(self) -> frozenset[str]:
        """Nothing else."""
        return frozenset()

    @abstractmethod
    def expression(self) -> Expression:
        """Return the function, and which of its derivatives are asked for."""

    @abstractmethod
    def exact(self) -> Exact:
        """Return the truth."""

    @cached_property
    def truth(self) -> Exact:
        """The truth; computed at first use."""
        return self.exact()

    @property
    def reference_bound(self) -> float:
        """Bound on the relative L2 error of the truth."""
        return self.truth.bound

    def evaluate(
        self,
        solution: Solution,
        purpose: Literal["history", "final"],
        observations: tuple[Observation, ...] = (),
    ) -> "ExpressionEvaluation":
        """Query a solution; the final evaluation measures what a call costs as well.

        Raises:
            DivergedError: the answer holds numbers that are not finite.
            PdebenchError: the answer lacks the derivatives or has the wrong shape.
        """
        expression = self.expression()
        query = {"x": np.array(expression.points)}  # the method's to change
        answer = solution.predict(query)
        shape = (len(expression.asked), expression.outputs, expression.points.shape[1])
        found = shaped("derivatives", entry(answer, "derivatives"), shape)
        calls = measure_calls(lambda: solution.predict(query)) if purpose == "final" else None
        checked = self.truth.values.shape[-1]
        return ExpressionEvaluation(
            task=self,
            fields={"derivatives": found[..., :checked]},
            truth={"derivatives": self.truth.values},
            calls=calls,
        )


@dataclass(frozen=True)
class ExpressionEvaluation:
    """Derivatives that a method returned, the truth next to them, and what a call costs.

    Attributes:
        task: the task.
        fields: `derivatives`, (asked, outputs, checked), as the method returned them.
        truth: the same in extended precision, rounded.
        calls: time and memory of a call; None for an evaluation of the history.
    """

    task: ExpressionTask
    fields: dict[str, np.ndarray]
    truth: dict[str, np.ndarray]
    calls: Calls | None

    def compared(self, fields: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Return everything: all derivatives count."""
        return fields

    def arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]]:
        """Return what is stored: name -> (dimension names, array, attributes)."""
        asked = self.task.expression().asked
        words = " ".join("∂" + ".".join(str(i) for i in index) for index in asked)
        dims = ("derivative", "output", "point")

        def described(what: str) -> dict[str, str]:
            return {"units": "dimensionless", "long_name": what, "asked": words}

        return {
            "derivatives": (dims, self.fields["derivatives"], described("as returned")),
            "exact": (dims, self.truth["derivatives"], described("in extended precision")),
        }
