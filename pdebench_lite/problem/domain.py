"""Domain: where and when a problem lives, and what holds on its boundary."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from pdebench_lite.errors import PdebenchError
from pdebench_lite.problem.boundary import Condition, Periodic
from pdebench_lite.problem.geometry import Box, Geometry, Surface

if TYPE_CHECKING:  # arrays and operators take long to import, and listing needs none
    from pdebench_lite.numerics.boundary import Conditions
    from pdebench_lite.numerics.grid import Grid

Boundary = Condition | Periodic


@dataclass(frozen=True)
class Axis:
    """One coordinate: the interval [lower, upper] that it runs through, periodic or not."""

    name: str
    lower: float
    upper: float
    periodic: bool = False
    unit: str = "dimensionless"

    @property
    def length(self) -> float:
        """Upper end minus lower end."""
        return self.upper - self.lower


class Domain:
    """A shape of space, a span of time for evolution problems, and the boundary conditions.

    `Domain(Interval(x=(-1, 1)), time=(0, 1), boundary=Periodic("x"))`

    Coordinate names are single letters, because derivatives are named by them (`u_xx`, `u_xt`).

    Attributes:
        geometry: the shape of space.
        time: the axis of time, or None for a stationary problem.
        conditions: what holds on the boundary where it is not periodic.
        space: the space coordinates as axes of the box around the shape.
    """

    def __init__(
        self,
        geometry: Geometry,
        time: tuple[float, float] | Axis | None = None,
        boundary: Boundary | Iterable[Boundary] = (),
        units: Mapping[str, str] | None = None,
    ) -> None:
        """State a domain.

        Args:
            geometry: the shape of space.
            time: (start, end) of the axis `t`; an `Axis` gives time another name.
            boundary: the conditions on the boundary.
            units: coordinate name -> unit.

        Raises:
            PdebenchError: a condition on a part or an axis that is not there, two for one part.
        """
        units = units or {}
        self.geometry = geometry
        if isinstance(time, tuple):
            time = Axis("t", float(time[0]), float(time[1]), unit=units.get("t", "dimensionless"))
        self.time: Axis | None = time
        stated = (boundary,) if isinstance(boundary, Condition | Periodic) else tuple(boundary)
        periodic = {a for b in stated if isinstance(b, Periodic) for a in b.axes}
        for name in periodic:
            if not isinstance(geometry, Box) or name not in geometry.names:
                raise PdebenchError(f"no axis '{name}' of a box to be periodic along")
        self.conditions = tuple(b for b in stated if isinstance(b, Condition))
        self.space = tuple(
            Axis(name, low, high, name in periodic, units.get(name, "dimensionless"))
            for name, (low, high) in zip(geometry.names, geometry.bounds, strict=True)
        )
        for axis in self.axes:
            if len(axis.name) != 1 or not axis.lower < axis.upper:
                raise PdebenchError(
                    f"axis {axis.name} from {axis.lower:g} to {axis.upper:g} needs a one-letter "
                    "name and lower < upper"
                )
        for condition in self.conditions:
            for part in condition.on:
                geometry.part(part)

    def __repr__(self) -> str:
        return f"Domain({self.geometry!r}, time={self.time!r}, {self.conditions!r})"

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Space coordinates in order, then time: the order of array axes in states and fields."""
        return self.space + ((self.time,) if self.time else ())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all coordinates, space first."""
        return tuple(axis.name for axis in self.axes)

    def __getitem__(self, name: str) -> Axis:
        return next(axis for axis in self.axes if axis.name == name)

    @property
    def is_box(self) -> bool:
        """Whether a uniform grid fills the space."""
        return isinstance(self.geometry, Box)

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of the boundary that are not periodic."""
        closed = tuple(f"{a.name}_" for a in self.space if a.periodic)
        return tuple(p for p in self.geometry.parts if not p.startswith(closed or ("\0",)))

    def condition(self, part: str, field: str) -> Condition | None:
        """Return what holds for a field on a part of the boundary; the last statement wins."""
        for condition in reversed(self.conditions):
            if part in (condition.on or self.parts) and field in (condition.fields or (field,)):
                return condition
        return None

    # ---- points --------------------------------------------------------------------------------

    def grid(self, cells: int | tuple[int, ...]) -> "Grid":
        """Return the uniform cell-centred space grid with that many cells an axis.

        Raises:
            PdebenchError: the space is not a box.
        """
        from pdebench_lite.numerics.grid import Grid

        if not self.is_box:
            raise PdebenchError(f"{type(self.geometry).__name__} has no uniform grid: not a box")
        counts = (cells,) * len(self.space) if isinstance(cells, int) else cells
        return Grid(
            axes=tuple(a.name for a in self.space),
            lower=tuple(a.lower for a in self.space),
            upper=tuple(a.upper for a in self.space),
            cells=counts,
            periodic=tuple(a.periodic for a in self.space),
        )

    def sample(self, rng: "np.random.Generator", n: int) -> "dict[str, np.ndarray]":
        """Draw n points uniformly from space and time; coordinate -> (n,)."""
        points = self.geometry.sample(rng, n)
        if self.time is not None:
            points[self.time.name] = self.time.lower + self.time.length * rng.random(n)
        return points

    def spread(self, rng: "np.random.Generator", n: int) -> "dict[str, np.ndarray]":
        """Draw n points that cover space and time evenly (Latin hypercube)."""
        points = self.geometry.spread(rng, n)
        return {**points, **self._times(rng, n)}

    def spread_on(self, part: str, rng: "np.random.Generator", n: int) -> Surface:
        """Draw n points that cover a part of the boundary evenly, at all times."""
        surface = self.geometry.spread_on(part, rng, n)
        return Surface({**surface.points, **self._times(rng, n)}, surface.normals)

    def _times(self, rng: "np.random.Generator", n: int) -> "dict[str, np.ndarray]":
        if self.time is None:
            return {}
        strata = (rng.permutation(n) + rng.random(n)) / n
        return {self.time.name: self.time.lower + self.time.length * strata}

    def to_unit(self, points: "Mapping[str, np.ndarray]") -> "np.ndarray":
        """Scale points to the unit cube around the domain, shape (axes, n)."""
        return np.stack([(points[a.name] - a.lower) / a.length for a in self.axes])

    # ---- what follows from the boundary conditions -----------------------------------------------

    def ghosts(self, field: str, grid: "Grid", t: Any, like: Any) -> "Conditions":
        """Return what holds on the ends of the axes of a grid, for its operators.

        Args:
            field: the field; empty: values of which nothing is known there, as a coefficient's.
            grid: a grid on this domain.
            t: time, at which values are read.
            like: array whose library, dtype and device values take.

        Raises:
            PdebenchError: no condition is stated on an end.
        """
        from pdebench_lite.numerics.boundary import Extrapolation, Robin

        if not field:
            return {axis.name: Extrapolation() for axis in self.space if not axis.periodic}
        found: dict[str, Any] = {}
        for axis in self.space:
            if axis.periodic:
                continue
            ends = []
            for side, place in (("lower", axis.lower), ("upper", axis.upper)):
                part = f"{axis.name}_{side}"
                condition = self.condition(part, field)
                if condition is None:
                    raise PdebenchError(
                        f"no boundary condition for {field} on {part}; state one, such as "
                        f"Dirichlet(0.0, on=('{part}',))"
                    )
                value = condition.value
                if callable(value):
                    value = value(self._face(grid, axis.name, place, t, like))
                ends.append(Robin(condition.alpha, condition.beta, value))
            found[axis.name] = (ends[0], ends[1])
        return found

    def _face(self, grid: "Grid", axis: str, place: float, t: Any, like: Any) -> dict[str, Any]:
        """Return the centres of the faces at one end of an axis, along which the length is 1."""
        i = grid.index(axis)
        keep = (..., slice(0, 1), *(slice(None),) * (-i - 1))
        points = {name: values[keep] for name, values in grid.points(like).items()}
        points[axis] = points[axis] * 0.0 + place
        if self.time is not None:
            points[self.time.name] = points[axis] * 0.0 + t
        return points

    @cached_property
    def hard(self) -> "Callable[[str, dict[str, Any]], tuple[Any, Any] | None]":
        """`hard(field, points)` -> (lift, distance): u = lift + distance · N meets Dirichlet.

        The lift has the stated values on the boundary, the distance vanishes there and is positive
        inside. None where the shape has no smooth distance, or the field no Dirichlet condition.
        Points: arrays of any backend, or jets.
        """

        def ansatz(field: str, points: dict[str, Any]) -> tuple[Any, Any] | None:
            stated = {part: self.condition(part, field) for part in self.parts}
            fixed = {p: c for p, c in stated.items() if c is not None and not c.beta}
            distance = self.geometry.distance(points, tuple(fixed))
            if distance is None:
                return None
            return self._lift(fixed, points), distance

        return ansatz

    def is_hard(self, part: str, field: str) -> bool:
        """Whether an ansatz meets the condition of a field on a part of the boundary."""
        condition = self.condition(part, field)
        if condition is None or condition.beta:
            return False
        middle = {a.name: np.array([0.5 * (a.lower + a.upper)]) for a in self.space}
        return self.geometry.distance(middle, (part,)) is not None

    def _lift(self, fixed: dict[str, Condition], points: dict[str, Any]) -> Any:
        """Return a function with the values of some Dirichlet conditions.

        Where all parts share one value it is that value; on a box, the boundary's values are
        blended (Coons; Gordon & Hall 1973, doi:10.1007/BF01436298).
        """
        first = next(iter(fixed.values()))
        if all(c.value == first.value and c.alpha == first.alpha for c in fixed.values()):
            return first.at(points) / first.alpha

        def blended(axes: tuple[Axis, ...], at: dict[str, Any]) -> Any:
            if not axes:
                return 0.0
            *others, axis = axes
            total = blended(tuple(others), at)
            x = at[axis.name]
            ends = [
                (place, fixed[part])
                for part, place in (
                    (f"{axis.name}_lower", axis.lower),
                    (f"{axis.name}_upper", axis.upper),
                )
                if part in fixed
            ]
            for place, condition in ends:
                there = {**at, axis.name: x * 0.0 + place}
                share: Any = 1.0
                if len(ends) == 2:
                    far = axis.upper + axis.lower - place
                    share = (x - far) * (1.0 / (place - far))
                gap = condition.at(there) / condition.alpha
                if others:
                    gap = gap - blended(tuple(others), there)
                total = total + share * gap
            return total

        return blended(tuple(a for a in self.space if not a.periodic), points)
