"""Performance profiles: Dolan & Moré 2002, Math. Program. 91, 201–213, doi:10.1007/s101070100263.

An instance is one problem and one error to be reached (as in Moré & Wild 2009, SIAM J. Optim. 20,
172–191, doi:10.1137/080724083); its cost is the median time over seeds, ∞ for a miss.
"""

from collections.abc import Sequence

import numpy as np

RATIOS = (1.0, 2.0, 5.0, 10.0, 100.0)


def performance_ratios(costs: np.ndarray) -> np.ndarray:
    """Return each cost over the smallest of its instance (eq. 2.1).

    Args:
        costs: shape (instances, entrants), positive; ∞ for a miss. Instances that nobody solved
            say nothing and are left out.

    Returns:
        Ratios, shape (solved instances, entrants); ∞ for a miss.
    """
    costs = np.asarray(costs, float).reshape(len(costs), -1)
    best = costs.min(axis=1, initial=np.inf)
    return costs[np.isfinite(best)] / best[np.isfinite(best), None]


def performance_profile(costs: np.ndarray, within: Sequence[float] = RATIOS) -> np.ndarray:
    """Return ρ(τ): the share of instances that each entrant solves within τ times the best (2.2).

    Args:
        costs: as in `performance_ratios`.
        within: the τ, each at least 1.

    Returns:
        Shape (entrants, len(within)).
    """
    ratios = performance_ratios(costs)
    if not len(ratios):
        return np.zeros((costs.shape[1], len(within)))
    return np.stack([np.mean(ratios <= tau, axis=0) for tau in within], axis=-1)
