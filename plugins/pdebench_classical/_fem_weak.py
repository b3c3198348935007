"""The weak form of stated fluxes and sources: its residual and its exact Jacobian.

∫ flux·∇v + ∫ source v − ∮ (flux·n) v = 0 for every v that vanishes where the field is given. On
the rest of the boundary α u + β ∂u/∂n = value replaces the normal derivative that the flux reads,
which serves Neumann and Robin conditions of any flux, nonlinear ones too.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from pdebench_classical._fem_space import Rule, Space
from pdebench_lite.problem import Condition, Domain, Stationary

_TINY = 1e-40  # imaginary step: no subtraction, so the derivative is exact to rounding


class WeakForm:
    """Residual and Jacobian of a weak form; unknowns are (fields, nodes), raveled."""

    def __init__(
        self,
        space: Space,
        domain: Domain,
        fields: tuple[str, ...],
        stated: Stationary,
        known: Mapping[str, Any],
        pinned: frozenset[str] = frozenset(),
    ) -> None:
        """State a weak form.

        Args:
            space: the functions.
            domain: what holds on the boundary.
            fields: names of the fields.
            stated: fluxes and sources.
            known: coefficients: numbers, or functions of points.
            pinned: fields that are known up to a constant: where nothing else fixes one, it is 0 at
                one node.
        """
        self.space, self._domain, self.fields, self._stated = space, domain, fields, stated
        self._known, self.linear = known, stated.linear
        self._names = [a.name for a in domain.space]
        self._fixed: list[tuple[int, np.ndarray, Condition]] = []
        self.free = np.ones((len(fields), space.size), bool)
        for part, numbers in space.boundary_nodes():
            for i, field in enumerate(fields):
                condition = domain.condition(part, field)
                if condition is not None and not condition.beta:
                    self._fixed.append((i, numbers, condition))
                    self.free[i, numbers] = False
        for i, field in enumerate(fields):
            stiff = (domain.condition(p, field) for p in domain.parts)
            if field in pinned and not any(c is not None and c.alpha for c in stiff):
                self.free[i, 0] = False

    def impose(self, values: np.ndarray, t: float | None) -> np.ndarray:
        """Return values, (fields, nodes), with what is given on the boundary at a time."""
        values = np.where(self.free, values, 0.0)
        for i, numbers, condition in self._fixed:
            points = self._points(self.space.at[numbers], t)
            values[i, numbers] = np.asarray(condition.at(points)) / condition.alpha
        return values

    def _points(self, at: np.ndarray, t: float | None) -> dict[str, np.ndarray]:
        points = dict(zip(self._names, np.moveaxis(at, -1, 0), strict=True))
        if self._domain.time is not None:
            points[self._domain.time.name] = np.full(at.shape[:-1], t)
        return points

    # ---- matrices ------------------------------------------------------------------------------

    @cached_property
    def mass(self) -> sparse.csr_array:
        """∫ u v of every field, (fields·nodes, fields·nodes)."""
        rule = self.space.inside
        products = np.einsum("qa,qb->qab", rule.values, rule.values)
        blocks = np.tensordot(rule.weights, products, 1)
        one = self._summed(rule, {(0, 0): blocks}, 1)
        return sparse.csr_array(sparse.block_diag([one] * len(self.fields)))

    def assemble(
        self, values: np.ndarray, t: float | None, jacobian: bool = True
    ) -> tuple[np.ndarray, sparse.csr_array | None]:
        """Return the residual, (fields·nodes,), and its derivative by the unknowns.

        Args:
            values: (fields, nodes).
            t: the time; None for a stationary problem.
            jacobian: whether the derivative is wanted.
        """
        count, d = len(self.fields), len(self._names)
        total = np.zeros((count, self.space.size))
        matrices = []
        for rule in (self.space.inside, *self.space.faces):
            if rule.normals is None:
                function = self._inside(rule, t)
            else:
                found = self._across(rule, t)
                if found is None:
                    continue
                function = found
            u, grad = self._read(rule, values)
            local = np.concatenate([u[:, None], np.moveaxis(grad, -1, 1)], axis=1)
            tests = function(local)  # (fields, 1 + d, e, q): factors of v and of ∂v
            for i in range(count):
                self._add(total[i], rule, tests[i])
            if not jacobian:
                continue
            blocks = {}
            for j in range(count):
                slopes = np.zeros((count, 1 + d, 1 + d, *rule.weights.shape))
                for m in range(1 + d):
                    stepped = local.astype(complex)
                    stepped[j, m] += 1j * _TINY
                    slopes[:, :, m] = function(stepped).imag / _TINY
                for i in range(count):
                    if np.any(slopes[i]):
                        blocks[i, j] = self._block(rule, slopes[i])
            matrices.append(self._summed(rule, blocks, count))
        return total.ravel(), sum(matrices[1:], matrices[0]) if jacobian else None

    def _read(self, rule: Rule, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the fields at the points of a rule, (fields, e, q), and their gradients."""
        local = values[:, self.space.numbers[rule.cells]]  # (fields, e, a)
        u = np.einsum("qa,fea->feq", rule.values, local)
        slopes = np.einsum("qak,fea->feqk", rule.slopes, local)
        return u, np.einsum("feqk,eqkd->feqd", slopes, rule.inverse)

    def _named(self, local: np.ndarray, points: dict[str, Any], known: Any) -> dict[str, Any]:
        d = {**points, **known}
        for i, field in enumerate(self.fields):
            d[field] = local[i, 0]
            for k, axis in enumerate(self._names):
                d[f"{field}_{axis}"] = local[i, 1 + k]
        return d

    def _coefficients(self, points: dict[str, Any]) -> dict[str, Any]:
        shape = next(iter(points.values())).shape
        flat = {name: p.ravel() for name, p in points.items()}
        return {
            k: np.reshape(np.broadcast_to(v(flat), flat[self._names[0]].shape), shape)
            if callable(v)
            else v
            for k, v in self._known.items()
        }

    def _inside(self, rule: Rule, t: float | None) -> Callable[[np.ndarray], np.ndarray]:
        points = self._points(rule.at, t)
        known = self._coefficients(points)

        def function(local: np.ndarray) -> np.ndarray:
            d = self._named(local, points, known)
            flux, source = self._stated.flux(d), self._stated.source(d)
            found = np.zeros(local.shape, local.dtype)
            for i, field in enumerate(self.fields):
                found[i, 0] = source.get(field, 0.0)
                for k, axis in enumerate(self._names):
                    found[i, 1 + k] = flux.get(field, {}).get(axis, 0.0)
            return found

        return function

    def _across(self, rule: Rule, t: float | None) -> Callable[[np.ndarray], np.ndarray] | None:
        """Return −flux·n on faces where it is stated; None where every field is given."""
        stated = {f: self._domain.condition(rule.part, f) for f in self.fields}
        if all(c is not None and not c.beta for c in stated.values()):
            return None
        points = self._points(rule.at, t)
        known = self._coefficients(points)
        assert rule.normals is not None
        n = np.moveaxis(rule.normals, -1, 0)

        def function(local: np.ndarray) -> np.ndarray:
            local = local.copy()
            for i, field in enumerate(self.fields):
                c = stated[field]
                if c is not None and c.beta:
                    slope = (c.at(points) - c.alpha * local[i, 0]) / c.beta
                    local[i, 1:] += n * (slope - np.sum(n * local[i, 1:], axis=0))
            flux = self._stated.flux(self._named(local, points, known))
            found = np.zeros(local.shape, local.dtype)
            for i, field in enumerate(self.fields):
                c = stated[field]
                if c is not None and c.beta:
                    parts = flux.get(field, {})
                    found[i, 0] = -sum(
                        n[k] * parts.get(axis, 0.0) for k, axis in enumerate(self._names)
                    )
            return found

        return function

    def _add(self, total: np.ndarray, rule: Rule, tests: np.ndarray) -> None:
        """Add ∫ tests[0] v + tests[1:]·∇v to the entries of the nodes."""
        weighted = tests * rule.weights
        local = weighted[0] @ rule.values
        slopes = np.einsum("deq,eqkd->eqk", weighted[1:], rule.inverse)
        local += np.einsum("eqk,qak->ea", slopes, rule.slopes)
        np.add.at(total, self.space.numbers[rule.cells], local)

    def _block(self, rule: Rule, slopes: np.ndarray) -> np.ndarray:
        """Return the matrices of cells, (e, a, b), of factors of (v, ∇v) × (u, ∇u)."""
        e, q = rule.weights.shape
        d = len(self._names)
        full = np.zeros((e, q, 1 + d, 1 + d))  # from reference to true values and gradients
        full[..., 0, 0] = 1.0
        full[..., 1:, 1:] = rule.inverse  # [reference, true]
        factors = np.moveaxis(slopes * rule.weights, (0, 1), (2, 3))
        factors = full @ factors @ np.swapaxes(full, -1, -2)
        table = np.concatenate([rule.values[..., None], rule.slopes], axis=-1)  # (q, a, 1 + d)
        products = np.einsum("qam,qbn->qmnab", table, table)
        a = table.shape[1]
        flat = factors.reshape(e, -1) @ products.reshape(-1, a * a)
        return np.asarray(flat.reshape(e, a, a))

    def _summed(
        self, rule: Rule, blocks: Mapping[tuple[int, int], np.ndarray], count: int
    ) -> sparse.csr_array:
        """Add the matrices of cells, (field of v, field of u) -> (e, a, b), into one."""
        numbers, size = self.space.numbers[rule.cells], self.space.size
        rows, columns, entries = [np.empty(0, int)], [np.empty(0, int)], [np.empty(0)]
        for (i, j), block in blocks.items():
            rows.append(np.broadcast_to(numbers[:, :, None] + i * size, block.shape).ravel())
            columns.append(np.broadcast_to(numbers[:, None] + j * size, block.shape).ravel())
            entries.append(block.ravel())
        where = (np.concatenate(rows), np.concatenate(columns))
        shape = (count * size, count * size)
        return sparse.csr_array(sparse.coo_array((np.concatenate(entries), where), shape=shape))
