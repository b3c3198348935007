"""FieldTask: the answer is a field (or several) over the domain; and its evaluation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, ClassVar, Literal

import numpy as np

from pdebench_lite.errors import DivergedError, PdebenchError
from pdebench_lite.problem import (
    Arrays,
    Carried,
    Face,
    Function,
    Observation,
    Reference,
    Stationary,
    Task,
)
from pdebench_lite.problem.ansatz import hard_fields
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.start import time_scale

Purpose = Literal["history", "final"]
Axes = dict[str, np.ndarray]
POINT = "point"
"""Dimension that numbers the points of a space that is not a box."""


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
    def gives(self) -> frozenset[str]:
        """Embedding, boundary and coefficients; an ansatz where one meets boundary conditions."""
        domain = self.problem.domain
        hard = any(domain.is_hard(p, f) for p in domain.parts for f in self.problem.field_names)
        return super().gives | ({"ansatz"} if hard else set())

    @property
    def faces(self) -> frozenset[Face]:
        """Data always; equation and solver where the problem states them."""
        faces: set[Face] = {"data"}
        if self.problem.needs:
            faces.add("equation")
        if self.problem.schemes() or (
            isinstance(self.problem.solver(), Stationary) and self.problem.domain.is_box
        ):
            faces.add("solver")
        return frozenset(faces)

    @cached_property
    def reference(self) -> Reference:
        """The reference, coefficients included; computed at first use."""
        return self.problem.truth()

    @property
    def reference_bound(self) -> float:
        """Bound on the relative L2 error of the reference."""
        return self.reference.bound

    def axes(self, purpose: Purpose) -> Axes:
        """Return the dimensions of an evaluation: name -> (n,).

        On a box they are the axes, both ends included. Elsewhere `point` numbers the points of a
        quadrature, and then comes time.
        """
        domain = self.problem.domain
        counts = self.scoring if purpose == "final" else self.watching
        n = counts[str(len(domain.space))]
        axes = domain.geometry.axes(n) if domain.is_box else None
        if axes is None:
            axes = {POINT: np.arange(self.quadrature(purpose)[1].size)}
        if domain.time is not None:
            axes[domain.time.name] = np.linspace(
                domain.time.lower, domain.time.upper, counts["time"]
            )
        return axes

    @lru_cache(maxsize=2)  # noqa: B019 - a task lives as long as its process
    def quadrature(self, purpose: Purpose) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Return points and weights of a space that is not a box; see `Geometry.quadrature`."""
        return self.problem.domain.geometry.quadrature(12 if purpose == "final" else 6)

    def points(self, purpose: Purpose) -> dict[str, np.ndarray]:
        """Return the points of an evaluation, coordinate -> (n,), the last dimension fastest."""
        flat = flatten(self.axes(purpose))
        if POINT in flat:
            place = flat.pop(POINT)
            flat = {a: x[place] for a, x in self.quadrature(purpose)[0].items()} | flat
        return flat

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
        """Turn raw outputs into fields that meet what is given at the start and on the boundary.

        See `pdebench_lite.problem.ansatz`. Outputs and points: arrays or jets.
        """
        return hard_fields(self.problem, outputs, points, self._fading)

    @cached_property
    def _fading(self) -> float | None:
        """The time in which the start fades from the ansatz; None where no start is given."""
        if "initial_state" not in self.gives or self.problem.domain.time is None:
            return None
        guesses = {u.name: u.guess for u in self.unknowns if u.kind == "coefficient"}
        return time_scale(self.problem, {**guesses, **self.known_coefficients()})

    def _answer_axes(self) -> dict[str, tuple[str, ...]]:
        """Fields and sought coefficients with the axes that they depend on."""
        fields = dict.fromkeys(self.problem.field_names, self.problem.domain.names)
        return {**fields, **{u.name: u.axes for u in self.unknowns if u.kind == "coefficient"}}

    @cached_property
    def _truth(self) -> dict[Purpose, dict[str, np.ndarray]]:
        return {}

    def truth(self, purpose: Purpose) -> dict[str, np.ndarray]:
        """Return the reference on the grid of an evaluation; arrays over the tensor grid."""
        if purpose not in self._truth:
            shape = tuple(a.size for a in self.axes(purpose).values())
            values = self.reference.evaluate(self.points(purpose))
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
            fields=self._gauged(self._ask(solution, purpose), purpose),
            observations=observations,
        )
        for unknown in self.unknowns:
            if unknown.kind == "coefficient" and unknown.name not in solution.unknowns:
                raise PdebenchError(f"the solution lacks the unknown '{unknown.name}'")
        return evaluation

    def _gauged(self, fields: dict[str, np.ndarray], purpose: Purpose) -> dict[str, np.ndarray]:
        """Give fields that are known up to a constant the mean of the reference, at each time."""
        found = dict(fields)
        for name, described in self.problem.described.items():
            if described.gauge:
                w = self.weights(purpose)
                in_time = self.problem.domain.time is not None
                truth = self.truth(purpose)[name]
                found[name] = _centred(fields[name], w, in_time) + (
                    truth - _centred(truth, w, in_time)
                )
        return found

    def weights(self, purpose: Purpose) -> Any:
        """Return quadrature weights that broadcast against a field; 1 where all count alike."""
        if self.problem.domain.is_box:
            return 1.0
        w = self.quadrature(purpose)[1]
        return w if self.problem.domain.time is None else w[:, None]

    def _ask(self, solution: Solution, purpose: Purpose) -> dict[str, np.ndarray]:
        """Ask a solution for every field where it is scored; arrays over the dimensions, finite."""
        axes, names = self.axes(purpose), self.problem.field_names
        if POINT not in axes:
            return query(solution, axes, names)
        shape = tuple(a.size for a in axes.values())
        return _checked(solution.predict(self.points(purpose)), names, shape)


