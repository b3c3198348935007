"""What a task asks for and what it gives: unknowns, observations, a function to differentiate."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from pdebench_lite.errors import PdebenchError

if TYPE_CHECKING:  # takes long to import, and listing needs none
    import numpy as np

Array: TypeAlias = Any
"""An array of any backend (NumPy, torch, JAX) or a jet."""

Arrays: TypeAlias = dict[str, Any]
"""Named arrays: a state, a residual, points, derivatives."""

Function: TypeAlias = Callable[[Arrays], Any]
"""A function on points: maps axis names to arrays of shape (n,) to values of shape (n,)."""

Face: TypeAlias = Literal["data", "equation", "solver", "expression"]


@dataclass(frozen=True)
class Unknown:
    """What a task asks a method to find in addition to the fields.

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
