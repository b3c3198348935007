"""FamilyTask: the answer is the solution operator of a family of instances; and its evaluation."""

import time
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from pydantic import Field

from pdebench_lite.errors import PdebenchError
from pdebench_lite.problem import Domain, Face, Function, Observation, Task
from pdebench_lite.problem.solution import Solution
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks._answers import entry, shaped
from pdebench_lite.tasks.field import Purpose

_TIMINGS = 3  # of the answers to the test instances, after the first one
_LONG = 10.0  # seconds of an answer in which a compilation is lost; it is not asked for again


@dataclass(frozen=True)
class Ensemble:
    """Solutions of many instances on one grid.

    Attributes:
        axes: axis name -> (n,), in the order of the domain: space first, time last. Times ascend
            and begin at the start, so that the first frame is the initial state.
        fields: field name -> (instances, *space, times), of stationary problems without times.
        coefficients: coefficient name -> (instances,) for a number, (instances, *space) for a
            function: what differs between the instances, next to their initial states.
        stationary: whether no axis is time; then no field is given and all are asked.
    """

    axes: Mapping[str, np.ndarray]
    fields: Mapping[str, np.ndarray]
    coefficients: Mapping[str, np.ndarray] = field(default_factory=dict)
    stationary: bool = False

    @property
    def space(self) -> tuple[str, ...]:
        """Names of the space axes."""
        return tuple(self.axes) if self.stationary else tuple(self.axes)[:-1]

    @property
    def size(self) -> int:
        """Number of instances."""
        return int(next(iter(self.fields.values())).shape[0])

    def query(self) -> dict[str, np.ndarray]:
        """Return what is given of the instances, and the axes on which the rest is asked.

        Returns:
            Field name -> initial states (instances, *space), none of stationary problems;
            coefficient name -> (instances,) or (instances, *space); space axis -> (n,); time axis
            -> the later times only, (frames,).
        """
        start = {} if self.stationary else {k: v[..., 0] for k, v in self.fields.items()}
        asked = {**start, **self.coefficients, **self.axes}
        if not self.stationary:
            clock = tuple(self.axes)[-1]
            asked[clock] = self.axes[clock][1:]
        return {name: np.array(values) for name, values in asked.items()}  # whoever asks owns them

    def later(self) -> dict[str, np.ndarray]:
        """Return what is asked: the fields after the start, (instances, *space, frames), or all."""
        if self.stationary:
            return dict(self.fields)
        return {name: values[..., 1:] for name, values in self.fields.items()}

    def observations(self) -> tuple[Observation, ...]:
        """Return every number as a labelled sample; `instance` is the slowest of its axes."""

        def points(names: tuple[str, ...]) -> dict[str, np.ndarray]:
            axes = {"instance": np.arange(self.size), **{a: self.axes[a] for a in names}}
            mesh = np.meshgrid(*axes.values(), indexing="ij")
            return {name: m.ravel() for name, m in zip(axes, mesh, strict=True)}

        everywhere, places, alone = points(tuple(self.axes)), points(self.space), points(())
        return (
            *(Observation(name, everywhere, v.ravel()) for name, v in self.fields.items()),
            *(
                Observation(name, places if np.ndim(v) > 1 else alone, np.ravel(v))
                for name, v in self.coefficients.items()
            ),
        )

    @classmethod
    def gather(
        cls, labels: tuple[Observation, ...], domain: Domain, fields: tuple[str, ...] = ()
    ) -> "Ensemble":
        """Put the labels of a family back on their grid; the inverse of `observations`.

        Args:
            labels: as a view of a family returns them.
            domain: of the problem.
            fields: names of its fields; empty: the labels that depend on every axis.
        """
        whole = [
            label
            for label in labels
            if (label.field in fields if fields else len(label.points) == 1 + len(domain.names))
        ]
        names = {label.field for label in whole}
        axes = {name: np.unique(whole[0].points[name]) for name in domain.names}

        def on_grid(label: Observation) -> np.ndarray:
            shape = (axes[name].size for name in domain.names if name in label.points)
            return label.values.reshape(-1, *shape)

        return cls(
            axes,
            {label.field: on_grid(label) for label in whole},
            {label.field: on_grid(label) for label in labels if label.field not in names},
            stationary=domain.time is None,
        )


