"""Iteratively regularised Gauss–Newton, with the weight of the prior chosen by its evidence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import linalg

from .levenberg_marquardt import Linearisation, Residuals

_STRIDES = (10.0, 10.0**0.5)  # by which the weight falls: far from the noise, and near it
_BOLD = 100.0  # far from the noise, after a step that went as its linearisation had said
_LINEAR = 0.1  # of the residuals: what a step may leave beside its linearisation, to be so called
_NEAR = 30.0  # times the variance: a misfit is near the noise
_WORSE = 2.0  # a log-evidence this far below the best one is past it
_SMALLEST_STEP = 1.0 / 64
_SETTLED = 1e-3  # relative fall of the cost below which a fixed weight has converged
_POLISH = 20  # most steps at the final weight
_UNEXPLAINED = 0.1  # of the noise: a solver's error below this part of it does not matter
_ANEW = 1e-2  # fall of the misfit at which the level, which costs a solve, is asked for again
_STALLED = 0.5  # of the misfit: with a coarse Jacobian, a step that leaves more has failed


@dataclass(frozen=True)
class Level:
    """What the misfit may be: mean squares of all residuals together.

    Attributes:
        noise: of the measurements.
        solver: of the model that computes the residuals.
    """

    noise: float
    solver: float


class RegularisedGaussNewton:
    """Minimise f(x) = Σ rᵢ(x)² + w‖x‖² for a w that falls from step to step.

    Each step solves the problem linearised at x for the next smaller w: iteratively regularised
    Gauss–Newton (Bakushinskii 1992; Engl, Hanke & Neubauer, *Regularization of Inverse Problems*
    (1996), sect. 11.2). The prior is x ~ N(0, σ²/w), the noise of a residual N(0, σ²), and σ² known
    from the measurement's noise and the solver's error. The final w is that of the largest evidence
    (marginal likelihood) of the linearised model; MacKay 1992, doi:10.1162/neco.1992.4.3.415.
    Neither uses the truth.

    Args:
        linearise: residuals (m,) and Jacobian (m, n) at a point; called once a step.
        residuals: the residuals alone, for trial steps.
        x: where to start, shape (n,).
        level: x -> the `Level` that explains a misfit there.
        weight: w of the first step.
        floor: smallest w; where nothing is noise it is the one that is taken.
        refinable: whether to stop where the solver's error explains the misfit but the noise does
            not, so that the caller may go on with a better solver.
        chooses: whether the evidence chooses the final w; else it is `floor`.
        approximate: whether the Jacobian is that of a coarser model than the residuals are. Then
            the search ends where a step has to be shortened and where the final w is known, so
            that the caller may go on with a better Jacobian.

    Attributes:
        x: the point as of now.
        weight: w as of now.
        loss: f(x).
        evaluations: calls of either function so far.
        singular_values: of the Jacobian of the last step, shape (min(m, n),).
        needs_refinement: whether the search ended because the solver is too coarse.
        needs_jacobian: whether it ended because the Jacobian is.
        sweep: weight, misfit Σ rᵢ² and ‖x‖² after every step, shape (steps, 3): the L-curve.
    """

    def __init__(
        self,
        linearise: Linearisation,
        residuals: Residuals,
        x: np.ndarray,
        level: Callable[[np.ndarray], Level],
        weight: float,
        floor: float,
        refinable: bool = False,
        chooses: bool = True,
        approximate: bool = False,
    ) -> None:
        self._linearise, self._residuals, self._level = linearise, residuals, level
        self.x = np.array(x, dtype=np.float64)
        self.weight, self._floor = weight, floor
        self._refinable, self._chooses, self._approximate = refinable, chooses, approximate
        self.evaluations = 0
        self.singular_values = np.zeros(0)
        self.needs_refinement = self.needs_jacobian = False
        self.sweep = np.zeros((0, 3))
        self._known = Level(0.0, 0.0)
        self._known_at = np.inf  # the misfit then
        self._first, self._over, self._halted, self._linear = True, False, False, False
        self._best = (-np.inf, self.x, weight)
        self._polished = 0 if weight > floor else 1  # steps at the final weight, from 1
        self._evaluate()

    def _evaluate(self) -> None:
        r, J = self._linearise(self.x)
        self.evaluations += 1
        self._r, self._J = np.asarray(r, dtype=np.float64), np.asarray(J, dtype=np.float64)
        self.loss = float(self._r @ self._r) + self.weight * float(self.x @ self.x)

    def step(self) -> bool:
        """Take one step; returns False where the search is over (x is then left alone)."""
        if self._over:
            return False
        misfit = float(self._r @ self._r)
        level = self._level_for(misfit)
        self._decompose((level.noise + level.solver) / self._r.size)
        if not self._polished:
            unexplained = level.solver > _UNEXPLAINED * level.noise
            if self._refinable and misfit <= level.solver and unexplained:
                self.needs_refinement = self._over = True
                return False
            if not self._first:
                self._choose()
            if not self._first and not self._polished and not self._halted:
                near = misfit <= _NEAR * (level.noise + level.solver)
                stride = _BOLD if self._linear and not near else _STRIDES[near]
                self.weight = max(self._floor, self.weight / stride)
        if self._approximate and self._polished:
            self.needs_jacobian = self._over = True
            return False
        self._first = False
        fall = self._move()
        if self._approximate and (self._halted or self._misfit > _STALLED * misfit):
            self.needs_jacobian = self._over = True
        if self._polished:
            self._polished += 1
            self._over = fall <= _SETTLED or self._polished > _POLISH
        if fall > 0.0 and not self._over:
            self._evaluate()
        return fall > 0.0 or not self._over

    def _level_for(self, misfit: float) -> Level:
        """Return the level; the last one while the misfit is about as large as it was then."""
        old, explained = misfit <= _ANEW * self._known_at, misfit <= self._known.solver
        if old or self._known_at == np.inf or (explained and misfit < self._known_at):
            self._known, self._known_at = self._level(self.x), misfit
        return self._known

    def _decompose(self, variance: float) -> None:
        U, s, self._Vt = linalg.svd(self._J, full_matrices=False, check_finite=False)
        target = self._J @ self.x - self._r
        self._e = U.T @ target
        self._rest = max(float(target @ target - self._e @ self._e), 0.0)
        self.singular_values, self._variance = s, variance

    def _choose(self) -> None:
        """Note the evidence of this weight; once past the best one, go back and begin to polish."""
        evidence = self._evidence()
        if evidence > self._best[0]:
            self._best = evidence, self.x, self.weight
        if evidence >= self._best[0] - _WORSE and self.weight > self._floor:
            return
        self._polished = 1
        if np.isfinite(self._best[0]) and self._best[2] != self.weight:
            _, self.x, self.weight = self._best
            self._evaluate()
            self._decompose(self._variance)

    def _evidence(self) -> float:
        """Return the logarithm of the evidence of the weight, up to a constant."""
        if self._variance == 0.0 or not self._chooses:
            return -np.inf
        s2, w = self.singular_values**2, self.weight
        fit = float(np.sum(w / (s2 + w) * self._e**2)) + self._rest
        return -0.5 * (float(np.sum(np.log1p(s2 / w))) + fit / self._variance)

    def _move(self) -> float:
        """Go to the minimum of the linearised problem, or part of the way; returns the fall."""
        s, w = self.singular_values, self.weight
        goal = self._Vt.T @ (s / (s**2 + w) * self._e)
        before = float(self._r @ self._r) + w * float(self.x @ self.x)
        part, self._misfit = 1.0, np.inf
        while part >= _SMALLEST_STEP:
            trial = self.x + part * (goal - self.x)
            r = np.asarray(self._residuals(trial), dtype=np.float64)
            self.evaluations += 1
            loss = float(r @ r) + w * float(trial @ trial)
            if loss < before:  # False for NaN too
                self._halted = part < 1.0  # the weight fell too fast
                beside = r - self._r - self._J @ (trial - self.x)
                self._linear = bool(beside @ beside <= _LINEAR**2 * (self._r @ self._r))
                self.x, self.loss, self._misfit = trial, loss, float(r @ r)
                row = [self.weight, self._misfit, float(trial @ trial)]
                self.sweep = np.concatenate([self.sweep, [row]])
                return (before - loss) / before
            part /= 2.0
        return 0.0

    def covariance(self) -> np.ndarray:
        """Return the posterior covariance σ²(JᵀJ + wI)⁻¹ of the linearised model, shape (n, n)."""
        n, w, s2 = self.x.size, self.weight, self.singular_values**2
        V = self._Vt.T
        explained = V * (s2 / (s2 + w))
        return self._variance / w * (np.eye(n) - explained @ V.T)

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs to go on bit by bit."""
        evidence, best, weight = self._best
        counts = [
            self.evaluations,
            self._polished,
            self._first,
            self._over,
            self.needs_refinement,
            self.needs_jacobian,
            self._halted,
            self._linear,
        ]
        return {
            "x": self.x.copy(),
            "best": best.copy(),
            "sweep": self.sweep.copy(),
            "weights": np.asarray([self.weight, evidence, weight]),
            "counts": np.asarray(counts, dtype=np.int64),
            "level": np.asarray([self._known.noise, self._known.solver, self._known_at]),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state that `state` returned."""
        self.weight, evidence, weight = map(float, state["weights"])
        self._best = evidence, np.array(state["best"], dtype=np.float64), weight
        self.x = np.array(state["x"], dtype=np.float64)
        self.sweep = np.array(state["sweep"], dtype=np.float64)
        self._evaluate()  # the same residuals and Jacobian again
        counts = [int(v) for v in state["counts"]]
        self.evaluations, self._polished = counts[:2]
        flags = [bool(count) for count in counts[2:]]
        self._first, self._over, self.needs_refinement, self.needs_jacobian = flags[:4]
        self._halted, self._linear = flags[4:]
        noise, solver, self._known_at = map(float, state["level"])
        self._known = Level(noise, solver)
