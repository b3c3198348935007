"""Entrants: the runs of one method on one backend under one set of conditions, over seeds."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pdebench_lite.analysis.outcomes import Outcome, read_outcome
from pdebench_lite.analysis.statistics import FEWEST_SHARED, median
from pdebench_lite.analysis.wording import clean
from pdebench_lite.selectors import canonical, names_of, parse_selector
from pdebench_lite.store.naming import one_name
from pdebench_lite.store.records import Record, Store

_MACHINE = ("cpu", "cores", "logical_cores", "ram_mb", "os")


@dataclass(frozen=True)
class Source:
    """A results folder that takes part; the first is the user's own."""

    store: Store
    name: str = ""

    def environment(self, digest: str) -> dict[str, Any]:
        """Return a stored environment; empty if it cannot be read."""
        return self.store.environment(digest)

    def machine(self, record: Record) -> str:
        """Name the machine of a record: what tells times apart, whatever was installed there."""
        stored = self.environment(record.environment)
        if not stored:
            return f"environment {clean(record.environment) or 'unknown'}"
        parts = [clean(stored.get(name, "")) for name in _MACHINE]
        return " · ".join([*parts, clean(record.device_name)])


@dataclass(frozen=True)
class Key:
    """What makes runs one entrant; the same on every problem."""

    label: str
    backend: str
    dtype: str
    device: str
    budget: str
    machine: str
    source: str


@dataclass
class Entrant:
    """One method on one backend under one set of conditions, on one problem.

    Attributes:
        key: what its runs have in common.
        outcomes: its runs, by seed; failed ones included, unsupported ones not.
    """

    key: Key
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def records(self) -> list[Record]:
        """The records of its runs."""
        return [outcome.record for outcome in self.outcomes]

    @property
    def record(self) -> Record:
        """One of its records, for what they have in common."""
        return self.outcomes[0].record

    @property
    def classical(self) -> bool:
        """Whether it is a classical solver."""
        return self.record.family == "classical"

    @property
    def targeted(self) -> bool:
        """Whether its runs stopped on the error: it enters tables of time to an error only."""
        return self.record.budget.target_error is not None

    @property
    def seeds(self) -> list[int]:
        """Its seeds, ascending."""
        return [record.seed for record in self.records]

    @property
    def failures(self) -> int:
        """How many of its runs failed."""
        return sum(record.failed for record in self.records)

    @property
    def runs(self) -> set[tuple[str, int]]:
        """Problem and seed of each of its runs."""
        return {(record.problem_label, record.seed) for record in self.records}

    @property
    def trivial(self) -> bool:
        """Whether its median error is not below that of an answer that knows nothing."""
        known = [o.trivial for o in self.outcomes if o.trivial is not None]
        return bool(known) and bool(median([o.final for o in self.outcomes]) >= median(known))

    def shares(self, other: "Entrant") -> bool:
        """Say whether both ran enough seeds of the same problems to call one of them better."""
        return len(self.runs & other.runs) >= FEWEST_SHARED

    @cached_property
    def sees(self) -> dict[str, int | bool]:
        """All that any of its runs saw."""
        seen: dict[str, int | bool] = {}
        for record in self.records:
            for name, value in record.sees.items():
                seen[name] = True if value is True else max(int(value), int(seen.get(name, 0)))
        return seen


@dataclass(frozen=True)
class Contest:
    """All entrants of one problem.

    Attributes:
        label: canonical selector of the problem.
        metric: the error that is compared.
        entrants: who ran.
        refused: records of methods that do not support the problem.
        over: parameters of the problem that differ from run to run, as seeds do.
        left_out: who ran, but was not asked for.
    """

    label: str
    metric: str
    entrants: Sequence[Entrant]
    refused: Sequence[Record]
    over: Sequence[str] = ()
    left_out: Sequence[Entrant] = ()

    def only(self, methods: Collection[str]) -> "Contest":
        """Return the contest of some methods, named with or without their settings."""
        wanted = set(methods)
        return replace(
            self,
            entrants=[e for e in self.entrants if names_of(e.key.label) & wanted],
            refused=[r for r in self.refused if names_of(r.label) & wanted],
            left_out=[e for e in self.entrants if not names_of(e.key.label) & wanted],
        )

    @property
    def records(self) -> list[Record]:
        """Records of all who ran."""
        return [record for entrant in self.entrants for record in entrant.records]

    @property
    def problem_labels(self) -> list[str]:
        """Labels of the problems of all who ran, with every parameter that was given."""
        return list(dict.fromkeys(record.problem_label for record in self.records))

    @property
    def bound(self) -> float | None:
        """The largest bound on the reference's error among the records."""
        bounds = [r.reference_bound for r in self.records if r.reference_bound is not None]
        return max(bounds, default=None)


def contests(
    sources: Iterable[Source],
    problems: Iterable[str] = (),
    metric: str = "",
    over: Sequence[str] = (),
) -> list[Contest]:
    """Sort records into contests, one for each problem label, in the order of the records.

    Args:
        sources: results folders; a record that an earlier folder holds too is taken from there.
        problems: labels, or labels without their parameters; empty means all.
        metric: error to compare; by default the headline metric of each problem.
        over: parameters of problems whose values are taken together, as seeds are.
    """
    wanted = list(problems)
    records: dict[str, list[tuple[Source, Record]]] = {}
    taken: dict[str, list[Record]] = {}
    found = [(s, record) for s in sources for record in s.store.load().records]
    for (source, _), record in zip(found, one_name(r for _, r in found), strict=True):
        label = _without(record.problem_label, over)
        if wanted and not names_of(label) & set(wanted):
            continue
        if record not in taken.setdefault(record.cell, []):
            taken[record.cell].append(record)
            records.setdefault(label, []).append((source, record))
    return [contest(label, mine, metric, over) for label, mine in records.items()]


def _without(label: str, names: Sequence[str]) -> str:
    """Leave parameters out of the label of a problem."""
    if not names or "[" not in label:
        return label
    read = parse_selector(label)
    kept = {key: value for key, value in read.values.items() if key not in names}
    return canonical(f"{read.name}:{read.task}" if read.task else read.name, kept)


def contest(
    label: str,
    mine: Sequence[tuple[Source, Record]],
    metric: str = "",
    over: Sequence[str] = (),
) -> Contest:
    """Make the contest of one problem from its records."""
    headline = metric or next((r.ranked[0] for _, r in mine if r.ranked), "rel_l2")
    entrants: dict[Key, Entrant] = {}
    for source, record in mine:
        if record.status != "ok" and not record.failed:
            continue
        key = Key(
            record.label, record.backend, record.dtype, record.device,
            record.budget.model_dump_json(), source.machine(record), source.name,
        )  # fmt: skip
        outcome = read_outcome(source.store, record, headline)
        entrants.setdefault(key, Entrant(key)).outcomes.append(outcome)
    for entrant in entrants.values():
        entrant.outcomes.sort(key=lambda outcome: outcome.record.seed)  # stable: problems in order
    refused = [record for _, record in mine if record.status == "unsupported"]
    varied = [n for n in over if len({str(r.problem_params.get(n)) for _, r in mine}) > 1]
    return Contest(label, headline, list(entrants.values()), refused, varied)
