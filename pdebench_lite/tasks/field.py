"""FieldTask: the answer is a field (or several) over the domain; and its evaluation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.method import Solution
from pdebench_lite.problem import (
    Arrays,
    Carried,
    Face,
    Function,
    Observation,
    Reference,
    Task,
)
from pdebench_lite.tasks._answers import checked, entry, shaped

Purpose = Literal["history", "final"]
Axes = dict[str, np.ndarray]


class FieldTask(Task):
    """Base of tasks that ask for fields on space-time (or on space, for steady problems).

    Class attributes:
        scoring: points along a space axis (by number of space axes) and along time.
        watching: the same for the evaluations during training, coarser and not a subset.
        carry_tolerance: relative error at which carrying found unknowns may stop refining.
        at_end: whether `rel_l2` and `rel_l2_carried` compare the fields at the final time only.
        everywhere: whether the whole domain is asked for; where it is not, metrics that choose
            points of their own have no meaning.
    """

    asks_fields: ClassVar[bool] = True
    at_end: ClassVar[bool] = False
    everywhere: ClassVar[bool] = True
    ranked: ClassVar[tuple[str, ...]] = ("rel_l2",)
    scoring: ClassVar[dict[str, int]] = {"1": 256, "2": 64, "3": 32, "time": 101}
    watching: ClassVar[dict[str, int]] = {"1": 150, "2": 40, "3": 20, "time": 41}
    carry_tolerance: ClassVar[dict[str, float]] = {"history": 1e-3, "final": 1e-6}

    @property
    def faces(self) -> frozenset[Face]:
        """Data always; equation and solver where the problem states them."""
        faces: set[Face] = {"data"}
        if self.problem.needs:
            faces.add("equation")
        if self.problem.schemes():
            faces.add("solver")
        return frozenset(faces)

    @cached_property
    def reference(self) -> Reference:
        """The certified reference; computed at first use."""
        return self.problem.reference()

    @property
    def reference_bound(self) -> float:
        """Bound on the relative L2 error of the reference."""
        return self.reference.bound

    def axes(self, purpose: Purpose) -> Axes:
        """Return the tensor grid of an evaluation: axis name -> (n,), both ends included."""
        counts = self.scoring if purpose == "final" else self.watching
        space, time = self.problem.domain.space, self.problem.domain.time
        axes = {a.name: np.linspace(a.lower, a.upper, counts[str(len(space))]) for a in space}
        if time is not None:
            axes[time.name] = np.linspace(time.lower, time.upper, counts["time"])
        return axes

    def labels(self, rng: np.random.Generator, n: int) -> tuple[Observation, ...]:
        """Draw n points uniformly over space-time and read the reference there."""
        if n < 1:
            raise PdebenchError(f"labels={n}: ask for at least one label")
        points = self.problem.domain.sample(rng, n)
        values = self.reference.evaluate(points)
        return tuple(
            Observation(name, {a: points[a] for a in axes}, values[name])
            for name, axes in self._answer_axes().items()
        )

    def ansatz(self, outputs: Arrays, points: Arrays) -> Arrays:
        """Return u₀(x) + (t − t₀)·N for tasks that give u₀; outputs and points: arrays or jets.

        Lagaris et al. 1998, doi:10.1109/72.712178, eq. 12 (with A = u₀ and F = t − t₀).

        Raises:
            UnsupportedError: the problem is steady; its task needs an ansatz of its own.
        """
        time = self.problem.domain.time
        if time is None:
            raise UnsupportedError(
                f"{self.label} is steady: there is no initial state for an ansatz to meet; write "
                "the task's own ansatz, which meets its boundary conditions"
            )
        start = self.problem.initial_state(
            {a.name: points[a.name] for a in self.problem.domain.space}
        )
        elapsed = points[time.name] - time.lower
        return {name: start[name] + elapsed * outputs[name] for name in self.problem.fields}

    def _answer_axes(self) -> dict[str, tuple[str, ...]]:
        """Fields and sought coefficients with the axes that they depend on."""
        fields = dict.fromkeys(self.problem.fields, self.problem.domain.names)
        return {**fields, **{u.name: u.axes for u in self.unknowns if u.kind == "coefficient"}}

    @cached_property
    def _truth(self) -> dict[Purpose, dict[str, np.ndarray]]:
        return {}

    def truth(self, purpose: Purpose) -> dict[str, np.ndarray]:
        """Return the reference on the grid of an evaluation; arrays over the tensor grid."""
        if purpose not in self._truth:
            axes = self.axes(purpose)
            shape = tuple(a.size for a in axes.values())
            values = self.reference.evaluate(flatten(axes))
            self._truth[purpose] = {k: np.asarray(v).reshape(shape) for k, v in values.items()}
        return self._truth[purpose]

    def evaluate(
        self, solution: Solution, purpose: Purpose, observations: tuple[Observation, ...] = ()
    ) -> "FieldEvaluation":
        """Query a solution on the grid of that purpose.

        Raises:
            DivergedError: the answer holds numbers that are not finite.
            PdebenchError: the answer lacks a field or has the wrong shape.
        """
        axes = self.axes(purpose)
        evaluation = FieldEvaluation(
            task=self,
            purpose=purpose,
            axes=axes,
            truth=self.truth(purpose),
            solution=solution,
            fields=query(solution, axes, self.problem.fields),
            observations=observations,
        )
        for unknown in self.unknowns:
            if unknown.kind == "coefficient" and unknown.name not in solution.unknowns:
                raise PdebenchError(f"the solution lacks the unknown '{unknown.name}'")
        return evaluation


def flatten(axes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the points of a tensor grid as flat arrays, the last axis fastest."""
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    return {name: m.ravel() for name, m in zip(axes, mesh, strict=True)}


