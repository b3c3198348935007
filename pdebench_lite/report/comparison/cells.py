"""How the numbers of a comparison are written in the cells of its tables."""

from collections.abc import Callable, Sequence
from math import isinf

from pdebench_lite.analysis.statistics import Estimate, estimate, seeds_needed
from pdebench_lite.analysis.wording import AT_BOUND, MISSING, amount, error_text

MISS = "∞"
_SMALL = 0.1  # below it two decimals are too few: a classical solver takes milliseconds
_UNBROKEN = "\N{NO-BREAK SPACE}"  # the interval comes after the first space
_AT_BOUND = AT_BOUND.replace(" ", _UNBROKEN)


def error_cell(of: Estimate | None, bound: float | None = None) -> str:
    """Write an error with its interval: `1.8e-02 [1.2e-02, 2.5e-02]`.

    The smallest and largest value stand in round brackets where there are too few seeds.
    """

    def word(value: float) -> str:
        if isinf(value):
            return MISS
        return _AT_BOUND if bound and value <= bound else error_text(value)

    return _cell(of, word)


def amount_cell(of: Estimate | None, bare: bool = False) -> str:
    """Write seconds or megabytes with their interval; `bare` leaves the interval out."""

    def word(value: float) -> str:
        if isinf(value):
            return MISS
        return f"{value:.2g}" if 0 < value < _SMALL else amount(value)

    return _cell(of, word, bare)


def ratio_cell(of: Estimate) -> str:
    """Write a ratio of errors with its interval."""

    def word(value: float) -> str:
        small = value != 0 and not 0.01 <= value < 1000
        return MISS if isinf(value) else f"{value:.1e}" if small else f"{value:.2g}"

    return _cell(of, word)


def probability_cell(of: Estimate | None) -> str:
    """Write a probability with its interval."""
    return MISSING if of is None else _cell(of, lambda value: f"{value:.2f}")


def share_cell(of: Estimate | None) -> str:
    """Write a share of runs with its interval: `9 of 10 [0.60, 0.98]`."""
    if of is None or of.low is None or of.high is None:
        return MISSING
    count = f"{round(of.value * of.n)} of {of.n}".replace(" ", _UNBROKEN)
    return f"{count} [{of.low:.2f}, {of.high:.2f}]"


def values_cell(values: Sequence[float] | None, bare: bool = False) -> str:
    """Write the median of amounts, one per run."""
    return amount_cell(None if values is None else estimate([values]), bare)


def _cell(of: Estimate | None, word: Callable[[float], str], bare: bool = False) -> str:
    if of is None:
        return MISSING
    if bare or of.low is None or of.high is None or of.low == of.high:
        return word(of.value)
    ends = word(of.low), word(of.high)
    if ends[0] == ends[1]:
        return word(of.value)
    inner = f"[{ends[0]}, {ends[1]}]" if of.interval else f"({ends[0]} to {ends[1]})"
    return f"{word(of.value)} {inner}"


def level_text(error: float) -> str:
    """Write an error that is to be reached: `1e-3`, `2.5e-3`."""
    digits, _, power = f"{error:.2e}".partition("e")
    return f"{float(digits):g}e{int(power)}"


def seeds_cell(n: int, failures: int) -> str:
    """Write how many seeds ran, how many failed, and whether they are too few."""
    words = str(n)
    if failures:
        words += f", {failures} failed"
    return words if n >= seeds_needed() else f"{words}, too few"
