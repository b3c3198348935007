"""Domain: where a problem lives."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pdebench_lite.errors import PdebenchError

if TYPE_CHECKING:  # arrays and operators take long to import, and listing needs none
    import numpy as np

    from pdebench_lite.numerics.grid import Grid


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
        from pdebench_lite.numerics.grid import Grid

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
