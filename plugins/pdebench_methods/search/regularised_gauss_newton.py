"""Iteratively regularised Gauss–Newton, with the weight of the prior chosen by its evidence."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
from scipy import linalg

from .levenberg_marquardt import Linearisation, Residuals

_STRIDES = (10.0, 10.0**0.5)  # by which the weight falls: far from the noise, and near it
_BOLD = 100.0  # far from the noise, after a step that went as its linearisation had said
_LINEAR = 0.1  # of the residuals: what a step may leave besides its linearisation, to be so called
_NEAR = 30.0  # times the variance: a misfit is near the noise
_WORSE = 2.0  # a log-evidence this far below the best one is past it
_SMALLEST_STEP = 1.0 / 64
_SETTLED = 1e-3  # relative fall of the cost below which a fixed weight has converged
_POLISH = 20  # most steps at the final weight
_ANEW = 1e-2  # fall of the misfit at which the level, which costs a solve, is asked for again
_STALLED = 0.5  # of the misfit: with a coarse Jacobian, a step that leaves more has failed
_FALLING = 0.8  # of the misfit: far from the noise, a search that leaves less of it goes on
_RATIOS = 10.0 ** np.arange(-4.0, 8.0, 0.25)  # of the weight to the variance, with another prior


@dataclass(frozen=True)
class Level:
    """What the misfit may be: mean squares of all residuals together.

    Attributes:
        noise: of the measurements.
        solver: of the model that computes the residuals.
    """

    noise: float
    solver: float


@dataclass(frozen=True)
class _LinearModel:
    """The linearised problem in the variables z = x/d, by its singular value decomposition.

    Attributes:
        deviations: d, shape (n,).
        s: singular values, shape (k,), k = min(m, n).
        Vt: right singular vectors, shape (k, n).
        e: what z is to reach, on the left singular vectors, shape (k,).
        rest: squared norm of what no z reaches.
    """

    deviations: np.ndarray
    s: np.ndarray
    Vt: np.ndarray
    e: np.ndarray
    rest: float

    def evidence(self, weight: float, variance: float) -> float:
        """Return the logarithm of the evidence of a weight, up to a constant."""
        s2 = self.s**2
        fit = float(np.sum(weight / (s2 + weight) * self.e**2)) + self.rest
        return -0.5 * (float(np.sum(np.log1p(s2 / weight))) + fit / variance)

    def minimum(self, weight: float) -> np.ndarray:
        """Return the x that minimises, shape (n,)."""
        return self.deviations * (self.Vt.T @ (self.s / (self.s**2 + weight) * self.e))


class RegularisedGaussNewton:
    """Minimise f(x) = Σ rᵢ(x)² + w‖x‖² for a w that falls from step to step.

    Each step solves the problem linearised at x for the next smaller w: iteratively regularised
    Gauss–Newton (Bakushinskii 1992; Engl, Hanke & Neubauer, *Regularization of Inverse Problems*
    (1996), sect. 11.2). The prior is x ~ N(0, σ²/w), the noise of a residual N(0, σ²), and σ² known
    from the measurement's noise and the solver's error. The final w is that of the largest evidence
    (marginal likelihood) of the linearised model; MacKay 1992, doi:10.1162/neco.1992.4.3.415.
    Neither uses the truth. Once it is known, so is the shape of the prior, x ~ N(0, σ²/w·diag d²),
    chosen with its own w from a sequence of deviations d by the same evidence: a step at a time to
    a neighbour, so that the linearisation stays valid.

    Args:
        linearise: residuals (m,) and Jacobian (m, n) at a point; called once a step.
        residuals: the residuals alone, for trial steps.
        x: where to start, shape (n,).
        level: x -> the `Level` that explains a misfit there.
        weight: w of the first step.
        floor: smallest w of the search; where nothing is noise it is the one that is taken.
        ceiling: largest w. Above the first one it says that what led to x may have gone too far
            down: w rises first, as long as a larger one has more evidence, and falls from there.
        refinable: whether to stop where the solver's error matters against the noise, and explains
            the misfit or the weight would be final, so that the caller may go on with a better
            solver.
        chooses: whether the evidence chooses the final w; else it is `floor`.
        approximate: whether the Jacobian is that of a coarser model than the residuals are. Then
            the search ends where a step has to be shortened and where the final w is known, so
            that the caller may go on with a better Jacobian.
        priors: deviations d, shape (priors, n): first that of the search, then those to choose
            from when the weight is known, if any; by default ones alone.

    Attributes:
        x: the point as of now.
        weight: w as of now.
        loss: f(x).
        evaluations: calls of either function so far.
        prior: index of the prior as of now.
        explained: the misfit that the level of the last step explains.
        variance: σ², its share of one residual.
        singular_values: of the Jacobian of the last step times the deviations of the prior, shape
            (min(m, n),).
        data_coefficients: |uᵢᵀb| of what that step's linear model is fitted to, b = Jx − r, on the
            left singular vectors; same shape. They have to fall faster than the singular values
            until they reach the noise: the discrete Picard condition (Hansen 1990,
            doi:10.1007/BF01933214).
        unreached: what of ‖b‖² no parameters reach.
        determined: γ = Σ sᵢ²/(sᵢ² + w), how many parameters the data determine and not the prior
            (MacKay 1992, sect. 4, doi:10.1162/neco.1992.4.3.415).
        needs_refinement: whether the search ended because the solver is too coarse.
        needs_jacobian: whether it ended because the Jacobian is.
        sweep: after every step the weight, the misfit Σ rᵢ² and ‖x/d‖² (the L-curve; Hansen 1992,
            doi:10.1137/1034115), the log-evidence of that weight in the linear model that judged it
            (NaN if none did), and the index of the prior; shape (steps, 5).
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
        priors: np.ndarray | None = None,
        ceiling: float = 0.0,
    ) -> None:
        self._linearise, self._residuals, self._level = linearise, residuals, level
        self.x = np.array(x, dtype=np.float64)
        self.weight, self._floor = weight, floor
        self._refinable, self._chooses, self._approximate = refinable, chooses, approximate
        self._priors = np.ones((1, self.x.size)) if priors is None else priors
        self.prior = self.evaluations = 0
        self._linear_model: _LinearModel | None = None
        self.explained = self.variance = 0.0
        self.needs_refinement = self.needs_jacobian = False
        self.sweep = np.zeros((0, 5))
        self._known = Level(0.0, 0.0)
        self._known_at = np.inf  # the misfit then
        self._previous = np.inf  # the misfit a step ago
        self._first, self._over, self._halted, self._linear = True, False, False, False
        self._best = (-np.inf, self.x, weight)
        self._polished = 0 if weight > floor else 1  # steps at the final weight, from 1
        self._ceiling, self._rises = ceiling, chooses and weight < ceiling
        self._evaluate()

    def _evaluate(self) -> None:
        r, J = self._linearise(self.x)
        self.evaluations += 1
        self._r, self._J = np.asarray(r, dtype=np.float64), np.asarray(J, dtype=np.float64)
        self.loss = float(self._r @ self._r) + self.weight * self._norm(self.x)

    def _norm(self, x: np.ndarray) -> float:
        """Return the squared norm under the prior as of now."""
        z = x / self._priors[self.prior]
        return float(z @ z)

    @property
    def singular_values(self) -> np.ndarray:
        """See above; empty before the first step."""
        return np.zeros(0) if self._linear_model is None else self._linear_model.s

    @property
    def data_coefficients(self) -> np.ndarray:
        """See above; empty before the first step."""
        return np.zeros(0) if self._linear_model is None else np.abs(self._linear_model.e)

    @property
    def unreached(self) -> float:
        """See above; 0 before the first step."""
        return 0.0 if self._linear_model is None else self._linear_model.rest

    @property
    def determined(self) -> float:
        """See above; 0 before the first step."""
        s2 = self.singular_values**2
        return float(np.sum(s2 / (s2 + self.weight)))

    @property
    def chosen_by(self) -> Literal["evidence", "floor", "unfinished"]:
        """What the weight as of now was chosen by; `unfinished` while it falls."""
        if not self._polished:
            return "unfinished"
        return "evidence" if np.isfinite(self._best[0]) else "floor"

    def step(self) -> bool:
        """Take one step; returns False where the search is over (x is then left alone)."""
        if self._over:
            return False
        misfit = float(self._r @ self._r)
        level = self._level_for(misfit)
        self.explained = level.noise + level.solver
        self.variance = self.explained / self._r.size
        self._linear_model = self._linearised(self.prior)
        if not self._polished:
            self._rise()
        if not self._polished and not self._rises:
            coarse = self._refinable and self._matters(level)
            if coarse and misfit <= level.solver:
                self.needs_refinement = self._over = True
                return False
            near = bool(misfit <= _NEAR * self.explained)
            if not self._first:
                may_end = near or misfit > _FALLING * self._previous
                if self._refinable and self._is_final(may_end, self._evidence()):
                    level = self._ask(misfit)  # the last one may be of a smoother x
                    coarse = self._matters(level)
                    self.explained = level.noise + level.solver
                final = self._choose(may_end)
                if final and coarse:  # no weight explains more than the solver can
                    self.needs_refinement = self._over = True
                    return False
            if not self._first and not self._polished and not self._halted:
                stride = _BOLD if self._linear and not near else _STRIDES[near]
                self.weight = max(self._floor, self.weight / stride)
        if self._approximate and self._polished:
            self.needs_jacobian = self._over = True
            return False
        self._first, self._previous = False, misfit
        changed = bool(self._polished) and self._choose_prior()
        fall = self._move()
        stalled = self._misfit > _STALLED * misfit and not self._rises
        if self._approximate and (self._halted or stalled):
            self.needs_jacobian = self._over = True
        if self._polished:
            self._polished += 1
            self._over = (fall <= _SETTLED and not changed) or self._polished > _POLISH
        if fall > 0.0 and not self._over:
            self._evaluate()
        return fall > 0.0 or not self._over

    def _rise(self) -> None:
        """Go up to the weight of the largest evidence, and a stride further, until none is larger.

        Only then is the largest evidence between weights that were tried.
        """
        if not self._rises:
            return
        self._rises = self.variance > 0.0 and self.weight < self._ceiling
        if not self._rises:
            return
        assert self._linear_model is not None
        n = int(np.ceil(2.0 * np.log10(self._ceiling / self.weight)))
        weights = np.minimum(self._ceiling, self.weight * _STRIDES[1] ** np.arange(n + 1))
        evidence = [self._linear_model.evidence(float(w), self.variance) for w in weights]
        best = int(np.argmax(evidence))
        self._rises = best > 0
        if self._rises:
            self.weight = float(weights[min(best + 1, n)])

    def _level_for(self, misfit: float) -> Level:
        """Return the level; the last one while the misfit is about as large as it was then."""
        old, explained = misfit <= _ANEW * self._known_at, misfit <= self._known.solver
        if old or self._known_at == np.inf or (explained and misfit < self._known_at):
            return self._ask(misfit)
        return self._known

    def _ask(self, misfit: float) -> Level:
        """Ask for the level at x, unless it was asked there."""
        if misfit != self._known_at:
            self._known, self._known_at = self._level(self.x), misfit
        return self._known

    def _matters(self, level: Level) -> bool:
        """Say whether the solver's error, of all residuals, is above the noise of one of them.

        It is not noise: many residuals together can shift what is sought by more than their noise
        leaves open, though none shows it.
        """
        return level.solver > level.noise / self._r.size

    def _linearised(self, prior: int) -> "_LinearModel":
        d = self._priors[prior]
        U, s, Vt = linalg.svd(self._J * d, full_matrices=False, check_finite=False)
        target = self._J @ self.x - self._r
        e = U.T @ target
        return _LinearModel(d, s, Vt, e, max(float(target @ target - e @ e), 0.0))

    def _choose(self, may_end: bool) -> bool:
        """Note the evidence of this weight; once past the best one, go back and begin to polish.

        Far from the noise the linearisation changes from step to step, and its evidence may fall
        though the misfit does too: then it does not end the search.

        Returns:
            Whether the weight is final.
        """
        evidence = self._evidence()
        self._note(evidence)
        if evidence > self._best[0]:
            self._best = evidence, self.x, self.weight
        if not self._is_final(may_end, evidence):
            return False
        self._polished = 1
        if np.isfinite(self._best[0]) and self._best[2] != self.weight:
            _, self.x, self.weight = self._best
            self._evaluate()
            self._linear_model = self._linearised(self.prior)
        return True

    def _is_final(self, may_end: bool, evidence: float) -> bool:
        """Say whether the search ends at a weight of that evidence."""
        past = may_end and evidence < self._best[0] - _WORSE
        return past or self.weight <= self._floor

    def _note(self, evidence: float) -> None:
        """Write the evidence of a weight next to it, once it is known."""
        if np.isfinite(evidence) and len(self.sweep) and self.sweep[-1, 0] == self.weight:
            self.sweep[-1, 3] = evidence

    def _evidence(self) -> float:
        """Return the logarithm of the evidence of the weight, up to a constant."""
        if self.variance == 0.0 or not self._chooses:
            return -np.inf
        assert self._linear_model is not None
        return self._linear_model.evidence(self.weight, self.variance)

    def _choose_prior(self) -> bool:
        """Take the prior, this one or a neighbour, and the weight of the largest evidence.

        The first one, that of the search, is left for good: it need not be a neighbour in kind.

        Returns:
            Whether it is a neighbour.
        """
        if self.variance == 0.0 or not self._chooses or len(self._priors) == 1:
            return False
        assert self._linear_model is not None
        before, best, chosen = self.prior, -np.inf, self._linear_model
        for prior in range(max(1, before - 1), min(before + 2, len(self._priors))):
            model = self._linear_model if prior == before else self._linearised(prior)
            for weight in self.variance * _RATIOS:
                evidence = model.evidence(weight, self.variance)
                if evidence > best:
                    best, chosen = evidence, model
                    self.prior, self.weight = prior, float(weight)
        self._linear_model = chosen
        return self.prior != before

    def _move(self) -> float:
        """Go to the minimum of the linearised problem, or part of the way; returns the fall."""
        assert self._linear_model is not None
        w = self.weight
        goal = self._linear_model.minimum(w)
        before = float(self._r @ self._r) + w * self._norm(self.x)
        part, self._misfit = 1.0, np.inf
        while part >= _SMALLEST_STEP:
            trial = self.x + part * (goal - self.x)
            r = np.asarray(self._residuals(trial), dtype=np.float64)
            self.evaluations += 1
            loss = float(r @ r) + w * self._norm(trial)
            if loss < before:  # False for NaN too
                self._halted = part < 1.0  # the weight fell too fast
                beside = r - self._r - self._J @ (trial - self.x)
                self._linear = bool(beside @ beside <= _LINEAR**2 * (self._r @ self._r))
                self.x, self.loss, self._misfit = trial, loss, float(r @ r)
                row = [w, self._misfit, self._norm(trial), np.nan, self.prior]
                self.sweep = np.concatenate([self.sweep, [row]])
                if self._polished:
                    self._note(self._evidence())
                return (before - loss) / before
            part /= 2.0
        self._halted = False  # with a smaller weight there is another way to go
        return 0.0

    def covariance(self) -> np.ndarray:
        """Return the posterior covariance σ²(JᵀJ + w·diag d⁻²)⁻¹ of the linearised model, (n, n).

        Raises:
            ValueError: no step was taken.
        """
        if self._linear_model is None:
            raise ValueError("there is no linearised model before the first step")
        d, w, s2 = self._linear_model.deviations, self.weight, self.singular_values**2
        V = self._linear_model.Vt.T
        white = np.eye(d.size) - (V * (s2 / (s2 + w))) @ V.T
        return self.variance / w * d[:, None] * white * d

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
            self._rises,
            self.prior,
        ]
        judged = {} if self._linear_model is None else asdict(self._linear_model)
        return {
            **{f"linear/{name}": np.array(values) for name, values in judged.items()},
            "x": self.x.copy(),
            "best": best.copy(),
            "sweep": self.sweep.copy(),
            "weights": np.asarray([self.weight, evidence, weight]),
            "counts": np.asarray(counts, dtype=np.int64),
            "level": np.asarray(
                [
                    self._known.noise,
                    self._known.solver,
                    self._known_at,
                    self._previous,
                    self.explained,
                    self.variance,
                ]
            ),
        }

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state that `state` returned."""
        self.weight, evidence, weight = map(float, state["weights"])
        self._best = evidence, np.array(state["best"], dtype=np.float64), weight
        self.x = np.array(state["x"], dtype=np.float64)
        self.sweep = np.array(state["sweep"], dtype=np.float64)
        counts = [int(v) for v in state["counts"]]
        self.prior = counts.pop()
        self._evaluate()  # the same residuals and Jacobian again
        self.evaluations, self._polished = counts[:2]
        flags = [bool(count) for count in counts[2:]]
        self._first, self._over, self.needs_refinement, self.needs_jacobian = flags[:4]
        self._halted, self._linear, self._rises = flags[4:]
        levels = list(map(float, state["level"]))
        self._known = Level(*levels[:2])
        self._known_at, self._previous, self.explained, self.variance = levels[2:]
        # What judged the weight: a search that is over takes no step that would make it again.
        judged = {k.removeprefix("linear/"): v for k, v in state.items() if k.startswith("linear/")}
        if judged:
            rest = float(judged.pop("rest"))
            self._linear_model = _LinearModel(**judged, rest=rest)
