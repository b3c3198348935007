"""Task: a question about a problem."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.problem.asked import (
    Arrays,
    Expression,
    Face,
    Function,
    Observation,
    Unknown,
)
from pdebench_lite.problem.problem import Problem
from pdebench_lite.selectors import Settings, canonical, changed

if TYPE_CHECKING:  # takes long to import, and listing needs none
    import numpy as np


class Task(ABC):
    """A question about a problem: what is unknown, what is observed, what is asked.

    Class attributes:
        name, summary: how it is called and what it asks.
        Parameters: settings of the task, in addition to those of the problem.
        ranked: names of the metrics that count, the headline first.
        reported: names of metrics that are shown and never ranked.
        asks_fields: whether the answer is fields on points, as for every `FieldTask`.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    asks_fields: ClassVar[bool] = False
    Parameters: ClassVar[type[Settings]] = Settings
    ranked: ClassVar[tuple[str, ...]]
    reported: ClassVar[tuple[str, ...]] = ()

    def __init__(self, problem: Problem, parameters: Any) -> None:
        self.problem = problem
        self.parameters = parameters

    @property
    def label(self) -> str:
        """Canonical selector of this task with the settings that differ from the defaults."""
        default = self.problem.default_task == self.name
        name = self.problem.name if default else f"{self.problem.name}:{self.name}"
        return canonical(name, {**changed(self.problem.parameters), **changed(self.parameters)})

    @property
    def settings(self) -> dict[str, Any]:
        """All parameters of problem and task, as JSON values."""
        return {
            **self.problem.parameters.model_dump(mode="json"),
            **self.parameters.model_dump(mode="json"),
        }

    @property
    @abstractmethod
    def faces(self) -> frozenset[Face]:
        """The faces that exist for this task."""

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """What is to be found in addition to the fields."""
        return ()

    @property
    def without_start(self) -> str:
        """Why nothing can be marched: an initial state is neither given nor sought; else ""."""
        sought = {unknown.field for unknown in self.unknowns if unknown.kind == "initial"}
        lacking = ", ".join(f for f in self.problem.evolved if f not in sought)
        if not lacking or "initial_state" in self.gives:
            return ""
        return f"{self.label} neither gives nor asks for the initial state of {lacking}"

    @property
    def instances(self) -> int:
        """Labelled instances that a task about a whole family offers; 0 for one instance."""
        return 0

    def known_coefficients(self) -> "Mapping[str, float | Function]":
        """Return the coefficients that are not sought, which a view may hand out."""
        sought = {unknown.name for unknown in self.unknowns if unknown.kind == "coefficient"}
        return {k: v for k, v in self.problem.coefficient_values().items() if k not in sought}

    @property
    def gives(self) -> frozenset[str]:
        """What a view of this task may hand out in addition to the faces.

        Any of `initial_state`, `ansatz`, `embedding`, `boundary`, `coefficients`.
        """
        return frozenset({"embedding", "boundary", "coefficients"})

    def observations(self, rng: "np.random.Generator") -> tuple[Observation, ...]:
        """Draw the observations; `rng` is the data stream, the same for every method."""
        return ()

    @classmethod
    def applies(cls, problem: "Problem") -> bool:
        """Say whether the task has a meaning for a problem that does not name it itself."""
        return False

    def labels(self, rng: "np.random.Generator", n: int) -> tuple[Observation, ...]:
        """Draw n labelled samples of the solution, every field and unknown included."""
        raise UnsupportedError(f"task {self.label} has no labelled data")

    def check(  # noqa: B027 - most tasks read no files
        self, streams: "Sequence[Callable[[str], np.random.Generator]]"
    ) -> None:
        """Look through the data that cells will read from files, before any of them is run.

        What is wrong with a file shall not be taken for a failure of a method.

        Args:
            streams: the data stream of each cell, purpose -> generator; cells that differ in the
                seed alone come together.

        Raises:
            PdebenchError: something cannot be used; the message names file, dataset and instance.
        """

    def expression(self) -> Expression:
        """Return the function that is to be differentiated."""
        raise UnsupportedError(f"task {self.label} has no expression to differentiate")

    def ansatz(self, outputs: Arrays, points: Arrays) -> Arrays:
        """Turn raw network outputs into fields that meet the initial condition exactly."""
        raise UnsupportedError(f"task {self.label} allows no ansatz")

    @property
    @abstractmethod
    def reference_bound(self) -> float:
        """Bound on the relative error of the truth behind the headline metric."""

    @property
    def reference_kind(self) -> str:
        """How the truth is certified (`Reference.kind`); empty where a task does not say."""
        return ""

    @abstractmethod
    def evaluate(
        self,
        solution: Any,
        purpose: Literal["history", "final"],
        observations: tuple[Observation, ...] = (),
    ) -> Any:
        """Query a solution and return the evaluation that metrics are computed from.

        The history is evaluated on one grid, the final score on another, finer one. An evaluation
        offers `arrays() -> name -> (dimension names, array, attributes)` for storage.
        """
