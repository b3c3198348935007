"""A stationary problem on a grid, by finite volumes, solved and differentiated.

The solution follows the coefficients by the implicit function theorem: with R(u, c) = 0, du is
−(∂R/∂u)⁻¹ ∂R/∂c dc, whatever iterations led to u.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pdebench_lite.numerics import Grid, array_namespace
from pdebench_lite.numerics.krylov import (
    HOST,
    Linear,
    Machine,
    conjugate_gradients,
    newton,
    stabilised_bicg,
)
from pdebench_lite.numerics.poisson import FastPoisson
from pdebench_lite.numerics.volumes import balance, diagonal
from pdebench_lite.problem.asked import Array, Arrays
from pdebench_lite.problem.domain import Domain
from pdebench_lite.problem.field import Field
from pdebench_lite.problem.solver import Stationary

ORDER = 2
"""Of accuracy."""
_SYMMETRIC = 1e-10  # relative difference of <v, Aw> and <w, Av> that is rounding


@dataclass(frozen=True)
class FiniteVolumes:
    """The cells' equations of a stationary problem on one grid.

    Attributes:
        stated: fluxes and sources.
        domain: a box and the conditions on its boundary.
        fields: the fields by name.
        grid: on that box.
        known: `known(grid, like)`: the coefficients that are given, name -> number or array.
        machine: of the array library that is computed in.
    """

    stated: Stationary
    domain: Domain
    fields: Mapping[str, Field]
    grid: Grid
    known: Callable[[Grid, Array], Arrays] = field(default=lambda grid, like: {})
    machine: Machine = HOST

    @property
    def _axes(self) -> int:
        return len(self.grid.cells) + 1  # fields and cells

    def residual(self, u: Array, coefficients: Mapping[str, Any]) -> Array:
        """Return what is left of the equation in every cell.

        Args:
            u: the fields, shape (*batch, fields, *cells).
            coefficients: name -> number, or array of shape (*batch, *cells).
        """
        stated, given = self.stated, {**self.known(self.grid, u), **coefficients}
        found = balance(
            stated.flux, stated.source, self._named(u), given,
            self.grid, self._ghosts, stated.harmonic,
        )  # fmt: skip
        return array_namespace(u).stack([found[n] for n in self.fields], axis=-self._axes)

    def _named(self, u: Array) -> Arrays:
        cells = (slice(None),) * len(self.grid.cells)
        return {name: u[(..., i, *cells)] for i, name in enumerate(self.fields)}

    def _ghosts(self, name: str, like: Array) -> Any:
        return self.domain.ghosts(name, self.grid, None, like)

    # ---- solving -----------------------------------------------------------------------------

    def solve(
        self, coefficients: Mapping[str, Any], like: Array, symmetric: bool
    ) -> tuple[Arrays, Any]:
        """Return the fields, differentiable in the coefficients, and the iterations.

        Args:
            coefficients: name -> number, or array of shape (*batch, *cells).
            like: array whose library, dtype and device the result takes.
            symmetric: whether the linearised equations are; see `is_symmetric`.

        Returns:
            Field name -> (*batch, *cells), and how many Krylov iterations a linear system took (0
            where the equation is nonlinear).
        """
        xp, machine = array_namespace(like), self.machine
        shape = (len(self.fields), *self.grid.cells)
        zero = xp.zeros(shape, dtype=like.dtype, device=getattr(like, "device", None))
        held = {k: machine.constant(v) for k, v in coefficients.items()}
        at_zero = self.residual(zero, held)
        start, count = 0.0 * at_zero, 0

        def left(u: Array) -> Array:
            return self.residual(u, held)

        def linear(v: Array) -> Array:
            return left(v) - at_zero

        def inverse(apply: Linear, b: Array) -> Array:
            return self._linear_solve(apply, b, start, symmetric)[0]

        if self.stated.linear:
            u, count = self._linear_solve(linear, -at_zero, start, symmetric)
            apply: Linear = linear
        else:
            u = newton(left, start, inverse, self._axes, machine)
        u = machine.constant(u)
        if not self.stated.linear:
            apply = lambda v: machine.jvp(left, u, v)  # noqa: E731
        if machine is not HOST:  # where nothing is differentiated this adds 0
            gap = self.residual(u, coefficients)
            u = u - machine.inverse(apply, gap - machine.constant(gap), inverse, symmetric)
        return self._named(u), count

    def _linear_solve(
        self, apply: Linear, b: Array, like: Array, symmetric: bool
    ) -> tuple[Array, Any]:
        method = conjugate_gradients if symmetric else stabilised_bicg
        x, count = method(
            apply, self._centred(b), self._preconditioner(apply, like), self._axes,
            machine=self.machine,
        )  # fmt: skip
        return self._centred(x), count

    def _centred(self, values: Array) -> Array:
        """Take the means from fields that are known up to a constant."""
        described = self.fields.values()
        if not any(f.gauge for f in described):
            return values
        d, xp = len(self.grid.cells), array_namespace(values)
        mean = xp.mean(values, axis=tuple(range(-d, 0)), keepdims=True)
        free = [float(f.gauge) for f in described]
        place = {"dtype": values.dtype, "device": getattr(values, "device", None)}
        return values - xp.reshape(xp.asarray(free, **place), (-1,) + (1,) * d) * mean

    def _preconditioner(self, apply: Linear, like: Array) -> Linear:
        """Return S⁻¹(−Δ)⁻¹S⁻¹, where S² is the ratio of the diagonals of the map and of −Δ.

        Concus & Golub 1973, doi:10.1137/0710092: with S = √a it turns −∇·(a∇u) into −Δ and a term
        of order zero, so that the iterations do not depend on the grid.
        """
        xp = array_namespace(like)
        laplacians = [
            FastPoisson.on(self.grid, self._ghosts(name, like), like) for name in self.fields
        ]
        own = xp.stack([poisson.diagonal for poisson in laplacians])
        ratio = xp.sqrt(xp.abs(diagonal(apply, like, self.grid)) / own)
        scale = xp.where(ratio > 0, 1.0 / xp.where(ratio > 0, ratio, 1.0), 1.0)

        def precondition(r: Array) -> Array:
            r = scale * r
            parts = zip(laplacians, self._named(r).values(), strict=True)
            return scale * xp.stack([poisson(part) for poisson, part in parts], axis=-self._axes)

        return precondition

    def is_symmetric(self, coefficients: Mapping[str, Any]) -> bool:
        """Say whether the linearised equations are symmetric, by a probe of NumPy arrays."""
        rng = np.random.default_rng(0)
        u, v, w = rng.standard_normal((3, len(self.fields), *self.grid.cells))

        def apply(x: np.ndarray) -> Any:
            return HOST.jvp(lambda at: self.residual(at, coefficients), u, x)

        one, other = float(np.sum(v * apply(w))), float(np.sum(w * apply(v)))
        return abs(one - other) <= _SYMMETRIC * float(np.sum(np.abs(v * apply(w))))

    def left(self, fields: Arrays, coefficients: Mapping[str, Any]) -> float:
        """Return the largest residual of NumPy fields, relative to that of zeros."""
        u = np.stack([fields[name] for name in self.fields])
        zero = float(np.max(np.abs(self.residual(0.0 * u, coefficients)))) or 1.0
        return float(np.max(np.abs(self.residual(u, coefficients)))) / zero