def query(
    solution: Solution, axes: Mapping[str, np.ndarray], names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Ask a solution for fields on a tensor grid; arrays over that grid, float64, finite."""
    points = flatten(axes)
    shape = tuple(a.size for a in axes.values())
    answer = solution.predict(points)
    count = (int(np.prod(shape)),)
    return {name: shaped(name, entry(answer, name), count, shape).reshape(shape) for name in names}


def _join(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.ravel(a) for a in arrays])


@dataclass(frozen=True)
class FieldEvaluation:
    """A solution queried on a tensor grid, the truth beside it: what metrics are computed from.

    Attributes:
        task: the task.
        purpose: `history` or `final`.
        axes: axis name -> (n,); space first, time last.
        truth: reference, name -> array over the grid; holds coefficients as well as fields.
        fields: what the method returned, name -> array over the grid.
        solution: the solution itself.
        observations: what the method could see.
    """

    task: FieldTask
    purpose: Purpose
    axes: Axes
    truth: dict[str, np.ndarray]
    fields: dict[str, np.ndarray]
    solution: Solution
    observations: tuple[Observation, ...] = field(default=())

    @property
    def time(self) -> np.ndarray | None:
        """The time axis, shape (n,), or None for a steady problem."""
        axis = self.task.problem.domain.time
        return None if axis is None else self.axes[axis.name]

    @property
    def space(self) -> Axes:
        """The space axes of the grid."""
        return {a.name: self.axes[a.name] for a in self.task.problem.domain.space}

    @cached_property
    def found(self) -> dict[str, Function]:
        """Found unknowns; an initial state that was not returned is read from the field at t=0."""
        found: dict[str, Function] = {
            name: checked(name, function) for name, function in self.solution.unknowns.items()
        }
        for unknown in self.task.unknowns:
            if unknown.kind == "initial" and unknown.name not in found:
                found[unknown.name] = self._field_at_start(unknown.field)
        return found

    def _field_at_start(self, name: str) -> Callable[[dict[str, Any]], np.ndarray]:
        time = self.task.problem.domain.time
        assert time is not None, "an initial state belongs to a problem with time"

        def initial(points: dict[str, Any]) -> np.ndarray:
            n = next(iter(points.values())).shape
            query = {**points, time.name: np.full(n, time.lower)}
            return entry(self.solution.predict(query), name)

        return checked(name, initial)

    @cached_property
    def carried(self) -> Carried | None:
        """The found unknowns carried forward by the certified solver, on the same grid."""
        if not self.task.unknowns:
            return None
        tolerance = self.task.carry_tolerance[self.purpose]
        carried = self.task.problem.carry(self.found, self.axes, tolerance)
        if carried is not None:
            for name, values in carried.fields.items():
                shaped(f"{name} carried", values, values.shape)
        return carried

    def compared(self, fields: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the part of fields that the headline metrics compare."""
        return {k: v[..., -1:] if self.task.at_end else v for k, v in fields.items()}

    @cached_property
    def found_on_grid(self) -> dict[str, np.ndarray]:
        """Found unknowns on the grid of their own axes, unknown name -> array."""
        return {u.name: self._on_grid(self.found[u.name], u.axes) for u in self.task.unknowns}

    @cached_property
    def stated_on_grid(self) -> dict[str, np.ndarray]:
        """Stated standard deviations on the grid of their unknowns' axes, unknown name -> array."""
        stated = self.solution.deviations
        return {
            u.name: self._on_grid(
                checked(f"deviation of {u.name}", stated[u.name], finite=False), u.axes
            )
            for u in self.task.unknowns
            if u.name in stated
        }

    @cached_property
    def true_unknowns(self) -> dict[str, np.ndarray]:
        """True unknowns on the grid of their own axes, unknown name -> array."""
        values = {}
        for unknown in self.task.unknowns:
            if unknown.kind == "initial":
                values[unknown.name] = self.truth[unknown.field][..., 0]
            else:
                keep = set(unknown.axes)
                index = tuple(slice(None) if a in keep else 0 for a in self.axes)
                values[unknown.name] = self.truth[unknown.name][index]
        return values

    def arrays(self) -> dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]]:
        """Return what is stored: name -> (dimension names, array, attributes such as units)."""
        problem = self.task.problem
        stored: dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]] = {}
        for name, axis in self.axes.items():
            stored[name] = ((name,), axis, {"units": problem.domain[name].unit})

        def add(name: str, of: str, dims: tuple[str, ...], values: np.ndarray, what: str) -> None:
            units = problem.units.get(of, "dimensionless")
            stored[name] = (dims, values, {"units": units, "long_name": what})

        everything = tuple(self.axes)
        for name, values in self.fields.items():
            add(name, name, everything, values, "as the method returned it")
            add(f"{name}_reference", name, everything, self.truth[name], "certified reference")
        if self.carried is not None:
            for name, values in self.carried.fields.items():
                add(f"{name}_carried", name, everything, values, "found unknowns carried forward")
        for unknown in self.task.unknowns:
            name, of = unknown.name, unknown.field or unknown.name
            add(f"{name}_found", of, unknown.axes, self.found_on_grid[name], "found")
            add(f"{name}_true", of, unknown.axes, self.true_unknowns[name], "true")
            if name in self.stated_on_grid:
                deviation = self.stated_on_grid[name]
                add(f"{name}_deviation", of, unknown.axes, deviation, "stated standard deviation")
        for name in {o.field for o in self.observations}:
            mine = [o for o in self.observations if o.field == name]
            dims = (f"{name}_observation",)
            add(f"{name}_observed", name, dims, _join([o.values for o in mine]), "observed values")
            for of in mine[0].points:
                where = _join([o.points[of] for o in mine])
                add(f"{name}_observed_{of}", of, dims, where, f"{of} of the observations")
        return stored

    def _on_grid(self, function: Function, names: tuple[str, ...]) -> np.ndarray:
        axes = {a: self.axes[a] for a in names}
        shape = tuple(a.size for a in axes.values())
        points = flatten(axes) if axes else {}
        values = np.asarray(function(points))
        return np.full(shape, values.item()) if values.size == 1 else values.reshape(shape)
