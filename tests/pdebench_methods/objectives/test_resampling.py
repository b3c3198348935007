"""Systematic draws follow their density and leave no gaps."""

import numpy as np

from pdebench_methods.objectives.resampling import systematic

SIZE = 1000


def shares(density_of, seed=0):
    """Count the points drawn in each cell of a 5 × 5 grid, and those to be expected there."""
    rng = np.random.default_rng(seed)
    unit = rng.random((2, 20_000))
    density = density_of(unit)
    chosen = systematic(unit, density, SIZE, rng)
    assert chosen.shape == (SIZE,)
    cell = (5 * unit).astype(int)
    index = 5 * cell[0] + cell[1]
    expected = np.bincount(index, density, 25) * SIZE / density.sum()
    return np.bincount(index[chosen], minlength=25), expected


def test_counts_are_nearer_to_the_density_than_independent_draws():
    for density_of in (lambda u: np.ones(u.shape[1]), lambda u: 0.1 + u[0] ** 4 * u[1]):
        counts, expected = shares(density_of)
        excess = np.sum((counts - expected) ** 2) / np.sum(expected)  # about 1 if independent
        assert excess < 0.3


def test_no_point_comes_where_the_density_vanishes():
    counts, expected = shares(lambda u: (u[0] > 0.4).astype(float))
    assert np.all(counts[expected == 0] == 0)
    assert counts.sum() == SIZE