def flatten(axes: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the points of a tensor grid as flat arrays, the last axis fastest."""
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    return {name: m.ravel() for name, m in zip(axes, mesh, strict=True)}


def query(
    solution: Solution, axes: Mapping[str, np.ndarray], names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """Ask a solution for fields on a tensor grid; arrays over that grid, float64, finite."""
    shape = tuple(a.size for a in axes.values())
    answer = solution.on_grid(dict(axes)) if solution.on_grid else solution.predict(flatten(axes))
    return _checked(answer, names, shape)


def _checked(
    answer: Mapping[str, Any], names: tuple[str, ...], shape: tuple[int, ...]
) -> dict[str, np.ndarray]:
    fields = {}
    for name in names:
        if name not in answer:
            raise PdebenchError(f"the solution lacks the field '{name}'; it has {sorted(answer)}")
        fields[name] = _finite(name, np.asarray(answer[name], dtype=np.float64), shape)
    return fields


def _finite(name: str, values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if values.size != np.prod(shape, dtype=int):
        raise PdebenchError(f"'{name}' has {values.size} values for {np.prod(shape)} points")
    if not np.isfinite(values).all():
        raise DivergedError(f"the field '{name}' is not finite")
    return values.reshape(shape)


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
    def weights(self) -> np.ndarray | float:
        """Quadrature weights that broadcast against a field; 1 where all points count alike."""
        found: np.ndarray | float = self.task.weights(self.purpose)
        return found

    def relative_l2(
        self, answer: Mapping[str, np.ndarray], truth: Mapping[str, np.ndarray]
    ) -> float:
        """Return the root mean square, over the fields, of each field's own relative L2 error.

        Squares of different units are never added. A field that is defined up to a constant loses
        its mean at each time first; one whose reference is zero is divided by its scale.

        Args:
            answer: field name -> array over the dimensions, or over a part of the times.
            truth: likewise, of the reference.
        """
        errors = [self.field_error(name, answer[name], truth[name]) for name in answer]
        return float(np.sqrt(np.mean(np.square(errors))))

    def field_error(self, name: str, answer: np.ndarray, truth: np.ndarray) -> float:
        """Return the relative L2 error of one field; see `relative_l2`."""
        described = self.task.problem.described.get(name)
        w = np.broadcast_to(self.weights, np.shape(truth)) if np.ndim(self.weights) else 1.0
        if described is not None and described.gauge:
            answer, truth = (_centred(v, w, self.time is not None) for v in (answer, truth))
        error = float(np.sum(w * (answer - truth) ** 2))
        scale = float(np.sum(w * truth**2))
        if scale == 0 and described is not None:
            scale = float(np.sum(np.broadcast_to(w, truth.shape))) * described.scale**2
        return float(np.sqrt(error / scale)) if scale > 0 else float(np.sqrt(error))

    @cached_property
    def found(self) -> dict[str, Function]:
        """Found unknowns; an initial state that was not returned is read from the field at t=0."""
        found: dict[str, Function] = dict(self.solution.unknowns)
        for unknown in self.task.unknowns:
            if unknown.kind == "initial" and unknown.name not in found:
                found[unknown.name] = self._field_at_start(unknown.field)
        return found

    def _field_at_start(self, name: str) -> Callable[[dict[str, Any]], np.ndarray]:
        time = self.task.problem.domain.time
        assert time is not None, "an initial state belongs to a problem with time"

        def initial(points: dict[str, Any]) -> np.ndarray:
            n = next(iter(points.values())).shape
            return self.solution.predict({**points, time.name: np.full(n, time.lower)})[name]

        return initial

    @cached_property
    def carried(self) -> Carried | None:
        """The found unknowns carried forward by the certified solver, on the same grid."""
        if not self.task.unknowns:
            return None
        tolerance = self.task.carry_tolerance[self.purpose]
        carried = self.task.problem.carry(self.found, self.axes, tolerance)
        if carried is not None:
            for name, values in carried.fields.items():
                _finite(f"{name} carried", values, values.shape)
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
            u.name: self._on_grid(stated[u.name], u.axes)
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
            unit = "1" if name == POINT else problem.domain[name].unit
            stored[name] = ((name,), axis, {"units": unit})
        if POINT in self.axes:
            for name, at in self.task.quadrature(self.purpose)[0].items():
                stored[name] = ((POINT,), at, {"units": problem.domain[name].unit})

        def add(name: str, of: str, dims: tuple[str, ...], values: np.ndarray, what: str) -> None:
            units = problem.unit(of)
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
        values = np.asarray(function(points), dtype=np.float64)
        fits = values.size == np.prod(shape, dtype=int)
        return values.reshape(shape) if fits else np.broadcast_to(values, shape)


def _centred(values: np.ndarray, weights: Any, in_time: bool) -> np.ndarray:
    """Return values less their weighted mean over space, at each time."""
    space = tuple(range(values.ndim - 1)) if in_time else tuple(range(values.ndim))
    w = np.broadcast_to(weights, values.shape)
    mean = np.sum(w * values, axis=space, keepdims=True) / np.sum(w, axis=space, keepdims=True)
    return values - mean
