"""Statistics over seeds and problems: medians, interquartile means, bootstrap intervals.

A miss is ∞ and stays: it is never dropped and never replaced by a penalty that someone chose.
Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice",
arXiv:2108.13264: interquartile mean, stratified bootstrap, probability of improvement.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import ceil, exp, inf, lcm, log, log2, sqrt
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 1999
FEWEST_PER_PROBLEM = 3
FEWEST_SHARED = 3  # seeds that two need to share before one is called better
_SEED = 20210830
_COMMON = 840  # largest size that samples of different sizes are repeated to
_AT_ONCE = 1 << 23  # values of resamples in memory

Strata: TypeAlias = Sequence[Sequence[float]]
"""For each problem, one value per seed."""

Statistic: TypeAlias = Callable[..., Any]


@dataclass(frozen=True)
class Estimate:
    """A statistic of a sample.

    Attributes:
        value: the statistic; ∞ if misses decide it.
        low, high: bootstrap interval of 95%, or smallest and largest value where there are too few
            seeds for an interval; None where neither has a meaning.
        interval: whether `low` and `high` are an interval.
        n: number of values, misses included.
        misses: how many of them are ∞.
    """

    value: float
    low: float | None
    high: float | None
    interval: bool
    n: int
    misses: int


def seeds_needed(confidence: float = CONFIDENCE) -> int:
    """Return the fewest seeds that allow an interval.

    The bootstrap never leaves the range of the sample, and even the whole range of n values covers
    the median with probability 1 − 2^(1−n) only (David & Nagaraja 2003, Order Statistics, §7.1).
    """
    return ceil(1 - log2(1 - confidence))


def enough(strata: Strata) -> bool:
    """Say whether there are enough seeds for an interval.

    One problem needs `seeds_needed()` seeds. Several problems together need as many runs, and
    three on each: with two the bootstrap sees half of the variance.
    """
    sizes = [len(values) for values in strata]
    few = FEWEST_PER_PROBLEM if len(sizes) > 1 else 1
    return sum(sizes) >= seeds_needed() and min(sizes, default=0) >= few


def median(values: Any, axis: int = -1) -> Any:
    """Return the median along an axis; 0 between −∞ and ∞, which are equally far from it."""
    with np.errstate(invalid="ignore"):
        middle = np.median(values, axis=axis)
    return np.where(np.isnan(middle), 0.0, middle)[()]


def iqm(values: Any, axis: int = -1) -> Any:
    """Return the interquartile mean along an axis: the mean of the middle half."""
    from scipy.stats import trim_mean

    return trim_mean(values, 0.25, axis=axis)


def estimate(strata: Strata, statistic: Statistic = median, logarithms: bool = False) -> Estimate:
    """Estimate a statistic of all values together, each problem of the same weight.

    Args:
        strata: for each problem, one value per seed; misses are ∞.
        statistic: `statistic(values, axis)`.
        logarithms: whether it is the statistic of the logarithms that is wanted, as a value: the
            mean of errors over decades is the largest error, that of their logarithms is not.

    Returns:
        The statistic with its percentile-bootstrap interval; within each problem, seeds are drawn
        with replacement.
    """
    if not logarithms:
        return _estimate(strata, statistic)
    tiny = float(np.finfo(float).tiny)
    logs = [[log(max(v, tiny)) for v in values] for values in strata]
    return _exponential(_estimate(logs, statistic))


def mean(values: Any, axis: int = -1) -> Any:
    """Return the mean along an axis."""
    return np.mean(values, axis=axis)


def rms(values: Any, axis: int = -1) -> Any:
    """Return the root of the mean square along an axis."""
    return np.sqrt(np.mean(np.square(values), axis=axis))


def share(values: Sequence[float]) -> Estimate:
    """Estimate the probability of a 1 among values that are 0 or 1.

    The interval is the score interval of Wilson 1927, J. Am. Stat. Assoc. 22(158), 209–212, eq. 4:
    a bootstrap of ones alone would return a point.

    Args:
        values: one per seed; a miss is ∞, and no 1.
    """
    n, misses = len(values), sum(value == inf for value in values)
    if not n:
        return Estimate(inf, None, None, False, 0, 0)
    p, z = sum(value == 1.0 for value in values) / n, NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
    middle = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Estimate(p, max(0.0, middle - half), min(1.0, middle + half), True, n, misses)


def ratio(first: Strata, second: Strata) -> Estimate:
    """Estimate the median of the ratio of paired values, first over second.

    Args:
        first: for each problem one value per seed, positive or ∞.
        second: the same problems and seeds, in the same order. Two misses are a tie.
    """
    logs = [
        [_log_ratio(a, b) for a, b in zip(ours, theirs, strict=True)]
        for ours, theirs in zip(first, second, strict=True)
    ]
    return _exponential(_estimate(logs, median))


def _log_ratio(a: float, b: float) -> float:
    if a == b:
        return 0.0
    return inf if a == inf else -inf if b == inf else log(a) - log(b)


def _estimate(strata: Strata, statistic: Statistic) -> Estimate:
    samples = [np.asarray(values, float) for values in strata]
    pooled = np.concatenate(samples) if samples else np.empty(0)
    if not pooled.size:
        return Estimate(inf, None, None, False, 0, 0)

    def together(*parts: Any, axis: int = -1) -> Any:
        return statistic(_balanced(parts, axis), axis=axis)

    value, misses = float(together(*samples)), int(np.sum(pooled == inf))
    low, high, interval = None, None, enough(strata)
    if interval:
        low, high = _interval(samples, together)
    elif len(samples) == 1 and pooled.size > 1:
        low, high = float(pooled.min()), float(pooled.max())
    return Estimate(value, low, high, interval, pooled.size, misses)


def _balanced(samples: Sequence[Any], axis: int) -> Any:
    """Put samples together, each repeated until all are of one size: three seeds outvote no one.

    Sizes that have no small common multiple are made equal but for one repetition more or less.
    """
    sizes = [np.shape(values)[axis] for values in samples]
    size = _common(sizes)
    repeated = [
        np.take(values, np.arange(size if n else 0) * n // size, axis=axis)
        for values, n in zip(samples, sizes, strict=True)
    ]
    return np.concatenate(repeated, axis=axis)


def _common(sizes: Sequence[int]) -> int:
    return max(min(lcm(*filter(None, sizes)), _COMMON), *sizes)


def _exponential(of: Estimate) -> Estimate:
    value, low, high = (None if v is None else _exp(v) for v in (of.value, of.low, of.high))
    assert value is not None
    return replace(of, value=value, low=low, high=high)


def _exp(value: float) -> float:
    return inf if value == inf else exp(value)


def probability_of_improvement(first: Strata, second: Strata) -> Estimate:
    """Estimate the probability that a run of the first has a smaller value than one of the second.

    The mean over problems of the Mann–Whitney statistic U/(mn); ties count one half.

    Args:
        first: for each problem the values of its seeds.
        second: the same; the seeds may differ in number.
    """
    ours = [np.asarray(values, float) for values in first]
    theirs = [np.asarray(values, float) for values in second]
    many = len(ours)

    def chance(*samples: Any, axis: int = -1) -> Any:
        pairs = zip(samples[:many], samples[many:], strict=True)
        return np.mean([_smaller(np.asarray(a), np.asarray(b)) for a, b in pairs], axis=0)

    n = sum(map(len, ours)) + sum(map(len, theirs))
    value = float(chance(*ours, *theirs))
    if enough(first) and enough(second):
        return Estimate(value, *_interval([*ours, *theirs], chance), True, n, 0)
    return Estimate(value, None, None, False, n, 0)


def _smaller(a: np.ndarray, b: np.ndarray) -> Any:
    """Return P(a < b) + ½ P(a = b) over the last axes of a and b."""
    a, b = a[..., :, None], b[..., None, :]
    return np.mean((a < b) + 0.5 * (a == b), axis=(-2, -1))


def _interval(samples: Sequence[np.ndarray], statistic: Statistic) -> tuple[float, float]:
    """Return the percentile-bootstrap interval; where a resample is ∞, percentiles are resamples.

    Nothing can be interpolated between a number and ∞, so the next one outside is taken.
    """
    from scipy.stats import bootstrap

    largest = len(samples) * _common([len(values) for values in samples])
    with np.errstate(invalid="ignore"):  # SciPy interpolates, and subtracts ∞ from ∞
        resamples = bootstrap(
            tuple(samples), statistic, n_resamples=RESAMPLES, confidence_level=CONFIDENCE,
            method="percentile", vectorized=True, rng=np.random.default_rng(_SEED),
            batch=max(1, _AT_ONCE // largest),
        ).bootstrap_distribution  # fmt: skip
    tail = (1 - CONFIDENCE) / 2
    known = bool(np.isfinite(resamples).all())
    low = np.quantile(resamples, tail, method="linear" if known else "lower")
    high = np.quantile(resamples, 1 - tail, method="linear" if known else "higher")
    return float(low), float(high)
