"""Evidence: the records of a claim's cells, and figures computed from them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

from pdebench_lite.analysis.outcomes import read_outcome
from pdebench_lite.analysis.statistics import Estimate, estimate, ratio
from pdebench_lite.store.records import Record, Store

if TYPE_CHECKING:
    import xarray as xr

Figure = Callable[[Record], float | None]
"""A figure of a record; None or a failed record count as a miss, ∞."""


def metric(name: str) -> Figure:
    """Return the figure that is a metric of the final score."""
    return lambda record: record.metrics.get(name)


@dataclass(frozen=True)
class Evidence:
    """The records of the cells of one claim.

    Attributes:
        store: the results folder that they lie in.
        records: one for each cell, failed ones included, unsupported ones not.
    """

    store: Store
    records: tuple[Record, ...]

    def of(self, **wanted: str) -> "Evidence":
        """Return the evidence whose records have these values: `method`, `label`, `backend`, ….

        A value that ends in `*` is a beginning.
        """
        chosen = (
            record
            for record in self.records
            if all(_matches(str(getattr(record, k)), v) for k, v in wanted.items())
        )
        return Evidence(self.store, tuple(chosen))

    def values(self, attribute: str) -> list[str]:
        """Return the different values of an attribute of the records, in their order."""
        return list(dict.fromkeys(str(getattr(r, attribute)) for r in self.records))

    def by_seed(self, figure: Figure) -> dict[int, float]:
        """Return a figure by seed; a failure, or a figure that is missing, is ∞."""
        found = {}
        for record in self.records:
            value = None if record.failed else figure(record)
            found[record.seed] = inf if value is None else float(value)
        return found

    def estimate(self, figure: Figure, logarithms: bool = True) -> Estimate:
        """Estimate the median of a figure over seeds."""
        return estimate([list(self.by_seed(figure).values())], logarithms=logarithms)

    def ratio(self, other: "Evidence", figure: Figure) -> Estimate:
        """Estimate the median over shared seeds of our figure over that of others."""
        ours, theirs = self.by_seed(figure), other.by_seed(figure)
        seeds = sorted(set(ours) & set(theirs))
        return ratio([[ours[s] for s in seeds]], [[theirs[s] for s in seeds]])

    def time_to(self, errors: Mapping[int, float], measure: str) -> Figure:
        """Return the figure: charged seconds until `measure` was at most `errors[seed]`."""

        def seconds(record: Record) -> float | None:
            return read_outcome(self.store, record, measure).time_to(errors[record.seed])

        return seconds

    def fields(self, record: Record) -> "xr.Dataset":
        """Return the stored fields of a record."""
        from pdebench_lite.store.records import load_fields

        return load_fields(self.store.folder(record.cell))


def exactly(value: float, n: int = 1) -> Estimate:
    """Return a figure that has no spread."""
    return Estimate(value, None, None, False, n, 0)


def _matches(value: str, wanted: str) -> bool:
    return value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted


def supported(records: Iterable[Record]) -> tuple[Record, ...]:
    """Leave out the cells that a method does not support."""
    return tuple(record for record in records if record.status != "unsupported")


def conditions(evidence: Evidence, attributes: Sequence[str]) -> list[dict[str, str]]:
    """Return the different combinations of attributes among the records, in their order."""
    found = (tuple(str(getattr(r, a)) for a in attributes) for r in evidence.records)
    return [dict(zip(attributes, values, strict=True)) for values in dict.fromkeys(found)]
