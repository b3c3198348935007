"""After how many solves a method that was trained on a family pays off.

Training costs once: data, compilation and optimisation, as charged. Every instance then costs the
method its answer, and a classical solver its march. The classical solver is the cheapest record of
a configuration with no larger error: racing a network against the fine solver that made its data
would be unfair (McGreivy & Hakim 2024, arXiv:2407.07218).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import inf

from pdebench_lite.store.records import Record

SECONDS = "instance_s"


@dataclass(frozen=True)
class Payoff:
    """One trained record beside the classical solver of equal error.

    Attributes:
        record: the trained record.
        error: its headline metric.
        once: seconds that were charged for data, compilation and training.
        each: seconds for each instance.
        classical: the cheapest untrained record with no larger error; None if there is none.
    """

    record: Record
    error: float
    once: float
    each: float
    classical: Record | None

    @property
    def classical_each(self) -> float | None:
        """Seconds for each instance of the classical solver."""
        return None if self.classical is None else self.classical.metrics[SECONDS]

    @property
    def solves(self) -> float | None:
        """Instances after which the whole cost is lower; inf: never, None: nothing to compare."""
        other = self.classical_each
        if other is None:
            return None
        return self.once / (other - self.each) if other > self.each else inf


def payoffs(records: Iterable[Record], machine: Callable[[Record], str]) -> list[Payoff]:
    """Return the trained records on families, each beside what solves as well without training.

    Untrained is a record of which no parameter was trained. Records of another problem, machine,
    device or number of threads are never set beside each other.

    Args:
        records: finished cells.
        machine: names the machine that a record was measured on.
    """
    timed = [r for r in records if r.status == "ok" and r.metrics.get(SECONDS) is not None]
    untrained = [record for record in timed if not record.params]
    found = []
    for record in timed:
        error, once = record.metrics[record.ranked[0]], record.charged_s
        each = record.metrics[SECONDS]
        if not record.params or error is None or once is None or each is None:
            continue
        rivals = [r for r in untrained if _alike(r, record, machine) and _no_worse(r, error)]
        best = min(rivals, key=lambda r: r.metrics[SECONDS] or inf, default=None)
        found.append(Payoff(record, error, once, each, best))
    return found


def _alike(one: Record, other: Record, machine: Callable[[Record], str]) -> bool:
    names = ("problem_label", "device", "threads")
    same = all(getattr(one, name) == getattr(other, name) for name in names)
    return same and machine(one) == machine(other)


def _no_worse(record: Record, error: float) -> bool:
    own = record.metrics[record.ranked[0]]
    return own is not None and own <= error
