"""Geometry: what a shape of space can be asked."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pdebench_lite.errors import PdebenchError

Points: TypeAlias = dict[str, np.ndarray]
"""Coordinate name -> array of shape (n,), NumPy float64."""

_TRIES = 1000  # rounds of drawing from the bounding box before a shape counts as empty


@dataclass(frozen=True)
class Surface:
    """Points on a part of a boundary.

    Attributes:
        points: coordinate name -> (n,).
        normals: coordinate name -> component of the outward unit normal, (n,).
    """

    points: Points
    normals: Points


@dataclass(frozen=True)
class Block:
    """A piece of a shape that is a cube, bent.

    Attributes:
        at: maps points of the unit cube, (dimension, n), to coordinates, (dimension, n), smoothly.
        corner: whether the origin of the cube is a corner of the shape; then all blocks of the
            shape fit each other, too, when cells shrink toward their origins by one power.
    """

    at: Callable[[np.ndarray], np.ndarray]
    corner: bool = False


class Geometry(ABC):
    """A bounded shape in one or more space coordinates. Immutable and hashable.

    Attributes:
        names: names of the coordinates, single letters, in the order of array axes.
        bounds: (lower, upper) of each coordinate: the smallest box that holds the shape.
        parts: names of the parts of the boundary, each with a normal of its own.
    """

    names: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]
    parts: tuple[str, ...]

    @property
    @abstractmethod
    def volume(self) -> float:
        """Length, area or volume, to rounding."""

    @abstractmethod
    def contains(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """Say which points lie inside or on the boundary, shape (n,), bool."""

    @abstractmethod
    def quadrature(self, n: int) -> tuple[Points, np.ndarray]:
        """Return points inside and positive weights: Σ wᵢ f(xᵢ) ≈ ∫ f.

        Exact for polynomials of a degree that grows with n: at n = 24 integrals of smooth functions
        are right to 1e-10.

        Args:
            n: points along each coordinate, or along each piece of the shape.

        Returns:
            Coordinate name -> (m,); weights (m,), which sum to the volume.
        """

    @abstractmethod
    def on_boundary(self, part: str, unit: np.ndarray) -> Surface:
        """Map the unit cube of one dimension less onto a part of the boundary, evenly.

        Args:
            part: one of `parts`.
            unit: (dimension − 1, n), in [0, 1); of shape (0, n) in one dimension.
        """

    @abstractmethod
    def blocks(self) -> tuple[Block, ...]:
        """Return bent cubes that fill the shape and share whole faces, the same points on both."""

    @abstractmethod
    def gaps(self, points: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the distances of points to the parts of the boundary, (parts, n).

        A flat part of a box may count as the whole plane that holds it.
        """

    def from_unit(self, unit: np.ndarray) -> Points:
        """Map the unit cube onto the bounding box, or evenly onto the shape where it can.

        Args:
            unit: (dimension, n), in [0, 1).
        """
        rows = zip(self.names, self.bounds, unit, strict=True)
        return {name: low + (high - low) * row for name, (low, high), row in rows}

    def distance(self, points: Mapping[str, Any], parts: tuple[str, ...]) -> Any | None:
        """Return a smooth function that is positive inside and zero on these parts only.

        Args:
            points: arrays of any backend, or jets.
            parts: names of parts of the boundary.

        Returns:
            Values of the shape of the points; None where no such function trains well: on corners
            that point inwards its second derivatives are infinite.
        """
        return None

    def axes(self, n: int) -> dict[str, np.ndarray] | None:
        """Return a tensor grid of n points along each coordinate, ends included; None if none."""
        return None

    # ---- what follows ----------------------------------------------------------------------------

    @property
    def dimension(self) -> int:
        """Number of coordinates."""
        return len(self.names)

    def part(self, name: str) -> str:
        """Return the name of a part of the boundary, checked.

        Raises:
            PdebenchError: there is none of that name.
        """
        if name not in self.parts:
            raise PdebenchError(f"no boundary part '{name}'; there are: {', '.join(self.parts)}")
        return name

    def sample(self, rng: np.random.Generator, n: int) -> Points:
        """Draw n points inside, uniformly and independently."""
        return self._inside(lambda m: rng.random((self.dimension, m)), n)

    def spread(self, rng: np.random.Generator, n: int) -> Points:
        """Draw n points inside that cover it evenly (Latin hypercube of the bounding box)."""
        from scipy.stats import qmc  # takes long to import

        cube = qmc.LatinHypercube(self.dimension, rng=rng)
        return self._inside(lambda m: cube.random(m).T, n)

    def spread_on(self, part: str, rng: np.random.Generator, n: int) -> Surface:
        """Draw n points that cover a part of the boundary evenly."""
        from scipy.stats import qmc

        if self.dimension == 1:
            return self.on_boundary(part, np.empty((0, n)))
        return self.on_boundary(part, qmc.LatinHypercube(self.dimension - 1, rng=rng).random(n).T)

    def _inside(self, draw: Any, n: int) -> Points:
        """Keep of the points that are drawn those that lie inside, until there are n."""
        kept: list[Points] = []
        found, wanted = 0, n
        for _ in range(_TRIES):
            points = self.from_unit(draw(wanted))
            inside = self.contains(points)
            kept.append({name: p[inside] for name, p in points.items()})
            found += int(inside.sum())
            if found >= n:
                return {a: np.concatenate([p[a] for p in kept])[:n] for a in self.names}
            wanted = max(16, int(1.1 * (n - found) * max(1.0, wanted / max(inside.sum(), 1))))
        raise PdebenchError(f"{self!r} holds none of {_TRIES} draws from its bounding box")