class FamilyTask(Task):
    """Base of tasks that ask for the solutions of instances which come with the query.

    Labels are whole instances, of the training set. The history is scored on the validation set.
    The final score is taken on the test set, which is drawn as the training set is, and on the
    sets that are shifted away from it. None of these is ever handed out by a view.

    Class attributes:
        shifts: names of the shifted test sets.
        functions: coefficients that are functions of space and differ between the instances.
    """

    class Parameters(Settings):
        """Sizes of the sets of instances."""

        train: int = Field(256, ge=1, le=100_000, description="labelled instances")
        validation: int = Field(16, ge=1, le=10_000, description="instances of the history")
        test: int = Field(64, ge=1, le=10_000, description="instances of each final score")

    shifts: ClassVar[tuple[str, ...]] = ()
    functions: ClassVar[tuple[str, ...]] = ()
    ranked: ClassVar[tuple[str, ...]] = ("rel_l2",)
    reported: ClassVar[tuple[str, ...]] = ("nrmse", "instance_s", "mae", "linf")

    @abstractmethod
    def draw(self, name: str, n: int, rng: np.random.Generator | None = None) -> Ensemble:
        """Draw a set of instances.

        Args:
            name: `train`, `validation`, `test`, or one of `shifts`.
            n: number of instances.
            rng: for `train` the data stream; the other sets follow from their name alone.
        """

    @property
    def faces(self) -> frozenset[Face]:
        """Data always; equation and solver where the problem states them."""
        faces: set[Face] = {"data"}
        if self.problem.needs:
            faces.add("equation")
        if self.problem.schemes():
            faces.add("solver")
        return frozenset(faces)

    @property
    def gives(self) -> frozenset[str]:
        """No initial state and no coefficient: they come with each instance."""
        return frozenset({"embedding", "boundary"})

    @property
    def instances(self) -> int:
        """Size of the training set."""
        return self.parameters.train

    def known_coefficients(self) -> Mapping[str, float | Function]:
        """Return none."""
        return {}

    def labels(self, rng: np.random.Generator, n: int) -> tuple[Observation, ...]:
        """Draw n training instances, every frame of them; see `Ensemble.gather`.

        Raises:
            PdebenchError: there are not so many.
        """
        if not 1 <= n <= self.instances:
            raise PdebenchError(
                f"{n} labelled instances were asked for, {self.label} has {self.instances}; "
                "set its parameter train, or ask for fewer"
            )
        return self.draw("train", n, rng).observations()

    @cached_property
    def _drawn(self) -> dict[str, Ensemble]:
        return {}

    def ensemble(self, name: str) -> Ensemble:
        """Return the validation set, the test set, or a shifted one; drawn at first use."""
        if name not in self._drawn:
            size = self.parameters.validation if name == "validation" else self.parameters.test
            self._drawn[name] = self.draw(name, size)
        return self._drawn[name]

    def evaluate(
        self, solution: Solution, purpose: Purpose, observations: tuple[Observation, ...] = ()
    ) -> "FamilyEvaluation":
        """Ask a solution for instances that it has never seen.

        Raises:
            DivergedError: an answer is not finite.
            PdebenchError: an answer lacks a field or has the wrong shape.
        """
        names = ("validation",) if purpose == "history" else ("test", *self.shifts)
        sets = {name: self.ensemble(name) for name in names}
        answers, spent = {}, {}
        for name, drawn in sets.items():
            began = time.perf_counter()
            answers[name] = _ask(solution.predict, drawn)
            spent[name] = time.perf_counter() - began
        seconds = None
        if purpose == "final":
            seconds = _seconds(solution.predict, sets["test"], spent["test"])
        return FamilyEvaluation(self, purpose, sets, answers, seconds)


def _ask(predict: Callable[[dict[str, Any]], Any], drawn: Ensemble) -> dict[str, np.ndarray]:
    answer, found = predict(drawn.query()), {}
    for name, truth in drawn.later().items():
        found[name] = shaped(name, entry(answer, name), truth.shape)
    return found


def _seconds(predict: Callable[[dict[str, Any]], Any], drawn: Ensemble, first: float) -> float:
    """Return the median time of an answer to all instances at once, over their number.

    Args:
        predict: answers.
        drawn: the instances.
        first: seconds of the first answer, which counts alone where it took long.
    """
    if first >= _LONG:
        return first / drawn.size
    query, spent = drawn.query(), []
    for _ in range(_TIMINGS):
        began = time.perf_counter()
        predict(query)
        spent.append(time.perf_counter() - began)
    return float(np.median(spent)) / drawn.size


@dataclass(frozen=True)
class FamilyEvaluation:
    """Answers for sets of instances, the truth next to them: what metrics are computed from.

    Attributes:
        task: the task.
        purpose: `history` or `final`.
        sets: name of the set -> its instances; the first set is that of the headline.
        answers: name of the set -> field name -> (instances, *space, frames).
        seconds: per instance, of an answer to the test set at once, without the first such answer,
            which may compile, unless it took long; None in the history.
    """

    task: FamilyTask
    purpose: Purpose
    sets: Mapping[str, Ensemble]
    answers: Mapping[str, dict[str, np.ndarray]]
    seconds: float | None

    @property
    def fields(self) -> dict[str, np.ndarray]:
        """What the method returned for the first set."""
        return next(iter(self.answers.values()))

    @property
    def truth(self) -> dict[str, np.ndarray]:
        """The truth of the first set."""
        return next(iter(self.sets.values())).later()

    def compared(self, fields: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """Return what the headline metrics compare: everything."""
        return fields

    def arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]]:
        """Return what is stored: name -> (dimension names, array, attributes such as units)."""
        problem = self.task.problem
        stored: dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]] = {}
        for name, drawn in self.sets.items():
            query, instance = drawn.query(), f"{name}_instance"
            for axis in drawn.axes:
                stored[axis] = ((axis,), query[axis], {"units": problem.domain[axis].unit})
            places, dims = (instance, *drawn.space), (instance, *drawn.axes)
            for key, values in drawn.coefficients.items():
                units = {"units": problem.unit(key)}
                stored[f"{key}_{name}"] = (places[: np.ndim(values)], values, units)
            for key, truth in drawn.later().items():
                units = {"units": problem.unit(key)}
                if key in query:
                    stored[f"{key}_{name}_start"] = (places, query[key], units)
                stored[f"{key}_{name}"] = (dims, self.answers[name][key], units)
                stored[f"{key}_{name}_reference"] = (dims, truth, units)
        return stored
