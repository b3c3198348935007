"""What figures are drawn from: records with their fields and histories, read once."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pdebench_lite.analysis.entrants import Contest, Source, contest
from pdebench_lite.analysis.wording import budget_text, clean
from pdebench_lite.store.records import (
    FIELDS,
    HISTORY,
    Record,
    Store,
    load_fields,
    load_history,
    tell_unreadable,
)

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr
    from matplotlib.figure import Figure

    from pdebench_lite.report.figures.style import Looks

REFERENCE, FOUND, TRUE, OBSERVED = "_reference", "_found", "_true", "_observed"
T = TypeVar("T")
TIME = "t"  # the axis that maps show across and slices cut


@dataclass(frozen=True)
class Entry:
    """One record and the folder that holds its arrays."""

    record: Record
    folder: Path

    @cached_property
    def fields(self) -> "xr.Dataset | None":
        """Stored fields; None if there are none or they cannot be read."""
        return _readable(self.folder, FIELDS, load_fields)

    @cached_property
    def history(self) -> "pd.DataFrame | None":
        """History; None if there is none or it cannot be read."""
        return _readable(self.folder, HISTORY, load_history)

    def has(self, name: str) -> bool:
        """Say whether an array of that name is stored."""
        return self.fields is not None and name in self.fields

    def __getitem__(self, name: str) -> "xr.DataArray":
        """Return a stored array that is there."""
        assert self.fields is not None, "ask `has` first"
        return self.fields[name]

    def curve(self, metric: str) -> tuple[np.ndarray, np.ndarray]:
        """Return charged seconds and a metric where both are positive; arrays of equal length."""
        table = self.history
        if table is None or metric not in table or "charged_s" not in table:
            return np.empty(0), np.empty(0)
        t = table["charged_s"].to_numpy(float, na_value=np.nan)
        error = table[metric].to_numpy(float, na_value=np.nan)
        use = (t > 0) & (error > 0) & np.isfinite(error)
        return t[use], error[use]


def _readable(folder: Path, name: str, load: Callable[[Path], T]) -> T | None:
    if not (folder / name).is_file():
        return None
    try:
        return load(folder)
    except (OSError, ValueError) as error:
        tell_unreadable(folder / name, error)
        return None


@dataclass(frozen=True)
class Drawn:
    """A figure that was drawn, and how its files are named: `{label}-{name}{suffix}`.

    Attributes:
        figure: of matplotlib.
        suffix: what tells several figures of a problem apart, such as `-u`.
        label: what it is of; by default the group's label.
        name: by default that of the figure.
    """

    figure: "Figure"
    suffix: str = ""
    label: str = ""
    name: str = ""


def _unlabelled(label: str) -> Contest:
    return Contest(label, "rel_l2", [], [])


@dataclass(frozen=True)
class Group:
    """What a figure is drawn from: all records of one problem label, or of all problems.

    Attributes:
        label: of the problem; "all" for all of them.
        entries: the records, with their fields and histories.
        looks: colours, markers and lines of the methods; the page that is drawn for.
        say: hears, in one line, why something could not be drawn.
        options: of the figure.
        store: the results folder.
        race: makes the comparison of the problem's methods, once.
        parts: the problems one by one, where the group is of all of them.
    """

    label: str
    entries: list[Entry]
    looks: "Looks" = field(default=None, repr=False)  # type: ignore[assignment]
    say: Callable[[str], None] = lambda line: None
    options: Any = None
    store: Store | None = None
    race: Callable[[], Contest] = field(default=lambda: _unlabelled(""), repr=False)
    parts: "list[Group]" = field(default_factory=list)

    def figure(self, height: float = 2.7, wide: bool = False) -> "Figure":
        """Make an empty figure of the page's width, or of its column's, in inches."""
        from pdebench_lite.report.figures import style

        return style.figure(self.looks.page.full if wide else self.looks.page.column, height)

    def axis(self, name: str) -> str:
        """Return the label of an axis that shows a quantity or a metric: words and unit."""
        from pdebench_lite.report.figures import style
        from pdebench_lite.report.quantities import described

        return style.axis_of(described(name))

    def with_(self, **values: Any) -> "Group":
        """Return it with some of its attributes set; arrays that were read are shared."""
        return replace(self, **values)

    def without_arrays(self) -> "Group":
        """Return it as it was before its arrays were read, so that they leave the memory."""
        return replace(self, entries=[Entry(e.record, e.folder) for e in self.entries])

    @property
    def records(self) -> list[Record]:
        """The records, in order."""
        return [entry.record for entry in self.entries]

    def cases(self) -> list[list[Entry]]:
        """Return the entries of each method × backend (× precision, device, budget), by seed."""
        cases: dict[tuple[str, ...], list[Entry]] = {}
        for entry in self.entries:
            r = entry.record
            key = (r.label, r.backend, r.dtype, r.device, r.budget.model_dump_json())
            cases.setdefault(key, []).append(entry)
        return [sorted(case, key=lambda e: e.record.seed) for case in cases.values()]

    def ranked(self) -> list[str]:
        """Return the ranked metrics, headline first."""
        return list(dict.fromkeys(m for record in self.records for m in record.ranked))

    def field_names(self) -> list[str]:
        """Return the fields that have a reference."""
        return self._stems(REFERENCE, "")

    def unknown_names(self) -> list[str]:
        """Return the unknowns of which the found and the true one are stored."""
        return self._stems(FOUND, TRUE)

    def _stems(self, ending: str, partner: str) -> list[str]:
        """Return the names that are stored with one ending and with another."""
        names = (
            (entry, str(name).removesuffix(ending))
            for entry in self.entries
            for name in (entry.fields.data_vars if entry.fields is not None else ())
            if str(name).endswith(ending)
        )
        return list(dict.fromkeys(stem for entry, stem in names if entry.has(stem + partner)))


def groups(store: Store, records: Iterable[Record]) -> Iterator[Group]:
    """Yield the records of each problem label, in order."""
    found: dict[str, list[Entry]] = {}
    for record in records:
        entry = Entry(record, store.folder(record.cell))
        found.setdefault(record.problem_label, []).append(entry)
    for label, entries in found.items():
        of = [(Source(store), entry.record) for entry in entries]
        yield Group(label, entries, store=store, race=cache(partial(contest, label, of)))


def case_names(cases: list[list[Entry]]) -> list[str]:
    """Name each case `method · backend`, and what else sets it apart from another of that name."""

    def name(entry: Entry, more: int) -> str:
        r = entry.record
        parts = [r.label, r.backend, budget_text(r.budget), r.dtype, r.device]
        return " · ".join(clean(part) for part in parts[: 2 + more])

    names = []
    for case in cases:
        same = [c for c in cases if name(c[0], 0) == name(case[0], 0)]
        more = next((m for m in range(4) if len({name(c[0], m) for c in same}) == len(same)), 3)
        names.append(name(case[0], more))
    return names
