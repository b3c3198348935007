"""Field: one sought function, and how it is measured."""

from dataclasses import dataclass

from pdebench_lite.errors import PdebenchError


@dataclass(frozen=True)
class Field:
    """A sought function of the domain.

    Attributes:
        name: as the equation spells it; no underscore, because `u_x` is its derivative.
        unit: physical unit.
        scale: typical size, in that unit. Errors of a field whose reference is zero are divided by
            it, and methods may use it where the data say nothing of the size.
        auxiliary: whether it follows from the others at each time, as a pressure or a stream
            function does: it has no initial state and is not a state of a solver.
        gauge: whether it is defined up to a constant only; then it loses its mean before it is
            compared.
    """

    name: str
    unit: str = "dimensionless"
    scale: float = 1.0
    auxiliary: bool = False
    gauge: bool = False

    def __post_init__(self) -> None:
        if not self.name.isidentifier() or "_" in self.name:
            raise PdebenchError(f"field name '{self.name}': use letters and digits, no underscore")
        if not self.scale > 0:
            raise PdebenchError(f"field {self.name}: scale={self.scale:g} must be above 0")
