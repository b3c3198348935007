"""Courses: errors at equal times, and time and memory at equal errors, from the histories."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from math import inf, isfinite
from typing import TypeAlias

from pdebench_lite.analysis.classical import Curve, curves
from pdebench_lite.analysis.entrants import Contest, Entrant, Key
from pdebench_lite.analysis.outcomes import Outcome

Values: TypeAlias = list[float]
TIMES = tuple(float(f"{m}e{k}") for k in range(-3, 6) for m in (1, 3))
_COLUMNS = 5
_FIRST_ERRORS = (1e-1, 1e-2)


@dataclass(frozen=True)
class Course:
    """One entrant, or the work–precision curve of a classical solver, over time.

    Every method returns one value per run, or None where it is not known.

    Attributes:
        key: who; for a curve, the label says so.
        entrants: the entrant, or the configurations of the curve.
        curve: the curve, if it is one. At each error it is its cheapest configuration, at each
            time its best; a configuration counts when it has ended, for half a march is no answer.
    """

    key: Key
    entrants: Sequence[Entrant]
    curve: Curve | None = None

    @property
    def targeted(self) -> bool:
        """Whether its runs stopped on the error: it has times to an error only."""
        return self.entrants[0].targeted

    def final(self) -> Values | None:
        """Return the final errors."""
        if self.curve is not None:
            return self._chosen(self.curve.best_within(inf), "final")
        return None if self.targeted else [o.final for o in self.entrants[0].outcomes]

    def at(self, seconds: float) -> Values | None:
        """Return the errors at a time; None where the budget of a run had ended before."""
        if self.curve is not None:
            return self._chosen(self.curve.best_within(seconds), "final")
        return None if self.targeted else self._values(lambda o: o.at(seconds))

    def to(self, error: float) -> Values | None:
        """Return the charged seconds until an error was reached."""
        if self.curve is not None:
            return self._chosen(self.curve.cheapest(error), "time")
        return self._values(lambda o: o.time_to(error))

    def memory(self, error: float) -> Values | None:
        """Return the peak memory, 10⁶ bytes, until an error was reached."""
        if self.curve is not None:
            return self._chosen(self.curve.cheapest(error), "memory_used")
        return self._values(lambda o: o.memory_to(error))

    def _values(self, value: Callable[[Outcome], float | None]) -> Values | None:
        values = [value(outcome) for outcome in self.entrants[0].outcomes]
        known = [v for v in values if v is not None]
        return known if len(known) == len(values) else None

    def _chosen(self, entrant: Entrant | None, name: str) -> Values:
        if entrant is None:
            return [inf] * len(self.entrants[0].outcomes)
        return [getattr(outcome, name) for outcome in entrant.outcomes]


def courses(entrants: Sequence[Entrant]) -> list[Course]:
    """Return the courses of entrants; configurations of a classical solver become one curve."""
    single = [e for e in entrants if e.targeted or not e.classical]
    made = [Course(entrant.key, [entrant]) for entrant in single]
    for curve in curves(entrants):
        first, count = curve.entrants[0], len(curve.entrants)
        label = f"{curve.method} (curve of {count})" if count > 1 else first.key.label
        made.append(Course(replace(first.key, label=label), curve.entrants, curve))
    return made


def usual_times(contests: Sequence[Contest]) -> list[float]:
    """Return the times to compare at: 1, 3, 10, … s, the last five that the longest run saw."""
    spans = [r.budget.max_time or r.charged_s or 0.0 for c in contests for r in c.records]
    longest = max(spans, default=0.0)
    seen = list(takewhile(lambda t: t <= longest, TIMES)) or [TIMES[0]]
    return seen[-_COLUMNS:]


def usual_errors(contests: Sequence[Contest]) -> list[float]:
    """Return the errors to compare at: powers of ten, and the targets of runs.

    The powers end one decade below what a learned method reached; where there is none, at what
    was reached. These last five are taken, and the first two. None is at or below a bound of the
    reference, because nothing can be told apart there.
    """
    everyone = [entrant for contest in contests for entrant in contest.entrants]
    learned = [entrant for entrant in everyone if not entrant.classical]
    reached = [
        float(outcome.errors.min()) / (10.0 if learned else 1.0)
        for entrant in learned or everyone
        for outcome in entrant.outcomes
        if outcome.errors.size
    ]
    targets = [r.budget.target_error for c in contests for r in c.records]
    bound = max((c.bound or 0.0 for c in contests), default=0.0)
    deepest = min((v for v in reached if isfinite(v) and v > 0), default=inf)
    powers = [float(f"1e-{k}") for k in range(1, 17)]
    wanted = {*[e for e in powers if e >= deepest][-_COLUMNS:], *_FIRST_ERRORS}
    wanted |= {t for t in targets if t is not None}
    return sorted((e for e in wanted if e > bound), reverse=True)
