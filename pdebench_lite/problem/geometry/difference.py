"""A shape without some others, such as a square with round holes."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pdebench_lite.errors import PdebenchError

from .ball import Ball
from .box import Box
from .geometry import Block, Geometry, Points, Surface


@dataclass(frozen=True)
class Difference(Geometry):
    """`Difference(Box(x=(0, 1), y=(0, 1)), (Disc((0.5, 0.5), 0.1),))`: a box with round holes.

    Its boundary parts are those of the outer shape and `hole0`, `hole1`, …, whose normals point
    into the holes. No smooth distance: see `Geometry.distance`.

    Attributes:
        outer: a box in two dimensions.
        holes: discs inside it that do not meet.

    Raises:
        PdebenchError: holes that meet each other or the outer boundary; other shapes.
    """

    outer: Box
    holes: tuple[Ball, ...]

    def __post_init__(self) -> None:
        if self.outer.dimension != 2 or any(h.names != self.outer.names for h in self.holes):
            raise PdebenchError(
                "a difference is a box in two dimensions without discs of the same coordinates; "
                "state other shapes as Polygon(corners, holes)"
            )
        if any(self._room(i) <= hole.radius for i, hole in enumerate(self.holes)):
            raise PdebenchError("the squares around the holes meet each other or a side")

    @property
    def names(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of the outer shape."""
        return self.outer.names

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:  # type: ignore[override]
        """Those of the outer shape."""
        return self.outer.bounds

    @property
    def parts(self) -> tuple[str, ...]:  # type: ignore[override]
        """Those of the outer shape, then the holes."""
        return (*self.outer.parts, *(f"hole{i}" for i in range(len(self.holes))))

    @property
    def volume(self) -> float:
        """Area."""
        return self.outer.volume - sum(hole.volume for hole in self.holes)

    def contains(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """Say which points lie in the outer shape and not within a hole."""
        inside = self.outer.contains(points)
        for hole in self.holes:
            inside &= hole._squared(points) >= hole.radius**2 * (1 - 1e-14)
        return inside

    def on_boundary(self, part: str, unit: np.ndarray) -> Surface:
        """Return points on a side or on the rim of a hole."""
        if not self.part(part).startswith("hole"):
            return self.outer.on_boundary(part, unit)
        rim = self.holes[int(part.removeprefix("hole"))].on_boundary("sphere", unit)
        return Surface(rim.points, {a: -v for a, v in rim.normals.items()})

    # ---- quadrature: squares around the holes, and rectangles between them -----------------------

    def _room(self, i: int) -> float:
        """Return the half side of the largest square around a hole that meets nothing."""
        mine = self.holes[i]
        pairs = zip(mine.centre, self.bounds, strict=True)
        room = min(min(c - low, high - c) for c, (low, high) in pairs)
        for j, other in enumerate(self.holes):
            if j != i:
                apart = max(abs(a - b) for a, b in zip(mine.centre, other.centre, strict=True))
                room = min(room, apart * mine.radius / (mine.radius + other.radius))
        return room

    @cached_property
    def _squares(self) -> list[tuple[Ball, float]]:
        # halfway between the rim and the room: neither thin rings nor thin rectangles
        return [(h, 0.5 * (h.radius + self._room(i))) for i, h in enumerate(self.holes)]

    def quadrature(self, n: int) -> tuple[Points, np.ndarray]:
        """Return Gauss–Legendre points of curved blocks around the holes and of rectangles."""
        pieces = [*self._rectangles(n), *self._rings(n)]
        x, y, w = (np.concatenate([piece[k] for piece in pieces]) for k in range(3))
        return dict(zip(self.names, (x, y), strict=True)), w

    @cached_property
    def _cuts(self) -> list[list[float]]:
        """Where the sides of the squares, prolonged, and of the shape cut each axis."""
        cuts = []
        for k, (low, high) in enumerate(self.bounds):
            ends = [c.centre[k] + sign * half for c, half in self._squares for sign in (-1, 1)]
            found = [low]
            for cut in sorted([*ends, high]):
                if cut - found[-1] > 1e-9 * (high - low):
                    found.append(cut)
            cuts.append([*found[:-1], high])
        return cuts

    def _between(self) -> Iterator[Box]:
        """Yield the rectangles between the squares."""
        xs, ys = self._cuts
        for x0, x1 in itertools.pairwise(xs):
            for y0, y1 in itertools.pairwise(ys):
                middle = (0.5 * (x0 + x1), 0.5 * (y0 + y1))
                if not any(
                    max(abs(m - c) for m, c in zip(middle, hole.centre, strict=True)) < half
                    for hole, half in self._squares
                ):
                    yield Box(x=(x0, x1), y=(y0, y1))

    def blocks(self) -> tuple[Block, ...]:
        """Return the rectangles, and blocks from the rims to the sides of the squares."""
        found = [block for box in self._between() for block in box.blocks()]
        for hole, half in self._squares:
            centre = np.array(hole.centre)[:, None]
            for axis, cuts in enumerate(self._cuts):
                middle = hole.centre[axis]
                inside = [c - middle for c in cuts if abs(c - middle) < half * (1 + 1e-9)]
                for ends in itertools.pairwise(inside):
                    for side in (-half, half):
                        found.append(_ray_block(centre, hole.radius, axis, ends, side))
        return tuple(found)

    def gaps(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the distances to the lines that hold the sides, and to the rims."""
        return np.concatenate([shape.gaps(points) for shape in (self.outer, *self.holes)])

    def _rectangles(self, n: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        for box in self._between():
            points, weights = box.quadrature(n)
            yield points["x"], points["y"], weights

    def _rings(self, n: int) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Yield four blocks a hole: rays from the rim to a side of the square around it."""
        nodes, w = np.polynomial.legendre.leggauss(n)
        s, ws = (nodes + 1) / 2, w / 2
        s, angle = (m.ravel() for m in np.meshgrid(s, nodes * np.pi / 4, indexing="ij"))
        weights = np.outer(ws, w * np.pi / 4).ravel()
        for hole, half in self._squares:
            span = half / np.cos(angle) - hole.radius
            r = hole.radius + s * span
            for quarter in range(4):
                turned = angle + quarter * np.pi / 2
                x, y = hole.centre[0] + r * np.cos(turned), hole.centre[1] + r * np.sin(turned)
                yield x, y, weights * span * r


def _ray_block(
    centre: np.ndarray, radius: float, axis: int, ends: tuple[float, float], side: float
) -> Block:
    """Return the block of rays from a rim to a part of a side of the square around it."""

    def at(unit: np.ndarray) -> np.ndarray:
        along = ends[0] + (ends[1] - ends[0]) * unit[0]
        outer = np.insert(np.full((1, along.size), side), axis, along, axis=0)
        rim = outer * (radius / np.linalg.norm(outer, axis=0))
        return np.asarray(centre + rim + unit[1] * (outer - rim))

    return Block(at)
