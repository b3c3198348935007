"""Where collocation points lie: what a registered sampler is, and those that ship.

A sampler is a function of a `Draw` and of its own settings. It returns the points, coordinate ->
(count,), and their weights in the loss, (count,), or None where all count alike.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pdebench_lite.problem import Domain
from pdebench_methods.objectives.resampling import systematic

Points: TypeAlias = dict[str, np.ndarray]


@dataclass(frozen=True)
class Draw:
    """What is asked of a sampler.

    Attributes:
        domain: where the points are to lie.
        rng: random numbers, the same ones for the same draw of a run.
        count: how many points.
        candidates: from how many points to choose, where the sampler chooses.
        sizes: points -> sizes of the residual there, (n,), not negative; None before training.
    """

    domain: Domain
    rng: np.random.Generator
    count: int
    candidates: int
    sizes: Callable[[Mapping[str, np.ndarray]], np.ndarray] | None = None


def uniform(draw: Draw, config: Any) -> tuple[Points, None]:
    """Draw each point for itself."""
    return draw.domain.sample(draw.rng, draw.count), None


def latin_hypercube(draw: Draw, config: Any) -> tuple[Points, None]:
    """Draw points that cover the domain evenly.

    McKay, Beckman & Conover 1979, doi:10.1080/00401706.1979.10489755; on shapes that are not a box,
    a low-discrepancy sequence.
    """
    return draw.domain.spread(draw.rng, draw.count), None


def residual(draw: Draw, config: Any) -> tuple[Points, np.ndarray | None]:
    """Draw points with probability ∝ |r|/mean |r| + 1 from uniform candidates; evenly at first.

    Residual-based adaptive distribution: Wu et al. 2023, doi:10.1016/j.cma.2022.115671, eq. 2 with
    k = c = 1. Each point has the weight density^(−1/2) in the loss: between none, which counts
    large residuals twice, and the −1 that makes the loss an unbiased mean over the domain.
    """
    if draw.sizes is None:
        return latin_hypercube(draw, config)
    candidates = draw.domain.sample(draw.rng, draw.candidates)
    size = draw.sizes(candidates)
    density = size / (np.mean(size) or 1.0) + 1.0
    chosen = systematic(draw.domain.to_unit(candidates), density, draw.count, draw.rng)
    return {name: v[chosen] for name, v in candidates.items()}, density[chosen] ** -0.5
