"""Continuous piecewise polynomials on the blocks of a shape, of any order, in any dimension.

Each block (`Geometry.blocks`) is cut into equal cells. A cell has (order + 1)^d nodes at the
Gauss–Lobatto points; its shape is the polynomial through them (isoparametric), so that curved
sides keep the order (Ciarlet & Raviart 1972, doi:10.1016/B978-0-12-068650-6.50020-4).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce

import numpy as np
from numpy.polynomial import legendre
from scipy.spatial import KDTree

from pdebench_lite.problem import Domain

_SAME = 1e-9  # of the size of the domain: nodes that are closer are one
_CANDIDATES = 32  # cells, the nearest first, in which a point is looked for
_NEWTON = 12
_INSIDE = 1e-9  # of a cell


class Line:
    """Lagrange polynomials of one order at the Gauss–Lobatto nodes of [0, 1]."""

    def __init__(self, order: int) -> None:
        inner = legendre.Legendre.basis(order).deriv().roots() if order > 1 else np.empty(0)
        self.nodes = (np.concatenate([[-1.0], np.sort(np.real(inner)), [1.0]]) + 1) / 2
        self._order = order
        self._coefficients = np.linalg.inv(legendre.legvander(2 * self.nodes - 1, order))

    def __call__(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return values and derivatives at x, (n,), each (n, order + 1)."""
        c = self._coefficients
        values = legendre.legvander(2 * x - 1, self._order) @ c
        slopes = legendre.legvander(2 * x - 1, self._order - 1) @ (2 * legendre.legder(c))
        return values, slopes


