"""Problem: the three faces of a PDE, each stated once, in code that serves every array library.

A problem states its *equation* (`residual`), its *solver* (`solver`) and the reference from which
the harness takes the *data*; the boundary conditions are the domain's. A task says what is unknown,
what is observed and what is asked. Neither imports torch or JAX: arithmetic is the array API's.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.problem.asked import Arrays, Function, Unknown
from pdebench_lite.problem.domain import Domain
from pdebench_lite.problem.field import Field
from pdebench_lite.problem.reference import Carried, Reference
from pdebench_lite.problem.solver import Evolution, Scheme, Stationary
from pdebench_lite.selectors import Settings

if TYPE_CHECKING:
    import numpy as np

    from pdebench_lite.problem.task import Task


class Problem(ABC):
    """A PDE with its domain and parameters. Subclass it once per PDE, in one file.

    Class attributes:
        name, summary: how it is called and what it is (the equation in Unicode).
        citation: BibTeX of the source.
        Parameters: settings with defaults that work; values are Python floats.
        fields: the sought fields; a name stands for `Field(name)`.
        order: of the equation in time: 1, or 2 where u and u_t are given at the start.
        coefficients: name -> axes of every quantity next to the fields that the equation names.
        units: name of a coefficient -> its unit.
        needs: the named derivatives that `residual` reads, coefficients included.
        sought: coefficients that a task `identify` may seek, by name.
        tasks: the tasks of its own, for which the others that apply to it make way; the first is
            the default.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    citation: ClassVar[str] = ""
    Parameters: ClassVar[type[Settings]] = Settings
    fields: ClassVar[tuple[Field | str, ...]]
    order: ClassVar[int] = 1
    units: ClassVar[Mapping[str, str]] = {}
    coefficients: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    needs: ClassVar[tuple[str, ...]] = ()
    sought: ClassVar[Mapping[str, Unknown]] = {}
    tasks: ClassVar[tuple[type["Task"], ...]] = ()

    def __init__(self, parameters: Any) -> None:
        self.parameters = parameters

    @cached_property
    def described(self) -> Mapping[str, Field]:
        """The fields by name."""
        fields = (f if isinstance(f, Field) else Field(f) for f in self.fields)
        return {f.name: f for f in fields}

    @property
    def field_names(self) -> tuple[str, ...]:
        """Names of all fields."""
        return tuple(self.described)

    @property
    def evolved(self) -> tuple[str, ...]:
        """Names of the fields that are not auxiliary."""
        return tuple(name for name, f in self.described.items() if not f.auxiliary)

    @property
    def measurable(self) -> tuple[str, ...]:
        """Names of the fields that have values, not values up to a constant."""
        return tuple(name for name, f in self.described.items() if not f.gauge)

    @property
    def default_task(self) -> str:
        """Name of the task that a selector without one means."""
        if self.tasks:
            return self.tasks[0].name
        return "solve" if self.domain.time is None else "forward"

    @property
    def starts(self) -> bool:
        """Whether the problem states an initial state."""
        return type(self).initial_state is not Problem.initial_state

    def unit(self, name: str) -> str:
        """Return the unit of a field or a coefficient."""
        if name in self.described:
            return self.described[name].unit
        return self.units.get(name, "dimensionless")

    @cached_property
    @abstractmethod
    def domain(self) -> Domain:
        """Where and when it lives, and what holds on the boundary."""

    # ---- the equation face -------------------------------------------------------------------

    def residual(self, d: Arrays) -> Arrays:
        """Return named residuals from the named derivatives listed in `needs`."""
        raise UnsupportedError(f"problem {self.name} states no residual")

    def coefficient_values(self) -> Mapping[str, "float | Function"]:
        """Return the true coefficients: a Python float, or a function on points (array API)."""
        return {}

    def initial_state(self, points: Arrays) -> Arrays:
        """Return the true initial state at space points; array API, so that jets may enter."""
        raise UnsupportedError(f"problem {self.name} states no initial state")

    def initial_rate(self, points: Arrays) -> Arrays:
        """Return the true u_t at the start, for equations of second order in time; likewise."""
        raise UnsupportedError(f"problem {self.name} states no initial rate")

    # ---- the solver face -------------------------------------------------------------------------

    def solver(self) -> Evolution | Stationary | None:
        """Return what a solver is made of; None where the problem offers none."""
        return None

    def schemes(self) -> Mapping[str, Scheme]:
        """Return the discretisations in time by name, the default first."""
        stated = self.solver()
        return stated.schemes(self.domain, self.order) if isinstance(stated, Evolution) else {}

    def weak(self) -> Stationary | None:
        """Return the equation as fluxes and sources; of an evolution, its right-hand side."""
        stated = self.solver()
        return stated.weak if isinstance(stated, Evolution) else stated

    def start(self, points: Arrays) -> Arrays:
        """Return the state with which a solver starts: u, and `u_t` for second order in time."""
        given = self.initial_state(points)
        state = {name: given[name] for name in self.evolved}
        if self.order == 2:
            state |= {f"{name}_t": v for name, v in self.initial_rate(points).items()}
        return state

    # ---- the truth (for the harness only) ----------------------------------------------------

    @abstractmethod
    def reference(self) -> Reference:
        """Return the certified reference of this instance."""

    def truth(self) -> Reference:
        """Return the reference, which returns the coefficients as well."""
        reference, known = self.reference(), self.coefficient_values()

        def evaluate(points: Arrays) -> "dict[str, np.ndarray]":
            import numpy as np

            shape = np.shape(next(iter(points.values())))
            values = {
                k: np.broadcast_to(np.asarray(v(points) if callable(v) else v, float), shape)
                for k, v in known.items()
            }
            return {**values, **reference.evaluate(points)}

        return replace(reference, evaluate=evaluate)

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
