"""Performance profiles against their published definition; Pareto fronts; ranks."""

from math import inf

import numpy as np

from pdebench_lite.analysis.pareto import front
from pdebench_lite.analysis.profiles import performance_profile, performance_ratios
from pdebench_lite.analysis.ranking import best, ranks
from pdebench_lite.analysis.statistics import Estimate

COSTS = np.array([[1.0, 2.0, inf], [10.0, 5.0, 50.0], [inf, 3.0, 3.0], [inf, inf, inf]])


def test_ratios_are_to_the_best_of_each_instance() -> None:
    expected = [[1.0, 2.0, inf], [2.0, 1.0, 10.0], [inf, 1.0, 1.0]]
    np.testing.assert_array_equal(performance_ratios(COSTS), expected)


def test_the_profile_is_the_distribution_function_of_the_ratios() -> None:
    found = performance_profile(COSTS, (1.0, 2.0, 10.0))
    np.testing.assert_allclose(found, [[1 / 3, 2 / 3, 2 / 3], [2 / 3, 1, 1], [1 / 3, 1 / 3, 2 / 3]])
    rng = np.random.default_rng(0)
    costs = rng.lognormal(size=(40, 3))
    shares = performance_profile(costs, (1.0, 1.5, 4.0))
    for j in range(3):  # the definition, counted one by one
        for k, tau in enumerate((1.0, 1.5, 4.0)):
            solved = sum(row[j] <= tau * min(row) for row in costs)
            assert shares[j, k] == solved / 40


def test_nobody_solving_anything_is_no_error() -> None:
    assert performance_profile(np.full((2, 2), inf)).tolist() == [[0.0] * 5] * 2


def test_the_front() -> None:
    rows = [(1.0, 1.0, 1.0), (0.5, 2.0, 1.0), (1.0, 1.0, 2.0), (inf, 0.1, 0.1), (0.502, 2.0, 1.0)]
    assert front(rows) == [True, True, False, False, True], "equal to two digits is equal"
    assert front([]) == []


def interval(low: float, high: float, known: bool = True, misses: int = 0) -> Estimate:
    return Estimate((low + high) / 2, low, high, known, 6, misses)


def test_what_cannot_be_told_apart_shares_a_rank() -> None:
    rows = [interval(1, 2), interval(1.5, 3), interval(2.5, 4), interval(9, 10), None]
    assert ranks(rows) == [1, 1, 2, 4, None]
    assert best(rows) == [True, True, False, False, False]


def test_no_rank_without_an_interval() -> None:
    assert ranks([interval(1, 2, known=False), interval(3, 4)]) == [None, 1]
    assert best([interval(1, 2, known=False), interval(3, 4)]) == [False, False]


def test_whoever_always_missed_is_never_best() -> None:
    missed = Estimate(inf, inf, inf, True, 6, 6)
    assert best([missed, missed]) == [False, False]
    assert ranks([interval(1, 2), missed]) == [1, 2]


def test_whoever_missed_in_the_median_comes_after_all_others() -> None:
    """An interval from a lucky run to ∞ overlaps everything, and is not best for that."""
    lucky = Estimate(inf, 0.5, inf, True, 6, 4)
    assert ranks([interval(1, 2), lucky, interval(5, 6)]) == [1, 3, 2]
    assert best([interval(1, 2), lucky, interval(5, 6)]) == [True, False, False]