def shapes(line: Line, xi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the shape functions at reference points.

    Args:
        line: the polynomials of one coordinate.
        xi: (n, d), in [0, 1].

    Returns:
        Values (n, nodes) and reference gradients (n, nodes, d), the last coordinate fastest.
    """
    d = xi.shape[1]
    pairs = [line(xi[:, k]) for k in range(d)]

    def product(factors: list[np.ndarray]) -> np.ndarray:
        return reduce(lambda a, b: (a[:, :, None] * b[:, None]).reshape(len(a), -1), factors)

    values = product([v for v, _ in pairs])
    slopes = [product([s if k == j else v for k, (v, s) in enumerate(pairs)]) for j in range(d)]
    return values, np.stack(slopes, axis=-1)


@dataclass(frozen=True)
class Rule:
    """Shape functions and weights at the points at which cells, or faces of cells, are summed.

    Attributes:
        cells: which cells, (e,).
        values: of the shape functions, (q, a).
        slopes: their gradients in the reference cell, (q, a, d).
        inverse: derivative of reference by true coordinates, (e, q, d, d).
        weights: (e, q), the stretch of the map included.
        at: coordinates, (e, q, d).
        normals: outward, of faces, (e, q, d).
        part: name of the part of the boundary, of faces.
    """

    cells: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    inverse: np.ndarray
    weights: np.ndarray
    at: np.ndarray
    normals: np.ndarray | None = None
    part: str = ""


class Space:
    """The space of functions; its unknowns are values at the nodes.

    Attributes:
        nodes: coordinates of the nodes of each cell, (cells, a, d).
        numbers: their numbers, (cells, a); across periodic sides one number serves two nodes.
        at: coordinates by number, (size, d).
    """

    def __init__(self, domain: Domain, order: int, cells: int, grading: float = 1.0) -> None:
        """Make the mesh.

        Args:
            domain: shape, and which axes are periodic.
            order: of the polynomials in each coordinate.
            cells: along each side of a block.
            grading: cells end at (i/cells)^grading along the sides of blocks at corners.
        """
        self._domain, self.order, self._cells = domain, order, cells
        self.line, d = Line(order), len(domain.space)
        n = order * cells + 1
        lattice = np.arange(n**d).reshape((n,) * d)
        starts = np.stack(np.meshgrid(*[order * np.arange(cells)] * d, indexing="ij"), -1)
        steps = np.stack(np.meshgrid(*[np.arange(order + 1)] * d, indexing="ij"), -1)
        index = starts.reshape(-1, 1, d) + steps.reshape(-1, d)
        index = lattice[tuple(np.moveaxis(index, -1, 0))]  # (cells of a block, a)
        points = []
        for block in domain.geometry.blocks():
            ends = np.linspace(0.0, 1.0, cells + 1) ** (grading if block.corner else 1.0)
            inner = ends[:-1, None] + np.diff(ends)[:, None] * self.line.nodes[:-1]
            along = np.append(inner.ravel(), 1.0)
            mesh = np.meshgrid(*[along] * d, indexing="ij")
            points.append(block.at(np.stack([m.ravel() for m in mesh])).T)
        everywhere = np.array(points)  # (blocks, n^d, d)
        self.lattice = self._numbered(everywhere.reshape(-1, d)).reshape(len(points), -1)
        self.nodes = everywhere[:, index].reshape(-1, (order + 1) ** d, d)
        self.numbers = self.lattice[:, index].reshape(-1, (order + 1) ** d)
        self.size = int(self.numbers.max()) + 1
        self.at = np.empty((self.size, d))
        self.at[self.lattice.ravel()] = everywhere.reshape(-1, d)

    def _numbered(self, points: np.ndarray) -> np.ndarray:
        """Return one number for all points, (n, d), that are the same place."""
        scaled = np.empty_like(points)
        for k, axis in enumerate(self._domain.space):
            share = (points[:, k] - axis.lower) / axis.length
            # shifted by an odd amount, so that no place of a regular mesh is rounded both ways
            scaled[:, k] = np.mod(share + 1e-6, 1.0) if axis.periodic else share
        keys = np.floor((scaled + 0.1234567891) / _SAME).astype(np.int64)
        return np.unique(keys, axis=0, return_inverse=True)[1].ravel()

    # ---- sums over cells and faces -----------------------------------------------------------

    @cached_property
    def inside(self) -> Rule:
        """Gauss–Legendre points in all cells, exact for polynomials of the degree 2 order + 1."""
        d = self.at.shape[1]
        xi, w = _gauss(self.order + 1, d)
        values, slopes = shapes(self.line, xi)
        inverse, stretch = self._map(self.nodes, slopes)
        at = np.einsum("qa,ead->eqd", values, self.nodes)
        return Rule(np.arange(len(self.nodes)), values, slopes, inverse, w * stretch, at)

    @cached_property
    def faces(self) -> list[Rule]:
        """The same on the faces of cells that make up the boundary, grouped by its parts."""
        d = self.at.shape[1]
        xi, w = _gauss(self.order + 1, d - 1)
        found = []
        for k, side, cells, parts in self._outer:
            full = np.insert(xi, k, side, axis=1)
            values, slopes = shapes(self.line, full)
            for part in np.unique(parts):
                here = cells[parts == part]
                nodes = self.nodes[here]
                inverse, stretch = self._map(nodes, slopes)
                at = np.einsum("qa,ead->eqd", values, nodes)
                normal = inverse[:, :, k] * (1.0 if side else -1.0)
                length = np.linalg.norm(normal, axis=-1)
                name = self._domain.geometry.parts[part]
                found.append(
                    Rule(
                        here, values, slopes, inverse, w * stretch * length, at,
                        normal / length[..., None], name,
                    )
                )  # fmt: skip
        return found

    @cached_property
    def _outer(self) -> list[tuple[int, float, np.ndarray, np.ndarray]]:
        """Faces that belong to one cell only: (axis, end, cells, numbers of their parts)."""
        sides = [(k, end) for k in range(self.at.shape[1]) for end in (0.0, 1.0)]
        centres = np.stack([self._on(*side)[0].mean(axis=1) for side in sides])
        keys = self._numbered(centres.reshape(-1, centres.shape[-1]))
        alone = (np.bincount(keys)[keys] == 1).reshape(len(sides), -1)
        found = []
        for i, (k, end) in enumerate(sides):
            cells = np.flatnonzero(alone[i])
            if cells.size:
                where = dict(zip(self._domain.geometry.names, centres[i, cells].T, strict=True))
                parts = np.argmin(self._domain.geometry.gaps(where), axis=0)
                found.append((k, end, cells, parts))
        return found

    def _on(self, k: int, end: float) -> tuple[np.ndarray, np.ndarray]:
        """Return coordinates and numbers of the nodes on one side of all cells."""
        p, d = self.order, self.at.shape[1]
        local = np.arange((p + 1) ** d).reshape((p + 1,) * d)
        chosen = np.take(local, p if end else 0, axis=k).ravel()
        return self.nodes[:, chosen], self.numbers[:, chosen]

    def boundary_nodes(self) -> Iterator[tuple[str, np.ndarray]]:
        """Yield (part of the boundary, numbers of its nodes)."""
        for k, end, cells, parts in self._outer:
            numbers = self._on(k, end)[1][cells]
            for part in np.unique(parts):
                yield self._domain.geometry.parts[part], np.unique(numbers[parts == part])

    @staticmethod
    def _map(nodes: np.ndarray, slopes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        jacobian = np.einsum("ead,qak->eqdk", nodes, slopes)
        return np.linalg.inv(jacobian), np.abs(np.linalg.det(jacobian))

    # ---- values anywhere -----------------------------------------------------------------------

    def locate(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the cell of each point, (n,), and the shape functions there, (n, a).

        A point outside the mesh, as between a curved side and its polynomial, belongs to the cell
        that it is least outside of.
        """
        n, d = points.shape
        _, nearest = self._tree.query(points, k=min(_CANDIDATES, len(self.nodes)))
        nearest = nearest.reshape(n, -1)
        low, high = self._boxes
        near = np.all((points[:, None] > low[nearest]) & (points[:, None] < high[nearest]), axis=-1)
        near[~near.any(axis=1), 0] = True  # outside the mesh: the nearest cell goes on
        best, cell, place = np.full(n, np.inf), np.zeros(n, int), np.full((n, d), 0.5)
        for j in range(nearest.shape[1]):
            todo = np.flatnonzero((best > _INSIDE) & near[:, j])
            if not todo.size:
                continue
            cells = nearest[todo, j]
            xi = self._inverted(cells, points[todo])
            outside = np.max(np.abs(xi - 0.5), axis=1) - 0.5
            better = outside < best[todo]
            at = todo[better]
            best[at], cell[at], place[at] = outside[better], cells[better], xi[better]
        return cell, shapes(self.line, place)[0]

    @cached_property
    def _boxes(self) -> tuple[np.ndarray, np.ndarray]:
        """Boxes around the cells, a little larger, since a curved side may bulge."""
        low, high = self.nodes.min(axis=1), self.nodes.max(axis=1)
        room = 0.1 * (high - low)
        return low - room, high + room

    @cached_property
    def _tree(self) -> KDTree:
        return KDTree(self.nodes.mean(axis=1))

    def _inverted(self, cells: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Return reference coordinates of points by Newton's method, kept near the cell."""
        nodes = self.nodes[cells]
        xi = np.full(points.shape, 0.5)
        for _ in range(_NEWTON):
            values, slopes = shapes(self.line, xi)
            gap = points - (values[:, None] @ nodes)[:, 0]
            jacobian = np.swapaxes(nodes, 1, 2) @ slopes
            step = np.linalg.solve(jacobian, gap[..., None])[..., 0]
            xi = np.clip(xi + step, -1.0, 2.0)
            if np.max(np.abs(step), initial=0.0) < 1e-12:
                break
        return xi

    def on_axes(self, axes: list[np.ndarray], values: np.ndarray) -> np.ndarray:
        """Return values of a function on a tensor grid; the shape must be a box."""
        n = self.order * self._cells + 1
        found = values[self.lattice[0]].reshape((n,) * len(axes))
        for axis, at in zip(self._domain.space, axes, strict=True):
            share = np.clip((at - axis.lower) / axis.length, 0.0, 1.0) * self._cells
            cell = np.minimum(share.astype(int), self._cells - 1)
            matrix = np.zeros((at.size, n))
            columns = self.order * cell[:, None] + np.arange(self.order + 1)
            np.put_along_axis(matrix, columns, self.line(share - cell)[0], axis=1)
            found = np.moveaxis(np.tensordot(matrix, found, (1, 0)), 0, -1)
        return found


def _gauss(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Gauss–Legendre points of the unit cube, (n^d, d), and their weights."""
    nodes, w = legendre.leggauss(n)
    if d == 0:
        return np.empty((1, 0)), np.ones(1)
    mesh = np.meshgrid(*[(nodes + 1) / 2] * d, indexing="ij")
    weights = reduce(np.multiply.outer, [w / 2] * d)
    return np.stack([m.ravel() for m in mesh], axis=1), np.ravel(weights)
