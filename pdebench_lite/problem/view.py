"""View: all that a method sees of a task, and the note of what it took."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pdebench_lite.errors import NotGivenError
from pdebench_lite.numerics.embedding import embed_points
from pdebench_lite.numerics.grid import Grid
from pdebench_lite.numerics.krylov import HOST, Machine
from pdebench_lite.problem import (
    Arrays,
    Condition,
    Domain,
    Expression,
    Function,
    Observation,
    Problem,
    Scheme,
    Stationary,
    Task,
    Unknown,
    split_derivative,
)
from pdebench_lite.problem.volumes import FiniteVolumes


@dataclass(frozen=True)
class Equation:
    """The equation face as handed to a method.

    Attributes:
        needs: named derivatives that `residual` reads (`u`, `u_xx`, a coefficient `k`, `k_x`).
        residual: maps them to named residuals of the same shape.
        known: coefficients that the task gives: a Python float or a function on points.
    """

    needs: tuple[str, ...]
    residual: Callable[[Arrays], Arrays]
    known: Mapping[str, float | Function]

    def derivatives_of(self, name: str) -> tuple[str, ...]:
        """Return the derivatives of one field or coefficient as axis letters, "" for its value."""
        return tuple(suffix for base, suffix in map(split_derivative, self.needs) if base == name)


class View:
    """What one method sees of one task; `sees` records what it took.

    A method never holds the problem: the view has no reference. It is an audit for honest methods,
    not a sandbox.

    Attributes:
        label: canonical selector of the task.
        domain, fields, unknowns: the frame of the question, free to read.
        instances: labelled instances that a task about a family offers; 0 for one instance.
        sees: what was taken so far, for the record's column of that name.
    """

    def __init__(
        self,
        task: Task,
        rng: Callable[[str], np.random.Generator],
        noted: Callable[[dict[str, int | bool]], None] = lambda sees: None,
    ) -> None:
        """Open a view on a task.

        Args:
            task: the task.
            rng: purpose ("observations", "labels") -> a generator of the data stream.
            noted: called with `sees` whenever something is taken, so that a cell that is killed
                later keeps the note.
        """
        self.__task = task
        self.__rng = rng
        self.__noted = noted
        self.__observations: tuple[Observation, ...] | None = None
        self.sees: dict[str, int | bool] = {}
        self.label: str = task.label
        self.domain: Domain = task.problem.domain
        self.fields: tuple[str, ...] = task.problem.field_names
        self.evolved: tuple[str, ...] = task.problem.evolved
        self.gauged: frozenset[str] = frozenset(
            name for name, field in task.problem.described.items() if field.gauge
        )
        self.order: int = task.problem.order
        self.unknowns: tuple[Unknown, ...] = task.unknowns
        self.instances: int = task.instances

    def _take(self, what: str, amount: int | bool = True) -> None:
        before = self.sees.get(what, 0)
        self.sees[what] = True if amount is True else max(int(amount), before)
        if self.sees[what] != before:
            self.__noted(self.sees)

    def _require_face(self, face: str) -> Problem:
        if face not in self.__task.faces:
            faces = ", ".join(sorted(self.__task.faces))
            raise NotGivenError(f"task {self.label} has no {face} face; it has: {faces}")
        return self.__task.problem

    def _require_gift(self, what: str) -> Task:
        if what not in self.__task.gives:
            gifts = ", ".join(sorted(self.__task.gives)) or "nothing"
            raise NotGivenError(f"task {self.label} does not give its {what}; it gives: {gifts}")
        return self.__task

    def given(self, what: str) -> bool:
        """Say whether the task gives a thing or has a face; asking is not taking."""
        return what in self.__task.gives or what in self.__task.faces

    # ---- data --------------------------------------------------------------------------------

    def labels(self, n: int) -> tuple[Observation, ...]:
        """Draw n labelled samples of every field and unknown; the same ones for every method."""
        self._require_face("data")
        self._take("labels", n)
        return self.__task.labels(self.__rng("labels"), n)

    def blank(self) -> tuple[Observation, ...]:
        """Return `labels(1)` with zeros for values: its names and places are free to read."""
        self._require_face("data")
        drawn = self.__task.labels(self.__rng("labels"), 1)
        return tuple(replace(label, values=np.zeros_like(label.values)) for label in drawn)

    def observations(self) -> tuple[Observation, ...]:
        """Return what was measured; the noise level is known to every method.

        Noted as values, and as snapshots: of one field at one time.
        """
        if self.__observations is None:
            self.__observations = self.__task.observations(self.__rng("observations"))
        if self.__observations:
            values = sum(o.values.size for o in self.__observations)
            snapshots = sum(map(self._moments, self.__observations))
            if snapshots < values:  # else each value has a time of its own
                self._take("snapshots", snapshots)
            self._take("observed_values", values)
        return self.__observations

    def _moments(self, observation: Observation) -> int:
        time = self.domain.time
        return 1 if time is None else np.unique(observation.points[time.name]).size

    def initial_state(self, points: Arrays) -> Arrays:
        """Return the true initial state at space points (arrays of any backend, or jets)."""
        task = self._require_gift("initial_state")
        self._take("initial_state")
        return task.problem.initial_state(points)

    # ---- the equation ------------------------------------------------------------------------

    def equation(self) -> Equation:
        """Return the equation face with the coefficients that the task gives."""
        problem = self._require_face("equation")
        self._take("residual")
        return Equation(problem.needs, problem.residual, self.coefficients())

    def coefficients(self) -> Mapping[str, float | Function]:
        """Return the known coefficients: a Python float or a function on points."""
        known = self.__task.known_coefficients()
        if known:
            self._require_gift("coefficients")
            self._take("coefficients")
        return known

    def conditions(self) -> tuple[tuple[str, str, Condition], ...]:
        """Return the boundary conditions: (part of the boundary, field, condition)."""
        domain = self._require_gift("boundary").problem.domain
        stated = tuple(
            (part, field, condition)
            for part in domain.parts
            for field in self.fields
            if (condition := domain.condition(part, field)) is not None
        )
        if stated:
            self._take("boundary")
        return stated

    def embedding(self) -> Callable[[Arrays], list[Any]]:
        """Return the map from points to network inputs that knows the domain.

        A periodic axis becomes (cos, sin) of its phase, so that periodicity holds exactly; any
        other axis is scaled to [−1, 1]. Points may be jets. Dong & Ni 2021,
        doi:10.1016/j.jcp.2021.110242, eq. 5 (one harmonic).
        """
        domain = self._require_gift("embedding").problem.domain
        if any(axis.periodic for axis in domain.axes):
            self._take("embedding")
        return lambda points: embed_points(points, domain)

    def start(self, points: Arrays) -> Arrays:
        """Return the state with which a solver starts: u, and `u_t` for second order in time."""
        task = self._require_gift("initial_state")
        self._take("initial_state")
        return task.problem.start(points)

    def ansatz(self) -> Callable[[Arrays, Arrays], Arrays] | None:
        """Return the map (raw outputs, points) -> fields that the task allows, or None.

        It is exact at t = 0; for a steady problem, at the boundary.
        """
        if "ansatz" not in self.__task.gives:
            return None
        self._take("ansatz")
        return self.__task.ansatz

    # ---- the expression ----------------------------------------------------------------------

    def expression(self) -> Expression:
        """Return the function that is to be differentiated, and where."""
        self._require_face("expression")
        self._take("expression")
        return self.__task.expression()

    # ---- the solver --------------------------------------------------------------------------

    def schemes(self) -> Mapping[str, int]:
        """Return the names of the discretisations, the default first, with their orders."""
        schemes = self._require_face("solver").schemes()
        return {name: scheme.order for name, scheme in schemes.items()}

    def solver(self, scheme: str = "") -> Scheme:
        """Return a discretisation whose known coefficients are filled in.

        Raises:
            NotGivenError: the task has no solver face, or no scheme of that name; from a step, a
                coefficient is neither given nor among the unknowns.
        """
        schemes = self._require_face("solver").schemes()
        if not schemes:
            raise NotGivenError(f"{self.label} is stationary: it has no time step")
        if scheme and scheme not in schemes:
            raise NotGivenError(
                f"no scheme '{scheme}' in {self.label}; it has: {', '.join(schemes)}"
            )
        chosen = schemes[scheme or next(iter(schemes))]
        self._take("step")
        known, coefficients = self.coefficients(), self.__task.problem.coefficients

        def with_known(unknowns: Arrays, grid: Grid, like: Any) -> Arrays:
            values = {name: self._on(grid, value, name, like) for name, value in known.items()}
            return {**values, **unknowns}

        def filled(function: Callable[..., Any], state: Arrays, unknowns: Arrays, grid: Grid,
                   *rest: Any) -> Any:  # fmt: skip
            values = with_known(unknowns, grid, next(iter(state.values())))
            try:
                return function(state, values, *rest)
            except KeyError as error:
                (name,) = error.args[:1] or ("",)
                if name in values or name not in coefficients:
                    raise
                raise NotGivenError(
                    f"task {self.label} does not give the coefficient {name}, which the scheme "
                    f"needs: pass it with the unknowns"
                ) from error

        def step(state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
            return filled(chosen.step, state, unknowns, grid, t, dt, grid)

        def max_dt(state: Arrays, unknowns: Arrays, grid: Grid) -> float:
            return float(filled(chosen.max_dt, state, unknowns, grid, grid))

        def shared(unknowns: Arrays, dt: float, grid: Grid) -> Arrays:
            assert chosen.shared is not None
            arrays = [v for v in unknowns.values() if hasattr(v, "dtype")]
            like = arrays[0] if arrays else np.empty(0)
            return chosen.shared(with_known(unknowns, grid, like), dt, grid)

        def diagnose(state: Arrays, unknowns: Arrays, t: float, grid: Grid) -> Arrays:
            assert chosen.diagnose is not None
            like = next(iter(state.values()))
            return chosen.diagnose(state, with_known(unknowns, grid, like), t, grid)

        return replace(
            chosen,
            step=step,
            max_dt=max_dt,
            shared=shared if chosen.shared else None,
            diagnose=diagnose if chosen.diagnose else None,
        )

    def weak(self) -> Stationary:
        """Return the equation as fluxes and sources; the coefficients come separately.

        Raises:
            NotGivenError: the task has no solver face, or states none.
        """
        stated = self._require_face("solver").weak()
        if stated is None:
            raise NotGivenError(f"task {self.label} states no fluxes and sources")
        self._take("step")
        return stated

    def stationary(self, grid: Grid, machine: Machine = HOST) -> FiniteVolumes:
        """Return the stationary equations on a grid; known coefficients are filled in.

        Args:
            grid: on the box of the domain.
            machine: of the array library that will be computed in.

        Raises:
            NotGivenError: the task has no solver face, or it is one of time steps.
        """
        problem = self._require_face("solver")
        stated = problem.solver()
        if not isinstance(stated, Stationary):
            raise NotGivenError(f"{self.label} is not stationary: it has time steps")
        self._take("step")
        known = self.coefficients()

        def values(grid: Grid, like: Any) -> Arrays:
            return {name: self._on(grid, value, name, like) for name, value in known.items()}

        return FiniteVolumes(stated, self.domain, problem.described, grid, values, machine)

    def _on(self, grid: Grid, value: Any, name: str, like: Any) -> Any:
        """Return a known coefficient on a grid; of time it is a function of time."""
        if not callable(value):
            return value
        time, axes = self.domain.time, self.__task.problem.coefficients[name]
        points = grid.points(like)
        if time is None or time.name not in axes:
            return value(points)
        clock = next(iter(points.values()))
        return lambda t: value({**points, time.name: 0.0 * clock + t})
