"""Self-scaled Broyden: a quasi-Newton method with a dense inverse Hessian."""

from collections.abc import Mapping
from math import sqrt

import numpy as np

from pdebench_methods.search.line_search import Point, ValueAndGradient, strong_wolfe
from pdebench_methods.search.symmetric_matrix import HostMatrix, NewMatrix

_HELD = 8  # updates that are applied to the matrix together
_GROWTH = 1.2
"""The first step tried over the last one taken, up to 1.

The scaling makes H large rather than small. With a first step of 1, a network's loss takes a second
evaluation every other time, and steps of 0.3 to 0.6; so it falls faster from there.
"""


class SelfScaledBroyden:
    """Minimise f by steps along −H∇f, H being updated by the self-scaled Broyden formula.

    Formulas 13–23 of Urbán, Stefanou & Pons 2025, "Unveiling the optimization process of
    physics-informed neural networks", J. Comput. Phys. 523, 113656, doi:10.1016/j.jcp.2024.113656,
    after Al-Baali's self-scaled members of Broyden's family. SciPy and optax have plain BFGS and
    L-BFGS only; SciPy accepts, and ignores, an option that names this variant.

    H = scale·(M + UVᵀ + VUᵀ): M lies where `matrix` puts it, thin U and V are in NumPy and hold the
    latest updates until there are enough of them for one pass over M, which is what takes the time.

    Args:
        evaluate: value and gradient.
        x: where to start, shape (n,).
        matrix: makes M.

    Attributes:
        x: the point as of now, float64.
        loss: f(x).
        evaluations: calls of `evaluate` so far.
    """

    def __init__(
        self, evaluate: ValueAndGradient, x: np.ndarray, matrix: NewMatrix = HostMatrix
    ) -> None:
        self._evaluate, self._new_matrix = evaluate, matrix
        self.x = np.array(x, dtype=np.float64)
        self.evaluations = 0
        self._forget()
        self.refresh()

    def _forget(self) -> None:
        """Set H to the identity; the first update scales it."""
        self._M = self._new_matrix(self.x.size)
        self._U = np.zeros((self.x.size, 2 * _HELD), order="F")
        self._V = np.zeros_like(self._U)
        self._held = 0  # columns in use
        self._scale, self._fresh, self._length = 1.0, True, 1.0

    def _value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self._evaluate(x)
        return float(value), np.asarray(gradient, dtype=np.float64)

    def _times(self, vector: np.ndarray) -> np.ndarray:
        U, V = self._U[:, : self._held], self._V[:, : self._held]
        held = U @ (vector @ V) + V @ (vector @ U)
        return self._scale * self._M.times(vector, plus=held)

    def refresh(self) -> None:
        """Evaluate again at x, after a change of what is minimised; H is kept."""
        self.loss, self._gradient = self._value_and_gradient(self.x)
        self.evaluations += 1
        self._newton = self._times(self._gradient)  # H∇f

    def step(self) -> bool:
        """Take one step that lowers f; returns False where none does (x is then left alone)."""
        found = self._search()
        if found is None and not self._fresh:
            self._forget()
            self._newton = self._gradient.copy()
            found = self._search()
        if found is None:
            return False
        s, before, old_newton = -found.step * self._newton, self._gradient, self._newton
        self.x = self.x + s
        self.loss, self._gradient = found.value, found.gradient
        y = self._gradient - before
        if self._fresh:  # as Nocedal & Wright 2006, eq. 6.20
            self._scale, self._fresh = float((s @ y) / (y @ y)), False
            old_newton = self._scale * old_newton
        else:
            self._length = found.step
        self._newton = self._times(self._gradient)
        self._update(s, y, found.step, float(s @ before), self._newton - old_newton)
        return True

    def _search(self) -> Point | None:
        slope = -float(self._gradient @ self._newton)
        if not slope < 0:
            return None
        start = Point(0.0, self.loss, slope, self._gradient)
        first = min(1.0, 1.0 / sqrt(-slope) if self._fresh else _GROWTH * self._length)
        found, calls = strong_wolfe(self._value_and_gradient, self.x, -self._newton, start, first)
        self.evaluations += calls
        return found

    def _update(
        self, s: np.ndarray, y: np.ndarray, step: float, slope: float, Hy: np.ndarray
    ) -> None:
        """Update H and H∇f; `slope` is sᵀg with the gradient before the step, `step` is α.

        Formulas 13–23, in their order.
        """
        q, ys = float(y @ Hy), float(y @ s)
        if not (q > 0 and ys > 0):
            return  # rounding: no curvature to learn from
        n, rho = self.x.size, 1.0 / ys
        h = rho * q  # yᵀHy/yᵀs
        b = -step * rho * slope  # sᵀH⁻¹s/yᵀs
        a = max(h * b - 1.0, 0.0)  # not negative but for rounding
        if a > 1e-12:
            c = sqrt(a / (1.0 + a))
            rho_minus = min(1.0, h * (1.0 - c))
            lowest, highest = (rho_minus - 1.0) / a, 1.0 / rho_minus
            theta = max(lowest, min(highest, (1.0 - b) / b))
        else:
            theta = 0.0  # s and Hy are parallel, and all members of the family are one
        sigma = 1.0 + theta * a
        sigma_n = abs(sigma) ** (1.0 / (1.0 - max(n, 2)))
        rho_k = min(1.0, 1.0 / b)
        tau = min(rho_k * sigma_n, sigma) if theta <= 0 else rho_k * min(sigma_n, 1.0 / theta)
        phi = (1.0 - theta) / sigma
        # H/τ + A (Hy)(Hy)ᵀ + B ssᵀ + C (s(Hy)ᵀ + (Hy)sᵀ), multiplied out from
        # [H − Hy(Hy)ᵀ/q + φq vvᵀ]/τ + ρssᵀ with v = ρs − Hy/q
        A = (phi - 1.0) / (q * tau)
        B = phi * q * rho**2 / tau + rho
        C = -phi * rho / tau
        g = self._gradient
        wg, sg = float(Hy @ g), float(s @ g)
        self._newton = self._newton / tau + (A * wg + C * sg) * Hy + (B * sg + C * wg) * s
        self._scale /= tau
        inverse = 1.0 / self._scale
        self._hold(s, (C * inverse) * Hy + (0.5 * B * inverse) * s)
        self._hold(Hy, (0.5 * A * inverse) * Hy)
        if not 1e-6 < self._scale < 1e6:
            self._M.scale(self._scale)
            self._V *= self._scale
            self._scale = 1.0

    def _hold(self, u: np.ndarray, v: np.ndarray) -> None:
        """Add uvᵀ + vuᵀ to H/scale."""
        self._U[:, self._held], self._V[:, self._held] = u, v
        self._held += 1
        if self._held == self._U.shape[1]:
            self._M.add(self._U, self._V)
            self._held = 0

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs to go on bit by bit."""
        return {
            "x": self.x.copy(),
            "loss": np.asarray(self.loss),
            "gradient": self._gradient.copy(),
            "newton": self._newton.copy(),
            "matrix": self._M.numpy(),
            "left": self._U[:, : self._held].copy(),
            "right": self._V[:, : self._held].copy(),
            "scale": np.asarray(self._scale),
            "fresh": np.asarray(self._fresh),
            "length": np.asarray(self._length),
            "evaluations": np.asarray(self.evaluations),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state that `state` returned."""
        self.x, self._gradient = np.array(state["x"]), np.array(state["gradient"])
        self._newton = np.array(state["newton"])
        self._M.load(state["matrix"])
        self._held = state["left"].shape[1]
        self._U[:, : self._held], self._V[:, : self._held] = state["left"], state["right"]
        self.loss, self._scale = float(state["loss"]), float(state["scale"])
        self._fresh, self._length = bool(state["fresh"]), float(state["length"])
        self.evaluations = int(state["evaluations"])
