"""Drawing collocation points by a density, evenly spread."""

import numpy as np

_BITS = 14  # per axis, of the places on the curve


def systematic(
    unit: np.ndarray, density: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Choose candidates with expected counts ∝ density, evenly along a space-filling curve.

    Systematic sampling (Cochran, *Sampling Techniques*, 3rd ed., Wiley 1977, chapter 8) of
    candidates that are sorted by Morton's curve: each region gets its share of the points up to
    one or two, where independent draws leave gaps in which a residual can grow unseen.

    Args:
        unit: candidates, scaled to [0, 1], shape (axes, n).
        density: not negative, shape (n,).
        size: how many to choose; a candidate comes twice where its expected count is above one.
        rng: random numbers.

    Returns:
        Indices of candidates in random order, shape (size,).
    """
    order = np.argsort(_morton(unit), kind="stable")
    share = np.cumsum(density[order])
    marks = (np.arange(size) + rng.random()) / size * share[-1]
    return rng.permutation(order[np.minimum(np.searchsorted(share, marks), order.size - 1)])


def _morton(unit: np.ndarray) -> np.ndarray:
    """Return the place of each point on Morton's curve: the bits of its coordinates in turn."""
    cells = np.minimum((unit * (1 << _BITS)).astype(np.int64), (1 << _BITS) - 1)
    code = np.zeros(unit.shape[1], dtype=np.int64)
    for bit in range(_BITS):
        for axis, cell in enumerate(cells):
            code |= ((cell >> bit) & 1) << (bit * len(cells) + axis)
    return code
