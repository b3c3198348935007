"""Statistics: against SciPy, against rliable where it is installed, and by hand where ∞ is in."""

import sys
from math import comb, inf, isnan

import numpy as np
import pytest
from scipy import stats

from pdebench_lite.analysis.statistics import (
    Estimate,
    enough,
    estimate,
    iqm,
    median,
    probability_of_improvement,
    ratio,
    seeds_needed,
)

RNG = np.random.default_rng(7)
SAMPLE = RNG.lognormal(size=12)
OTHER = RNG.lognormal(0.5, size=9)
PROBLEMS = [RNG.lognormal(k, size=8).tolist() for k in range(4)]


def test_six_seeds_are_the_fewest_for_an_interval() -> None:
    """The range of n values misses the median with probability 2^(1−n): all above, or all below."""
    n = seeds_needed()
    missed = [sum(comb(k, i) for i in (0, k)) / 2**k for k in (n - 1, n)]
    assert missed[0] > 0.05 >= missed[1]
    assert n == 6


def test_a_sample_is_estimated_as_scipy_does() -> None:
    found = estimate([SAMPLE.tolist()])
    assert found.value == np.median(SAMPLE)
    again = stats.bootstrap(
        (SAMPLE,), np.median, n_resamples=20000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    spread = again.high - again.low
    assert found.low == pytest.approx(again.low, abs=0.1 * spread)
    assert found.high == pytest.approx(again.high, abs=0.1 * spread)
    assert found.interval
    assert (found.n, found.misses) == (12, 0)


def test_the_interval_covers_the_median_as_often_as_it_says() -> None:
    """Percentile intervals of a median of 20 are known to be a little short of 95%."""
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        found = estimate([rng.normal(size=20).tolist()])
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.0 <= found.high
    assert 0.88 < hits / 200 <= 1.0


def test_the_interquartile_mean_is_that_of_the_middle_half() -> None:
    values = [8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 700.0]
    assert iqm(values) == pytest.approx((3 + 4 + 5 + 6) / 4)
    logs = estimate([[10.0**-k for k in range(8)]], iqm, logarithms=True)
    assert logs.value == pytest.approx(10.0 ** -((2 + 3 + 4 + 5) / 4))


def test_problems_weigh_the_same_whatever_their_number_of_seeds() -> None:
    one, three = [1e-6], [1e-2, 1e-2, 1e-2]
    found = estimate([one, three], iqm, logarithms=True)
    same = estimate([one * 3, three], iqm, logarithms=True)
    assert found.value == pytest.approx(same.value) == pytest.approx(1e-4)
    assert (found.n, found.misses) == (4, 0), "runs are counted as they are"
    misses = estimate([[inf], three], iqm, logarithms=True)
    assert misses.value == inf, "a problem that was missed is half of two"
    many = [[1e-6] * n for n in (5, 7, 8, 9, 11, 13, 16, 17)]
    assert estimate(many, iqm).value == pytest.approx(1e-6), "without a common multiple to hold"
    few, many = RNG.lognormal(size=4), RNG.lognormal(size=8)
    every = estimate([few.tolist() * 2, many.tolist()], iqm)
    half = estimate([few.tolist(), many.tolist()], iqm)
    assert half.interval
    assert half.value == pytest.approx(every.value)


def test_a_miss_stays() -> None:
    assert estimate([[1.0, 2.0, inf]]).value == 2.0
    assert estimate([[1.0, inf, inf]]).value == inf
    assert estimate([[1.0, inf]]).value == inf, "half of the runs missed"
    assert estimate([[1.0, 2.0, inf]]).high == inf
    few = estimate([[1e-3, 1e-3, 2e-3, 2e-3, 3e-3, inf, inf]])
    assert few.value == 2e-3
    assert (few.misses, few.high) == (2, inf)
    logs = estimate([[1e-3] * 4 + [inf] * 4], iqm, logarithms=True)
    assert logs.value == logs.high == inf
    every = estimate([[inf] * 7])
    assert (every.value, every.low, every.high) == (inf, inf, inf)
    trimmed = estimate([[1e-3] * 7 + [inf]], iqm, logarithms=True)
    assert trimmed.value == pytest.approx(1e-3), "a quarter at each end is left out"


def test_too_few_seeds_have_a_range_and_no_interval() -> None:
    found = estimate([[3.0, 1.0, 2.0]])
    assert found == Estimate(2.0, 1.0, 3.0, False, 3, 0)
    assert estimate([[3.0]]) == Estimate(3.0, None, None, False, 1, 0)
    assert estimate([]) == Estimate(inf, None, None, False, 0, 0)
    assert not enough([[1.0] * 5])
    assert enough([[1.0] * 6])
    assert enough([[1.0] * 3, [1.0] * 3])
    assert not enough([[1.0] * 2] * 5), "two seeds show half of the variance"
    assert estimate([[1.0, 2.0], [3.0, 4.0]]).low is None


def test_resampling_is_stratified_over_problems() -> None:
    """Problems that differ a thousandfold do not widen an interval of constants."""
    found = estimate([[1.0] * 4, [1000.0] * 4], iqm)
    assert (found.low, found.high) == (found.value, found.value)
    wide = estimate([[1.0] * 4 + [1000.0] * 4], iqm)
    assert wide.low is not None
    assert wide.low < wide.value


def test_ratios_are_of_pairs() -> None:
    first = [1.0, 20.0, 300.0, 4.0, 50.0, 6.0]
    found = ratio([first], [[2 * v for v in first]])
    assert found.value == pytest.approx(0.5)
    assert found.low == pytest.approx(0.5)
    assert found.high == pytest.approx(0.5)
    assert found.interval
    assert ratio([[inf]], [[inf]]).value == 1.0
    assert ratio([[1.0]], [[inf]]).value == 0.0
    assert ratio([[inf]], [[1.0]]).value == inf
    mixed = ratio([[1.0, inf, 2.0, 2.0, 2.0, inf]], [[inf, 1.0, 1.0, 1.0, 1.0, inf]])
    assert mixed.value == pytest.approx(2.0)
    assert not isnan(mixed.low or 0.0)


def test_large_figures_are_no_misses() -> None:
    """Bytes and microseconds exceed 3.2e7, where figures once became ∞."""
    found = estimate([[1e8, 2e8, 3e8, 4e8, 5e8, 6e8, 7e8]])
    assert (found.value, found.low, found.high, found.misses) == (4e8, 2e8, 6e8, 0)
    assert estimate([[3e300, 1e300]]).value == 2e300
    assert estimate([[1.0, 1e20, inf]]).misses == 1
    half = estimate([[1.0, 2.0, 3.0, inf, inf, inf]])
    assert (half.value, half.high, half.misses) == (inf, inf, 3)
    assert ratio([[1.0, inf]], [[inf, 1.0]]).value == 1.0, "each won once, without limit"


def test_the_probability_of_improvement_is_mann_whitneys() -> None:
    found = probability_of_improvement([SAMPLE.tolist()], [OTHER.tolist()])
    u = stats.mannwhitneyu(OTHER, SAMPLE).statistic
    assert found.value == pytest.approx(u / (12 * 9))
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    assert probability_of_improvement([[1.0, inf]], [[1.0, inf]]).value == 0.5
    assert probability_of_improvement([[1.0]], [[inf]]).value == 1.0
    assert probability_of_improvement([[1.0], [1.0]], [[2.0], [0.5]]).value == 0.5
    assert not probability_of_improvement([[1.0] * 5], [[2.0] * 9]).interval


def test_rliable_agrees() -> None:
    """`pip install rliable` in a scratch environment runs this test."""
    pytest.importorskip("rliable")
    library = pytest.importorskip("rliable.library")
    metrics = pytest.importorskip("rliable.metrics")
    scores = np.array(PROBLEMS).T  # runs × tasks
    mine = estimate(PROBLEMS, iqm)
    points, intervals = library.get_interval_estimates(
        {"a": scores}, lambda x: np.array([metrics.aggregate_iqm(x)]), reps=5000
    )
    assert mine.value == pytest.approx(points["a"][0])
    low, high = intervals["a"][:, 0]
    assert mine.low == pytest.approx(low, rel=0.1)
    assert mine.high == pytest.approx(high, rel=0.1)
    other = scores[::-1] * 1.3
    theirs = metrics.probability_of_improvement(other, scores)  # theirs: larger is better
    assert probability_of_improvement(PROBLEMS, other.T.tolist()).value == pytest.approx(theirs)
    assert "rliable" in sys.modules


def test_medians_are_along_the_last_axis() -> None:
    assert median([[1.0, 2.0, 9.0], [4.0, 5.0, 6.0]]).tolist() == [2.0, 5.0]
