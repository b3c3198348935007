"""Boxes of any dimension."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from operator import mul
from typing import Any

import numpy as np

from pdebench_lite.errors import PdebenchError

from .geometry import Block, Geometry, Points, Surface


@dataclass(frozen=True, init=False)
class Box(Geometry):
    """A box: `Box(x=(0, 1), y=(-1, 1))`. Its boundary parts are `x_lower`, `x_upper`, `y_lower`, ….

    Raises:
        PdebenchError: a name that is not one letter, bounds that are infinite or out of order.
    """

    names: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]

    def __init__(self, **bounds: tuple[float, float]) -> None:
        for name, (low, high) in bounds.items():
            if len(name) != 1 or not -np.inf < low < high < np.inf:
                raise PdebenchError(
                    f"axis {name}=({low:g}, {high:g}) needs a one-letter name and lower < upper"
                )
        object.__setattr__(self, "names", tuple(bounds))
        object.__setattr__(self, "bounds", tuple((float(a), float(b)) for a, b in bounds.values()))

    @property
    def parts(self) -> tuple[str, ...]:  # type: ignore[override]
        """Both ends of each axis."""
        return tuple(f"{name}_{side}" for name in self.names for side in ("lower", "upper"))

    @property
    def volume(self) -> float:
        """Product of the lengths."""
        return reduce(mul, (high - low for low, high in self.bounds), 1.0)

    def contains(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """Say which points lie between all bounds."""
        pairs = zip(self.names, self.bounds, strict=True)
        return np.all(
            [(low <= points[a]) & (points[a] <= high) for a, (low, high) in pairs], axis=0
        )

    def quadrature(self, n: int) -> tuple[Points, np.ndarray]:
        """Return the tensor product of Gauss–Legendre rules: exact up to the degree 2n − 1."""
        nodes, weights = np.polynomial.legendre.leggauss(n)
        lines, factors = [], []
        for low, high in self.bounds:
            lines.append(low + (high - low) * (nodes + 1) / 2)
            factors.append(weights * (high - low) / 2)
        mesh = np.meshgrid(*lines, indexing="ij")
        total = reduce(np.multiply.outer, factors)
        return {a: m.ravel() for a, m in zip(self.names, mesh, strict=True)}, np.ravel(total)

    def on_boundary(self, part: str, unit: np.ndarray) -> Surface:
        """Return points on one end of one axis; the normal points along that axis."""
        name, _, side = self.part(part).partition("_")
        i, n = self.names.index(name), unit.shape[1]
        end = self.bounds[i][side == "upper"]
        full = np.insert(unit, i, 0.0, axis=0)
        points = self.from_unit(full)
        points[name] = np.full(n, end)
        normals = {a: np.zeros(n) for a in self.names}
        normals[name] = np.full(n, 1.0 if side == "upper" else -1.0)
        return Surface(points, normals)

    def blocks(self) -> tuple[Block, ...]:
        """Return the box itself."""
        low, high = np.array(self.bounds).T[:, :, None]
        return (Block(lambda unit: low + (high - low) * unit),)

    def gaps(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the distances to the planes that hold the sides."""
        pairs = zip(self.names, self.bounds, strict=True)
        return np.array([abs(points[name] - end) for name, ends in pairs for end in ends])

    def distance(self, points: Mapping[str, Any], parts: tuple[str, ...]) -> Any:
        """Return the product of the distances to the sides, each over the length of its axis.

        Of the smooth functions compared it errs least as an ansatz (Sukumar & Srivastava 2022,
        doi:10.1016/j.cma.2021.114333, compare others, whose Laplacian is infinite at corners).
        """
        factors = []
        for part in parts:
            name, _, side = self.part(part).partition("_")
            low, high = self.bounds[self.names.index(name)]
            x, length = points[name], high - low
            factors.append((x - low) / length if side == "lower" else (high - x) / length)
        return reduce(mul, factors) if factors else None

    def axes(self, n: int) -> dict[str, np.ndarray]:
        """Return n points along each axis, both ends included."""
        pairs = zip(self.names, self.bounds, strict=True)
        return {a: np.linspace(low, high, n) for a, (low, high) in pairs}


class Interval(Box):
    """A box of one dimension: `Interval(x=(-1, 1))`."""

    def __init__(self, **bounds: tuple[float, float]) -> None:
        if len(bounds) != 1:
            raise PdebenchError(f"Interval needs one axis, not {len(bounds)}: write Box(…)")
        super().__init__(**bounds)
