"""Problem and Task: the three faces of a PDE, each written once, in backend-neutral code.

A problem states its *equation* (`residual`), its *solver* (`step`) and the certified reference from
which the harness takes the *data*. A task of the problem says what is unknown, what is observed and
what is asked. Neither knows torch or JAX: arithmetic goes through the array API.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.selectors import Settings, canonical, changed

if TYPE_CHECKING:  # arrays and operators take long to import, and listing needs none
    import numpy as np

    from pdebench_lite.physics.grid import Grid

Array: TypeAlias = Any
"""An array of any backend (NumPy, torch, JAX) or a jet."""

Arrays: TypeAlias = dict[str, Any]
"""Named arrays: a state, a residual, points, derivatives."""

Function: TypeAlias = Callable[[Arrays], Any]
"""A function on points: maps axis names to arrays of shape (n,) to values of shape (n,)."""

Face: TypeAlias = Literal["data", "equation", "solver", "expression"]


@dataclass(frozen=True)
class Axis:
    """One coordinate of a domain: an interval [lower, upper], periodic or not."""

    name: str
    lower: float
    upper: float
    periodic: bool = False
    unit: str = "dimensionless"

    @property
    def length(self) -> float:
        """Upper end minus lower end."""
        return self.upper - self.lower


@dataclass(frozen=True)
class Domain:
    """A box of space axes and, for evolution problems, a time axis.

    Axis names are single letters, because derivatives are named by them (`u_xx`, `u_xt`).
    """

    space: tuple[Axis, ...]
    time: Axis | None = None

    def __post_init__(self) -> None:
        for axis in self.axes:
            if len(axis.name) != 1 or axis.lower >= axis.upper:
                raise PdebenchError(f"axis {axis} needs a one-letter name and lower < upper")

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Space axes in order, then time: the order of array axes in states and fields."""
        return self.space + ((self.time,) if self.time else ())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all axes, space first."""
        return tuple(axis.name for axis in self.axes)

    def __getitem__(self, name: str) -> Axis:
        return next(axis for axis in self.axes if axis.name == name)

    def grid(self, cells: int | tuple[int, ...]) -> "Grid":
        """Return the uniform cell-centred space grid with that many cells an axis."""
        from pdebench_lite.physics.grid import Grid

        counts = (cells,) * len(self.space) if isinstance(cells, int) else cells
        return Grid(
            axes=tuple(a.name for a in self.space),
            lower=tuple(a.lower for a in self.space),
            upper=tuple(a.upper for a in self.space),
            cells=counts,
            periodic=tuple(a.periodic for a in self.space),
        )

    def sample(self, rng: "np.random.Generator", n: int) -> "dict[str, np.ndarray]":
        """Draw n points uniformly; each axis is an array of shape (n,)."""
        unit = rng.random((len(self.axes), n))
        return {a.name: a.lower + a.length * row for a, row in zip(self.axes, unit, strict=True)}


@dataclass(frozen=True)
class Unknown:
    """What a task asks a method to find beside the fields.

    Attributes:
        name: key in `Solution.unknowns`.
        kind: `initial` (the state at the start of time of `field`) or `coefficient` (a quantity
            that the equation names, such as a motion or a viscosity).
        axes: names of the axes that it depends on; empty for a number.
        field: for `initial`, the field whose initial state it is.
        unit: physical unit.
        guess: where a search for it starts; of a function, everywhere.
        positive: whether it is above 0 and only its magnitude is known: its logarithm is sought. Of
            an initial state networks know nothing of this: they are the field itself.
    """

    name: str
    kind: Literal["initial", "coefficient"]
    axes: tuple[str, ...]
    field: str = ""
    unit: str = "dimensionless"
    guess: float = 0.0
    positive: bool = False

    def __post_init__(self) -> None:
        if self.positive and not self.guess > 0.0:
            raise PdebenchError(
                f"the unknown {self.name} is positive, but its guess is {self.guess:g}; give one "
                "above 0, of the magnitude that is expected"
            )


def split_derivative(name: str) -> tuple[str, str]:
    """Split a named derivative into field and axis letters: `u_xx` -> ("u", "xx")."""
    base, _, suffix = name.partition("_")
    return base, suffix


@dataclass(frozen=True)
class Observation:
    """Point values of one field, as measured: all that a method may see of the truth.

    Attributes:
        field: name of the field.
        points: axis name -> array of shape (n,).
        values: array of shape (n,), with noise if the task has any.
        noise: standard deviation of that noise, in the unit of the field.
    """

    field: str
    points: "Mapping[str, np.ndarray]"
    values: "np.ndarray"
    noise: float = 0.0


@dataclass(frozen=True)
class Condition:
    """A boundary condition on one side of one axis, as a residual that vanishes there.

    Attributes:
        axis: name of the axis; `side` says which end.
        needs: named derivatives that `residual` reads, such as `("u",)` or `("u_x",)`.
        residual: maps those derivatives and the points to named residuals.
    """

    axis: str
    side: Literal["lower", "upper"]
    needs: tuple[str, ...]
    residual: Callable[[Arrays, Arrays], Arrays]


@dataclass(frozen=True)
class Scheme:
    """One discretisation of the solver face.

    Attributes:
        step: `step(state, unknowns, t, dt, grid) -> state`; pure, fixed shapes, any leading batch
            axes; state and unknowns are dicts of arrays whose last axes are the grid's.
        max_dt: `max_dt(state, unknowns, grid) -> float`, the largest stable time step.
        summary: one line.
        order: formal order of accuracy where the solution is smooth.
        cells: number of cells an axis, where the grid is part of what is asked; None: any.
        dt: time step, likewise.
        shared: `shared(unknowns, dt, grid) -> arrays` that all steps of a rollout have in common,
            such as the departure points of a steady motion; None: nothing. `step` reads them from
            the unknowns where they are there, and computes them where they are not.
    """

    step: Callable[[Arrays, Arrays, float, float, "Grid"], Arrays]
    max_dt: Callable[[Arrays, Arrays, "Grid"], float]
    summary: str = ""
    order: int = 1
    cells: int | None = None
    dt: float | None = None
    shared: Callable[[Arrays, float, "Grid"], Arrays] | None = None

    def prepared(self, unknowns: Arrays, dt: float, grid: "Grid") -> Arrays:
        """Return the unknowns, and with them what all steps of this length have in common."""
        return {**unknowns, **self.shared(unknowns, dt, grid)} if self.shared else unknowns


@dataclass(frozen=True)
class Expression:
    """The expression face: a function to differentiate, and the derivatives that are asked for.

    Attributes:
        function: `function(x, constants) -> y` maps inputs × points, (d, n), to outputs × points,
            (m, n), each point by itself; arrays of any library, real or complex, or jets.
        constants: name -> array that `function` reads; a method converts them to its own library.
        points: where, (d, n).
        outputs: m.
        asked: each derivative as the ascending numbers of the inputs that it is taken by: `()` is
            the value, `(0, 0, 2)` is ∂³y/∂x₀²∂x₂.
    """

    function: "Callable[[Any, Mapping[str, Any]], Any]"
    constants: "Mapping[str, np.ndarray]"
    points: "np.ndarray"
    outputs: int
    asked: tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Reference:
    """The truth in float64 with an error bound.

    Attributes:
        evaluate: maps points (axis name -> (n,)) to fields and coefficients (name -> (n,)).
        bound: verified bound on the relative L2 error of `evaluate` over the domain.
        summary: how it was computed, one line.
    """

    evaluate: "Callable[[Arrays], dict[str, np.ndarray]]"
    bound: float
    summary: str


@dataclass(frozen=True)
class Carried:
    """Fields that follow from found unknowns by a certified solver.

    Attributes:
        fields: name -> array over the tensor grid that was asked for.
        bound: estimate of the relative L2 error made in carrying.
        paths: further arrays over the same grid that metrics of the problem may read.
    """

    fields: "dict[str, np.ndarray]"
    bound: float
    paths: "Mapping[str, np.ndarray]" = field(default_factory=dict)


class Problem(ABC):
    """A PDE with its domain and parameters. Subclass it once per PDE, in one file.

    Class attributes:
        name, summary: how it is called and what it is (the equation in Unicode).
        citation: BibTeX of the source.
        Parameters: settings with defaults that work; values are Python floats.
        fields: names of the sought fields (no underscore in a name).
        coefficients: name -> axes of every quantity beside the fields that the equation names.
        needs: the named derivatives that `residual` reads, coefficients included.
        tasks: the tasks; the first is the default.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    citation: ClassVar[str] = ""
    Parameters: ClassVar[type[Settings]] = Settings
    fields: ClassVar[tuple[str, ...]]
    units: ClassVar[Mapping[str, str]] = {}
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    needs: ClassVar[tuple[str, ...]] = ()
    tasks: ClassVar[tuple[type["Task"], ...]]

    def __init__(self, parameters: Any) -> None:
        self.parameters = parameters

    @cached_property
    @abstractmethod
    def domain(self) -> Domain:
        """The domain."""

    # ---- the equation face -------------------------------------------------------------------

    def residual(self, d: Arrays) -> Arrays:
        """Return named residuals from the named derivatives listed in `needs`."""
        raise UnsupportedError(f"problem {self.name} states no residual")

    def coefficient_values(self) -> Mapping[str, "float | Function"]:
        """Return the true coefficients: a Python float, or a function on points (array API)."""
        return {}

    def conditions(self) -> tuple[Condition, ...]:
        """Return the boundary conditions on the axes that are not periodic."""
        return ()

    def initial_state(self, points: Arrays) -> Arrays:
        """Return the true initial state at space points; array API, so that jets may enter."""
        raise UnsupportedError(f"problem {self.name} states no initial state")

    # ---- the solver face ---------------------------------------------------------------------

    def step(self, state: Arrays, unknowns: Arrays, t: float, dt: float, grid: "Grid") -> Arrays:
        """Advance a state by dt. `unknowns` holds every coefficient, known or sought."""
        raise UnsupportedError(f"problem {self.name} has no time step")

    def max_dt(self, state: Arrays, unknowns: Arrays, grid: "Grid") -> float:
        """Return the largest stable time step of `step`."""
        return float("inf")

    def schemes(self) -> Mapping[str, Scheme]:
        """Return the discretisations by name, the default first; by default `step` alone."""
        if type(self).step is Problem.step:
            return {}
        return {"step": Scheme(self.step, self.max_dt, "the problem's own step")}

    # ---- the truth (for the harness only) ----------------------------------------------------

    @abstractmethod
    def reference(self) -> Reference:
        """Return the certified reference of this instance."""

    def carry(
        self, found: Mapping[str, Function], axes: "Mapping[str, np.ndarray]", tolerance: float
    ) -> Carried | None:
        """Carry found unknowns forward by a certified solver; None where that has no meaning.

        Args:
            found: unknown name -> function on points.
            axes: the tensor grid on which the fields are wanted, axis name -> (n,), ascending.
            tolerance: relative L2 error at which refinement may stop.
        """
        return None


class Task(ABC):
    """A question about a problem: what is unknown, what is observed, what is asked.

    Class attributes:
        name, summary: how it is called and what it asks.
        Parameters: settings of the task, beside those of the problem.
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
        default = self.problem.tasks[0].name == self.name
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
        """What is to be found beside the fields."""
        return ()

    @property
    def without_start(self) -> str:
        """Why nothing can be marched: an initial state is neither given nor sought; else ""."""
        sought = {unknown.field for unknown in self.unknowns if unknown.kind == "initial"}
        lacking = ", ".join(f for f in self.problem.fields if f not in sought)
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
        """What a view of this task may hand out beside the faces.

        Any of `initial_state`, `ansatz`, `embedding`, `boundary`, `coefficients`.
        """
        return frozenset({"embedding", "boundary", "coefficients"})

    def observations(self, rng: "np.random.Generator") -> tuple[Observation, ...]:
        """Draw the observations; `rng` is the data stream, the same for every method."""
        return ()

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
        """Turn raw network outputs into fields that meet initial or boundary values exactly."""
        raise UnsupportedError(f"task {self.label} allows no ansatz")

    @property
    @abstractmethod
    def reference_bound(self) -> float:
        """Bound on the relative error of the truth behind the headline metric."""

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
