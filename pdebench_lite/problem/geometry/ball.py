"""Discs and balls."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from math import pi
from typing import Any

import numpy as np

from pdebench_lite.errors import PdebenchError

from .geometry import Block, Geometry, Points, Surface

_CORE = 0.4  # half side of the cube in the middle, in radii


@dataclass(frozen=True)
class Ball(Geometry):
    """A ball in three dimensions or, with two names, a disc. Its boundary is the part `sphere`.

    Attributes:
        centre: of each coordinate.
        radius: above 0.
        names: names of the coordinates.
    """

    centre: tuple[float, ...] = (0.0, 0.0, 0.0)
    radius: float = 1.0
    names: tuple[str, ...] = ("x", "y", "z")
    parts = ("sphere",)

    def __post_init__(self) -> None:
        if len(self.centre) != len(self.names) or len(self.names) not in (2, 3):
            raise PdebenchError(f"names={self.names}, centre={self.centre}: give 2 or 3 of each")
        if not 0 < self.radius < np.inf:
            raise PdebenchError(f"radius={self.radius:g} must be above 0")

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:  # type: ignore[override]
        """The box around it."""
        return tuple((c - self.radius, c + self.radius) for c in self.centre)

    @property
    def volume(self) -> float:
        """Area or volume."""
        return pi * self.radius**2 if self.dimension == 2 else 4 / 3 * pi * self.radius**3

    def _squared(self, points: Mapping[str, Any]) -> Any:
        pairs = zip(self.names, self.centre, strict=True)
        return sum((points[a] - c) ** 2 for a, c in pairs)

    def contains(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """Say which points are no farther from the centre than the radius (to rounding)."""
        inside: np.ndarray = self._squared(points) <= self.radius**2 * (1 + 1e-14)
        return inside

    def from_unit(self, unit: np.ndarray) -> Points:
        """Map the unit cube evenly onto the ball: radius by the root, direction by the rest."""
        return self._at(self.radius * unit[0] ** (1 / self.dimension), _direction(unit[1:]))

    def _at(self, r: np.ndarray, direction: np.ndarray) -> Points:
        rows = zip(self.names, self.centre, direction, strict=True)
        return {a: c + r * row for a, c, row in rows}

    def quadrature(self, n: int) -> tuple[Points, np.ndarray]:
        """Return Gauss–Legendre along the radius (and the height), the trapezoid rule around."""
        nodes, w = np.polynomial.legendre.leggauss(n)
        around = (np.arange(2 * n) + 0.5) / (2 * n)
        lines = [self.radius * (nodes + 1) / 2, around]
        factors = [self.radius * w / 2 * lines[0] ** (self.dimension - 1), np.full(2 * n, pi / n)]
        if self.dimension == 3:
            lines.insert(1, (nodes + 1) / 2)  # of the height, in which the sphere is even
            factors.insert(1, w)
        mesh = [m.ravel() for m in np.meshgrid(*lines, indexing="ij")]
        weights = reduce(np.multiply.outer, factors)
        return self._at(mesh[0], _direction(np.stack(mesh[1:]))), np.ravel(weights)

    def on_boundary(self, part: str, unit: np.ndarray) -> Surface:
        """Map the unit cube evenly onto the sphere."""
        self.part(part)
        direction = _direction(unit)
        normals = dict(zip(self.names, direction, strict=True))
        return Surface(self._at(np.full(unit.shape[1], self.radius), direction), normals)

    def blocks(self) -> tuple[Block, ...]:
        """Return a cube in the middle, and blocks from its faces to the sphere."""
        d, centre = self.dimension, np.array(self.centre)[:, None]
        half = _CORE * self.radius

        def toward(face: int, sign: float) -> Block:
            def at(unit: np.ndarray) -> np.ndarray:
                along = np.insert(2 * np.delete(unit, face, axis=0) - 1, face, sign, axis=0)
                rim = np.tan(pi / 4 * along)  # even in the angle
                rim *= self.radius / np.linalg.norm(rim, axis=0)
                return centre + half * along + unit[face] * (rim - half * along)

            return Block(at)

        core = Block(lambda unit: centre + half * (2 * unit - 1))
        return (core, *(toward(face, sign) for face in range(d) for sign in (-1.0, 1.0)))

    def gaps(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the distance to the sphere."""
        gap: np.ndarray = abs(np.sqrt(self._squared(points)) - self.radius)
        return gap[None]

    def distance(self, points: Mapping[str, Any], parts: tuple[str, ...]) -> Any | None:
        """Return (R² − r²)/R²."""
        for part in parts:
            self.part(part)
        return (self.radius**2 - self._squared(points)) / self.radius**2 if parts else None


class Disc(Ball):
    """A disc: `Disc(centre=(0, 0), radius=1)`. Its boundary is the part `sphere`."""

    def __init__(
        self,
        centre: tuple[float, float] = (0.0, 0.0),
        radius: float = 1.0,
        names: tuple[str, ...] = ("x", "y"),
    ) -> None:
        super().__init__(centre, radius, names)


def _direction(unit: np.ndarray) -> np.ndarray:
    """Map (1, n) evenly to unit vectors of the plane, (2, n) to those of space."""
    angle = 2 * pi * unit[-1]
    plane = np.stack([np.cos(angle), np.sin(angle)])
    if len(unit) == 1:
        return plane
    height = 2 * unit[0] - 1  # Archimedes: even in height is even on the sphere
    return np.concatenate([np.sqrt(1 - height**2) * plane, height[None]])
