"""Quantity: what a record holds, or what follows from it, described once for every report."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from pdebench_lite.store.records import Record

Written: TypeAlias = Literal["error", "amount", "count", "share", "word", "text", "json"]
OverSeeds: TypeAlias = Literal["median", "mean", "rms", "share", ""]
Place: TypeAlias = Literal["records", "verbose", "seeds", "final", "page"]


@dataclass(frozen=True)
class Quantity:
    """One thing that is known of a run: tables, axes, files and pages are written from this.

    Attributes:
        name: its key in csv and json, such as `charged_s`.
        label: plain words, for axes and titles: "Charged time".
        meaning: one sentence, without its full stop.
        read: record -> value; None where it is not known. By default the record's field of that
            name.
        head: short words over a column; by default the name.
        unit: physical unit; empty without one.
        written: `error` (two digits), `amount` (three digits), `count` (a whole number), `share`
            (percent), `word`, `text` (may be long) or `json`.
        write: record -> text, where `written` does not say it all; "–" or nothing if not known.
        least: tables leave out values below it.
        over_seeds: what sums it up over seeds: `median`, `mean`, `rms`, `share`, or nothing.
        smaller_is_better: None where neither is better.
        machine: whether it is a time or an amount of memory, which no two runs share.
        section: the part of `pdebench show` that has it.
        tables: who shows it unasked: the table of records, that table with -v, the one over seeds,
            the comparison's final errors, the web page. csv, json and `show` always have it.
        when: `always`; `known`: where any row has a value; `varies`: where the rows do not all have
            the same, else the caption says it; `several`: the same, and the caption says nothing.
        facet: whether rows of the web page can be chosen by its values.
    """

    name: str
    label: str
    meaning: str = ""
    read: "Callable[[Record], Any] | None" = None
    head: str = ""
    unit: str = ""
    written: Written = "amount"
    write: "Callable[[Record], str] | None" = None
    least: float | None = None
    over_seeds: OverSeeds = "median"
    smaller_is_better: bool | None = None
    machine: bool = False
    section: str = "further quantities"
    tables: tuple[Place, ...] = ("records", "verbose", "seeds", "final", "page")
    when: Literal["always", "known", "varies", "several"] = "known"
    facet: bool = False

    def __post_init__(self) -> None:
        """Let the name stand over columns where nothing else is given."""
        if not self.head:
            object.__setattr__(self, "head", self.name)

    def value(self, record: "Record") -> Any:
        """Return its value for a record; None if that is not known."""
        return getattr(record, self.name, None) if self.read is None else self.read(record)

    @property
    def numeric(self) -> bool:
        """Whether its values are numbers."""
        return self.written in ("error", "amount", "count", "share")
