"""Claim: what is said, how it is tried, and the rule by which records decide it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from pdebench_claims.evidence import Evidence
    from pdebench_lite.analysis.statistics import Estimate

Holds: TypeAlias = Literal["yes", "no", "open"]


@dataclass(frozen=True)
class Experiment:
    """Cells that a claim is tried on: every method on every problem with every seed.

    Attributes:
        problem, methods: comma-separated selectors.
        backend: comma-separated names; `all` is every installed one.
        seeds: number of seeds.
        max_time: charged seconds a cell; None for no limit.
        max_steps: steps a cell; None for no limit.
    """

    problem: str
    methods: str
    backend: str = "all"
    seeds: int = 1
    max_time: float | None = None
    max_steps: int | None = None

    @property
    def command(self) -> str:
        """What runs the same cells from the command line."""
        words = [f'pdebench run --problem "{self.problem}" --methods "{self.methods}"']
        words += [f"--backend {self.backend}"] if self.backend != "all" else []
        words += [f"--seeds {self.seeds}"] if self.seeds > 1 else []
        words += [f"--max-time {self.max_time:g}s"] if self.max_time else []
        words += [f"--max-steps {self.max_steps}"] if self.max_steps else []
        return " ".join(words)


@dataclass(frozen=True)
class Part:
    """One figure of a claim, under one condition.

    Attributes:
        condition: what it holds for, such as a problem and a backend.
        figure: the measured figure with its interval over seeds.
        bound: what the rule compares it with.
        above: whether the claim asks for a figure above the bound, or at most as large.
        exact: whether the figure decides as it is: a count, a fixed computation, or one that is
            taken from all seeds together, such as the largest.
    """

    condition: str
    figure: "Estimate"
    bound: float
    above: bool = True
    exact: bool = False

    @property
    def holds(self) -> Holds:
        """Whether the whole interval is on the side that the claim asks for.

        Open where the interval holds the bound, or where there are too few seeds for one.
        """
        e = self.figure
        if not e.n or e.value != e.value:
            return "open"
        if self.exact:
            low = high = e.value
        elif e.interval and e.low is not None and e.high is not None:
            low, high = e.low, e.high
        else:
            return "open"
        if self.above:
            return "yes" if low > self.bound else "no" if high <= self.bound else "open"
        return "yes" if high <= self.bound else "no" if low > self.bound else "open"


@dataclass(frozen=True)
class Claim:
    """A claim, as it is tried here.

    Attributes:
        name: a short name, which also names its figure.
        says: the claim, in one sentence.
        source: who says it.
        experiments: the cells that it is tried on.
        measure: what the figure is, one line with its unit.
        rule: what decides, in words: what each part's figure has to be.
        judge: evidence -> the parts.
    """

    name: str
    says: str
    source: str
    experiments: tuple[Experiment, ...]
    measure: str
    rule: str
    judge: "Callable[[Evidence], Sequence[Part]]"


def verdict(parts: Sequence[Part]) -> str:
    """Say whether a claim is supported: by all parts, by none, or what it depends on."""
    of: dict[Holds, list[str]] = {"yes": [], "no": [], "open": []}
    for part in parts:
        of[part.holds].append(part.condition)
    if not parts or len(of["open"]) == len(parts):
        return "undecided"
    if len(of["yes"]) == len(parts):
        return "supported"
    if len(of["no"]) == len(parts):
        return "not supported"
    words = {"yes": "Supported", "no": "Not supported", "open": "Undecided"}
    said = [f"{words[kind]}: {'; '.join(names)}." for kind, names in of.items() if names]
    return f"depends on the condition. {' '.join(said)}"


def shown(value: float | None) -> str:
    """Write a figure with three digits."""
    if value is None:
        return "–"
    return f"{value:.3g}" if isfinite(value) else ("∞" if value > 0 else "−∞")
