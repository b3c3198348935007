"""The reference of a stationary problem on a box: one polynomial of high degree, by Galerkin.

    ∫ Σₐ flux[a] ∂ₐv + source v = 0 for every polynomial v that vanishes on the Dirichlet sides,

with Gauss–Lobatto nodes for values and integrals (a spectral element; Canuto et al., *Spectral
Methods* (2006), sect. 2.2-3, doi:10.1007/978-3-540-30726-6). Two degrees give the bound. For
coefficients and sources that are smooth; the corners of a box, where the solution has weak
singularities such as r² log r, leave an algebraic rate, which is high since nodes crowd there.
"""

from collections.abc import Mapping
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from pdebench_lite.errors import PdebenchError
from pdebench_lite.numerics.krylov import HOST, conjugate_gradients, newton, stabilised_bicg
from pdebench_lite.problem.kept import State, kept
from pdebench_lite.problem.reference import Reference
from pdebench_lite.problem.solver import Stationary

if TYPE_CHECKING:
    from pdebench_lite.problem.problem import Problem


def refined_by_degree(problem: "Problem", degree: int) -> Reference:
    """Return the solution of a stationary problem on a box as a function of points.

    The bound is the difference to two thirds of the degree, at points on neither grid.

    Args:
        problem: a solver face of fluxes and sources; each side has a value or, of natural
            conditions, a flux of zero.
        degree: of the polynomial along each axis.

    Raises:
        PdebenchError: another problem, or the solution is not finite.
    """

    def compute() -> State:
        fine, coarse = (_Element(problem, n).solve() for n in (degree, 2 * degree // 3))
        rng, domain = np.random.default_rng(0), problem.domain
        points = {a.name: a.lower + a.length * rng.random(4096) for a in domain.space}
        gap = 0.0
        for name in problem.field_names:
            a, b = (_at(values[name], domain, points) for values in (coarse, fine))
            scale = float(np.sqrt(np.mean(b**2))) or problem.described[name].scale
            gap = max(gap, float(np.sqrt(np.mean((a - b) ** 2))) / scale)
        return {**fine, "bound": np.array(gap + 1e-14)}

    stored = kept(problem, {"galerkin": degree}, compute)
    return Reference(
        lambda points: {n: _at(stored[n], problem.domain, points) for n in problem.field_names},
        float(stored["bound"]),
        f"Galerkin, degree {degree}; bound by degree {2 * degree // 3}",
        "refined",
    )


class _Element:
    """The weak form on the nodes of one element that fills the box."""

    def __init__(self, problem: "Problem", degree: int) -> None:
        stated, self._domain = problem.solver(), problem.domain
        if not isinstance(stated, Stationary) or not self._domain.is_box:
            raise PdebenchError(f"{problem.name} has no fluxes and sources on a box")
        self._stated, self._names = stated, problem.field_names
        x, w, D = _lobatto(degree)
        space = self._domain.space
        self._slopes = [D * (2.0 / a.length) for a in space]
        weights = [w * (0.5 * a.length) for a in space]
        lines = [a.lower + a.length * 0.5 * (x + 1.0) for a in space]
        mesh = np.meshgrid(*lines, indexing="ij")
        self._points = {a.name: m for a, m in zip(space, mesh, strict=True)}
        self._weights = reduce(np.multiply.outer, weights)
        known = problem.coefficient_values()
        self._known = {k: v(self._points) if callable(v) else v for k, v in known.items()}
        fixed = [self._boundary(name) for name in self._names]
        self._free = np.stack([free for free, _ in fixed])
        self._lift = np.stack([lift for _, lift in fixed])
        self._lines = [self._line(name, weights) for name in self._names]

    def _boundary(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return which nodes are free, and the values that the sides have."""
        free, lift = np.ones(self._weights.shape, bool), np.zeros(self._weights.shape)
        for i, axis in enumerate(self._domain.space):
            if axis.periodic:
                raise PdebenchError(f"axis {axis.name} is periodic: use a Fourier scheme")
            for side, end in (("lower", 0), ("upper", -1)):
                condition = self._domain.condition(f"{axis.name}_{side}", name)
                at: tuple[int | slice, ...] = (*(slice(None),) * i, end)
                if condition is not None and not condition.beta:
                    here = {a: p[at] for a, p in self._points.items()}
                    free[at], lift[at] = False, condition.at(here) / condition.alpha
                elif condition is None or condition.alpha or condition.value != 0.0:
                    raise PdebenchError(f"{name} on {axis.name}_{side}: give a value, or slope 0")
        return free, lift

    def _line(self, name: str, weights: list[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return eigenvalues and vectors of −∂² against the mass, axis by axis."""
        from scipy.linalg import eigh

        found = []
        for i, (D, w) in enumerate(zip(self._slopes, weights, strict=True)):
            part = self._domain.space[i].name
            ends = [self._domain.condition(f"{part}_{s}", name) for s in ("lower", "upper")]
            inside = slice(
                int(not (ends[0] and ends[0].beta)), w.size - int(not (ends[1] and ends[1].beta))
            )
            stiffness = (D.T * w) @ D
            vectors = np.zeros((w.size, w[inside].size))
            values, vectors[inside] = eigh(stiffness[inside, inside], np.diag(w[inside]))
            found.append((values, vectors))
        return found

    def residual(self, v: np.ndarray) -> np.ndarray:
        """Return the weak residual at the free nodes of fields that are v there."""
        u = self._free * v + self._lift
        d = {**self._known, **self._points}
        for name, values in zip(self._names, u, strict=True):
            d[name] = values
            for i, axis in enumerate(self._domain.space):
                d[f"{name}_{axis.name}"] = _along(self._slopes[i], values, i)
        flux, source = self._stated.flux(d), self._stated.source(d)
        total = np.zeros_like(u)
        for k, name in enumerate(self._names):
            total[k] += self._weights * source.get(name, 0.0)
            for i, axis in enumerate(self._domain.space):
                if axis.name in flux.get(name, {}):
                    total[k] += _along(self._slopes[i].T, self._weights * flux[name][axis.name], i)
        return self._free * total

    def _precondition(self, r: np.ndarray) -> np.ndarray:
        parts = []
        for values, lines in zip(r, self._lines, strict=True):
            for i, (_, vectors) in enumerate(lines):
                values = _along(vectors.T, values, i)
            total = reduce(np.add.outer, [eigenvalues for eigenvalues, _ in lines])
            values = values / np.maximum(total, 1e-9 * total.max())
            for i, (_, vectors) in enumerate(lines):
                values = _along(vectors, values, i)
            parts.append(values)
        return np.stack(parts)

    def solve(self) -> State:
        """Return the fields at the nodes."""
        axes, start = self._weights.ndim + 1, np.zeros_like(self._lift)
        at_zero = self.residual(start)
        rng = np.random.default_rng(0)
        u, a, b = self._free * rng.standard_normal((3, *start.shape))
        tangent = lambda v: HOST.jvp(self.residual, u, v)  # noqa: E731
        one, other = float(np.sum(a * tangent(b))), float(np.sum(b * tangent(a)))
        symmetric = abs(one - other) <= 1e-10 * float(np.sum(np.abs(a * tangent(b))))
        method = conjugate_gradients if symmetric else stabilised_bicg

        def solve(apply: Any, right: np.ndarray) -> np.ndarray:
            return method(apply, right, self._precondition, axes)[0]

        if self._stated.linear:
            v = solve(lambda v: self.residual(v) - at_zero, -at_zero)
        else:
            v = newton(self.residual, start, solve, axes)
        if not np.isfinite(v).all():
            raise PdebenchError("the reference by Galerkin is not finite")
        return dict(zip(self._names, self._free * v + self._lift, strict=True))


def _along(matrix: np.ndarray, values: np.ndarray, i: int) -> np.ndarray:
    return np.moveaxis(np.tensordot(matrix, values, (1, i)), 0, i)


@lru_cache(maxsize=8)
def _lobatto(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the nodes of [−1, 1], weights and differentiation matrix of degree n.

    Canuto et al. 2006, eqs. 2.3.2 and 2.3.28.
    """
    from numpy.polynomial import legendre

    top = np.eye(n + 1)[n]
    x = np.concatenate([[-1.0], np.sort(legendre.legroots(legendre.legder(top)).real), [1.0]])
    slope, bend = legendre.legder(top), legendre.legder(top, 2)
    for _ in range(2):  # the roots of the companion matrix, polished
        x[1:-1] -= legendre.legval(x[1:-1], slope) / legendre.legval(x[1:-1], bend)
    L = legendre.legval(x, top)
    w = 2.0 / (n * (n + 1) * L**2)
    gap = x[:, None] - x[None, :] + np.eye(n + 1)
    D = L[:, None] / L[None, :] / gap
    D -= np.diag(np.sum(D, axis=1))  # rows sum to zero
    return x, w, D


def _at(values: np.ndarray, domain: Any, points: Mapping[str, Any]) -> np.ndarray:
    """Return the polynomial through values at the nodes, at points (n,).

    Barycentric; Berrut & Trefethen 2004, eq. 4.2, doi:10.1137/S0036144502417715, with the weights
    (−1)ʲ√wⱼ of Gauss–Lobatto nodes (Wang, Huybrechs & Vandewalle 2014,
    doi:10.1090/S0025-5718-2014-02821-4).
    """
    x, w, _ = _lobatto(values.shape[0] - 1)
    weights = (-1.0) ** np.arange(x.size) * np.sqrt(w)
    shape, found = np.shape(points[domain.space[0].name]), None
    for axis in domain.space:
        s = 2.0 * (np.ravel(np.asarray(points[axis.name], float)) - axis.lower) / axis.length - 1.0
        gap = s[:, None] - x
        hit = gap == 0
        terms = weights / np.where(hit, 1.0, gap)
        terms = np.where(hit.any(axis=1, keepdims=True), hit, terms)
        basis = terms / terms.sum(axis=1, keepdims=True)
        found = (
            np.tensordot(basis, values, 1)
            if found is None
            else np.einsum("nk,nk...->n...", basis, found)
        )
    assert found is not None
    return found.reshape(shape)
