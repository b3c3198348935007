"""Weights of the parts of a loss: what a registered weighting is, and those that ship.

A weighting is a function `weigh(parts, memo, config)`: it returns factors on the parts by their
names, numbers or one for each point, (n,); a part that is left out keeps the factor 1. `memo` are
JSON values of its own, empty at first, in which it keeps what it remembers; a checkpoint has them.
It is asked between stages, never within a compiled loop.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from pydantic import Field

from pdebench_lite.selectors import Settings


@dataclass(frozen=True)
class Part:
    """One part of a loss: the residual, data, or a condition.

    Attributes:
        weight: α of the part; it is not in `squares` and `gradient`.
        elapsed: time of each point since the start, over the whole time, 0 to 1, (n,); None
            without time.
        squares: () -> squared gaps of each point, summed over its gaps, (n,).
        gradient: () -> gradient of their mean by all parameters, (parameters,).
    """

    weight: float
    elapsed: np.ndarray | None
    squares: Callable[[], np.ndarray]
    gradient: Callable[[], np.ndarray]


Factors: TypeAlias = Mapping[str, float | np.ndarray]
RESIDUAL = "residual"
"""Name of the part that is the residual of the equation."""


def fixed(parts: Mapping[str, Part], memo: dict[str, Any], config: Any) -> Factors:
    """Leave the weights as the settings have them."""
    return {}


# ---- causal ----------------------------------------------------------------------------------


class CausalSettings(Settings):
    """Settings of `causal`."""

    epsilon: float = Field(1e-2, gt=0, description="ε at first")
    most: float = Field(100.0, gt=0, description="to which ε grows tenfold at a time")
    chunks: int = Field(32, ge=2, le=4096, description="pieces of time, M")
    delta: float = Field(0.99, gt=0, lt=1, description="ε grows when every weight is above δ")


def causal(parts: Mapping[str, Part], memo: dict[str, Any], config: CausalSettings) -> Factors:
    """Weigh the residual at a time by how well earlier times are solved.

    w_i = exp(−ε Σ_{k<i} L_r(t_k)), and ε ← 10 ε when min w > δ: Wang, Sankaran & Perdikaris 2024,
    doi:10.1016/j.cma.2024.116813, algorithm 1. Here L_r(t_k) is the mean over a piece of time,
    as in jaxpi, and the weights are those of the last draw of points, not of the last step.
    """
    part = parts[RESIDUAL]
    assert part.elapsed is not None, "the method has checked that there is time"
    chunk = np.minimum((part.elapsed * config.chunks).astype(int), config.chunks - 1)
    counts = np.bincount(chunk, minlength=config.chunks)
    losses = np.bincount(chunk, part.squares(), config.chunks) / np.maximum(counts, 1)
    before = np.cumsum(losses) - losses
    epsilon = memo.get("epsilon", config.epsilon)
    if np.exp(-epsilon * before[-1]) > config.delta and "epsilon" in memo:
        epsilon = min(10.0 * epsilon, config.most)
    memo["epsilon"] = epsilon
    return {RESIDUAL: np.exp(-epsilon * before)[chunk]}


# ---- gradient norm ---------------------------------------------------------------------------


class GradientSettings(Settings):
    """Settings of `gradient-norm`."""

    alpha: float = Field(0.1, gt=0, le=1, description="share of the new weight in the average")


def gradient_norm(
    parts: Mapping[str, Part], memo: dict[str, Any], config: GradientSettings
) -> Factors:
    """Weigh each part so that its gradient is as large as the residual's.

    λ̂_i = max |∇L_r| / mean |∇L_i| and λ_i ← (1 − α) λ_i + α λ̂_i: Wang, Teng & Perdikaris 2021,
    doi:10.1137/20M1318043, algorithm 1. Maximum and mean are over the parameters; a part without a
    gradient keeps its weight. α₀ is not used: λ takes its place.
    """
    largest = float(np.max(np.abs(parts[RESIDUAL].weight * parts[RESIDUAL].gradient())))
    factors: dict[str, float] = {}
    for name, part in parts.items():
        if name == RESIDUAL or not part.weight:
            continue
        mean = float(np.mean(np.abs(part.gradient())))
        before = memo.get(name, 1.0)
        new = largest / mean if mean > 0 else before
        memo[name] = (1.0 - config.alpha) * before + config.alpha * new
        factors[name] = memo[name] / part.weight
    return factors
