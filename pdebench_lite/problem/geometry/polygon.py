"""Polygons, with holes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from pdebench_lite.errors import PdebenchError

from .geometry import Block, Geometry, Points, Surface

if TYPE_CHECKING:  # takes long to import, and listing needs none
    import shapely

Ring = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Polygon(Geometry):
    """A polygon by its corners: `Polygon(((0, 0), (1, 0), (0, 1)))`.

    Its boundary parts are the edges, `edge0`, `edge1`, …: first those of the outer ring from its
    first corner on, then those of each hole. No smooth distance: see `Geometry.distance`.

    Attributes:
        corners: of the outer ring, in either direction, the first one not repeated.
        holes: rings of the holes.
        names: names of the two coordinates.

    Raises:
        PdebenchError: fewer than three corners, or edges that cross.
    """

    corners: Ring
    holes: tuple[Ring, ...] = ()
    names: tuple[str, ...] = field(default=("x", "y"))

    def __post_init__(self) -> None:
        for ring in (self.corners, *self.holes):
            if len(ring) < 3:
                raise PdebenchError(f"a ring of {len(ring)} corners: a polygon needs at least 3")

    @property
    def parts(self) -> tuple[str, ...]:  # type: ignore[override]
        """The edges."""
        return tuple(f"edge{i}" for i in range(sum(map(len, (self.corners, *self.holes)))))

    @property
    def bounds(self) -> tuple[tuple[float, float], ...]:  # type: ignore[override]
        """The box around it."""
        return tuple((min(row), max(row)) for row in zip(*self.corners, strict=True))

    @cached_property
    def _shape(self) -> "shapely.Polygon":
        import shapely

        shape = shapely.Polygon(self.corners, self.holes)
        if not shape.is_valid:
            raise PdebenchError(f"not a polygon: {shapely.is_valid_reason(shape)}")
        return shape

    @cached_property
    def triangles(self) -> np.ndarray:
        """A triangulation, (m, 3 corners, 2 coordinates)."""
        import shapely

        parts = shapely.constrained_delaunay_triangles(self._shape).geoms
        return np.array([shapely.get_coordinates(t)[:3] for t in parts])

    @cached_property
    def _areas(self) -> np.ndarray:
        a, b, c = np.moveaxis(self.triangles, 1, 0)
        return 0.5 * np.abs(np.linalg.det(np.stack([b - a, c - a], axis=-1)))

    @property
    def volume(self) -> float:
        """Area."""
        return float(self._shape.area)

    def contains(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """Say which points lie inside or on an edge."""
        import shapely

        x, y = (np.asarray(points[a], float) for a in self.names)
        inside: np.ndarray = shapely.intersects_xy(self._shape, x, y)
        return inside

    def from_unit(self, unit: np.ndarray) -> Points:
        """Map the unit square evenly onto the polygon: triangle by triangle."""
        share = np.cumsum(self._areas) / np.sum(self._areas)
        k = np.minimum(np.searchsorted(share, unit[0], side="right"), len(share) - 1)
        start = np.concatenate([[0.0], share])[k]
        root = np.sqrt((unit[0] - start) / (share[k] - start))
        a, b, c = np.moveaxis(self.triangles[k], 1, 0)
        at = a + root[:, None] * ((1 - unit[1])[:, None] * (b - a) + unit[1][:, None] * (c - a))
        return dict(zip(self.names, at.T, strict=True))

    def quadrature(self, n: int) -> tuple[Points, np.ndarray]:
        """Return n × n Gauss–Legendre points in each triangle (collapsed coordinates).

        Exact up to the degree 2n − 2. Duffy 1982, doi:10.1137/0719090.
        """
        nodes, w = np.polynomial.legendre.leggauss(n)
        s, ws = (nodes + 1) / 2, w / 2
        r, q = (m.ravel()[:, None, None] for m in np.meshgrid(s, s, indexing="ij"))
        a, b, c = np.moveaxis(self.triangles, 1, 0)
        at = a + r * ((1 - q) * (b - a) + q * (c - a))
        weights = np.outer(np.outer(ws * s, ws).ravel(), 2 * self._areas)
        return dict(zip(self.names, at.reshape(-1, 2).T, strict=True)), weights.ravel()

    def blocks(self) -> tuple[Block, ...]:
        """Return three quadrilaterals a triangle: corner, halves of two edges, middle."""

        def quadrilateral(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> Block:
            to_b, to_c = ((e - a)[:, None] / 2 for e in (b, c))
            rest = ((a + b + c) / 3 - a)[:, None] - to_b - to_c

            def at(unit: np.ndarray) -> np.ndarray:
                found: np.ndarray = a[:, None] + unit[0] * to_b + unit[1] * to_c
                return found + unit[0] * unit[1] * rest

            return Block(at, corner=True)

        return tuple(
            quadrilateral(t[i], t[(i + 1) % 3], t[(i + 2) % 3])
            for t in self.triangles
            for i in range(3)
        )

    @cached_property
    def _edges(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Both ends of each edge, in the order of the parts."""
        return [
            (np.array(ring[i]), np.array(ring[(i + 1) % len(ring)]))
            for ring in (self.corners, *self.holes)
            for i in range(len(ring))
        ]

    def gaps(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the distances to the edges."""
        at = np.stack([np.asarray(points[a], float) for a in self.names], axis=-1)

        def gap(begin: np.ndarray, end: np.ndarray) -> np.ndarray:
            along = end - begin
            share = np.clip((at - begin) @ along / (along @ along), 0, 1)
            return np.asarray(np.linalg.norm(at - begin - share[:, None] * along, axis=1))

        return np.stack([gap(*edge) for edge in self._edges])

    def on_boundary(self, part: str, unit: np.ndarray) -> Surface:
        """Return points on an edge, evenly spaced as `unit` is."""
        begin, end = self._edges[self.parts.index(self.part(part))]
        at = begin + unit[0][:, None] * (end - begin)
        along = (end - begin) / np.linalg.norm(end - begin)
        normal = np.array([along[1], -along[0]])
        middle, step = 0.5 * (begin + end), 1e-7 * np.linalg.norm(end - begin)
        ahead = dict(zip(self.names, (middle + step * normal)[:, None], strict=True))
        if self.contains(ahead)[0]:
            normal = -normal
        n = unit.shape[1]
        normals = {a: np.full(n, v) for a, v in zip(self.names, normal, strict=True)}
        return Surface(dict(zip(self.names, at.T, strict=True)), normals)
