"""Fields for the viewer: solution, reference and error of some runs, on a thinned grid.

Unknowns that depend on two axes of space are shown as fields are: found, true and error.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Any

import numpy as np

from pdebench_lite.analysis.comparison import ProblemComparison
from pdebench_lite.analysis.entrants import Entrant
from pdebench_lite.analysis.wording import clean, metric_text
from pdebench_lite.report.figures.data import FOUND, OBSERVED, REFERENCE, TIME, TRUE, Entry
from pdebench_lite.report.scattered import POINT, mesh_of, on_grid
from pdebench_lite.report.web.tables import Json
from pdebench_lite.report.web.values import numbers, packed, thinned
from pdebench_lite.store.records import Record, Store

if TYPE_CHECKING:
    import xarray as xr

RUNS = 48  # on the whole page
_FEWEST = 3  # of each problem
_VALUES = 1_500_000  # of all arrays of the page together: about 8 MB as text
_MOMENTS = 64
_POINTS = {1: (256,), 2: (48, 48)}  # by the number of space axes
_LINE = 256
_DECADES = 5  # of the error's colours
_OBSERVED = 5  # times of observations that are marked


@dataclass
class Room:
    """How much the page still holds."""

    values: int = _VALUES


@dataclass(frozen=True)
class _Names:
    """How a field or an unknown is stored, and what it is set against in words."""

    name: str
    solution: str
    reference: str
    against: str = "reference"


@dataclass
class _Fields:
    """What is embedded of one field of one problem."""

    name: str
    against: str
    unit: str
    observed: list[Any]
    references: list[Json] = field(default_factory=list)
    runs: list[Json] = field(default_factory=list)
    errors: list[np.ndarray] = field(default_factory=list)
    truths: list[np.ndarray] = field(default_factory=list)

    def json(self) -> Json:
        """Return it with its scales."""
        low = min(float(np.nanmin(truth)) for truth in self.truths)
        high = max(float(np.nanmax(truth)) for truth in self.truths)
        changes = low < -0.05 * abs(high) and high > 0.05 * abs(low)
        peak = max(-low, high)
        return {
            "name": self.name, "against": self.against, "unit": self.unit,
            "observed": self.observed,
            "signed": changes, "scale": numbers([-peak, peak] if changes else [low, high]),
            "decades": _decades(self.errors),
            "references": self.references, "runs": self.runs,
        }  # fmt: skip


def fields(
    problem: ProblemComparison, store: Store, ids: Mapping[int, int], room: Room, problems: int
) -> Json:
    """Return the fields of a problem; of several seeds, the first that has fields is shown.

    Args:
        problem: the comparison.
        store: where the fields are.
        ids: `id` of an entrant -> its number on the page.
        room: what the page still holds; is used up.
        problems: how many problems share the page.

    Returns:
        The fields by name, each with its runs; and what was left out, in words.
    """
    most = max(RUNS // problems, _FEWEST)
    found: dict[str, _Fields] = {}
    left_out: list[str] = []
    shown = 0
    for entrant in _turns(problem):
        if shown >= most or room.values <= 0:
            left_out.append(f"{clean(entrant.key.label)} · {clean(entrant.key.backend)}")
            continue
        entry = next((e for e in _entries(entrant, store) if _names(e)), None)
        if entry is not None:
            added = [_add(found, entry, name, ids[id(entrant)], room) for name in _names(entry)]
            shown += any(added)
    return {"fields": [made.json() for made in found.values()], "left_out": left_out}


def _turns(problem: ProblemComparison) -> list[Entrant]:
    """Return the entrants, those of each block in turn, best first."""
    queues = [[s.entrant for s in block.standings] for block in problem.blocks]
    longest = max(map(len, queues), default=0)
    turns = [queue[i] for i in range(longest) for queue in queues if i < len(queue)]
    known = {id(entrant) for entrant in turns}
    return turns + [e for e in problem.contest.entrants if id(e) not in known]


def _entries(entrant: Entrant, store: Store) -> list[Entry]:
    return [Entry(record, store.folder(record.cell)) for record in entrant.records]


def _names(entry: Entry) -> list[_Names]:
    """Return what can be shown: over time, one or two space axes, or both; fields come first."""
    stored = () if entry.fields is None else tuple(map(str, entry.fields.data_vars))
    stems = [n.removesuffix(REFERENCE) for n in stored if n.endswith(REFERENCE)]
    fields = [_Names(n, n, n + REFERENCE) for n in stems if entry.has(n)]
    stems = [n.removesuffix(FOUND) for n in stored if n.endswith(FOUND)]
    stems = [n for n in stems if entry.has(n + TRUE) and entry[n + FOUND].ndim > 1]
    planes = [_Names(f"{n} (found)", n + FOUND, n + TRUE, "true") for n in stems]
    return [n for n in (*fields, *planes) if _can_be_shown(entry, n.solution)]


def _can_be_shown(entry: Entry, name: str) -> bool:
    values = entry[name]
    if POINT in values.dims:
        return mesh_of(entry.fields, values) is not None
    return sum(dim != TIME for dim in values.dims) in _POINTS


def _read(entry: Entry, name: str) -> "xr.DataArray":
    """Return what is shown of a field: few points, on a grid."""
    values = entry[name]
    mesh = mesh_of(entry.fields, values)
    return _thin(values if mesh is None else on_grid(values, mesh, _POINTS[2][0]))


def _add(
    found: dict[str, _Fields], entry: Entry, names: _Names, number_of: int, room: Room
) -> bool:
    """Add one field of one run; says whether it could be."""
    name = names.name
    solution, truth = _read(entry, names.solution), _read(entry, names.reference)
    meshed = POINT in entry[names.reference].dims  # then NaN is outside
    finite = np.isfinite(truth.to_numpy())
    if solution.shape != truth.shape or not (finite.any() if meshed else finite.all()):
        return False
    error = np.abs(solution.to_numpy() - truth.to_numpy())
    unit = str(truth.attrs.get("units", ""))
    new = _Fields(clean(name), names.against, clean(unit), _observed(entry, name))
    into = found.setdefault(name, new)
    reference = {"axes": [_axis(truth, str(dim)) for dim in truth.dims], "values": packed(truth)}
    if reference not in into.references:
        into.references.append(reference)
        into.truths.append(truth.to_numpy())
        room.values -= truth.size
    into.runs.append(
        {
            "id": number_of,
            "cell": entry.record.cell,
            "seed": entry.record.seed,
            "score": _score(entry.record),
            "reference": into.references.index(reference),
            "solution": packed(solution),
            "error": packed(error),
            "stored": list(entry[names.solution].sizes.values())
            if meshed
            else [entry[names.solution].sizes[dim] for dim in solution.dims],
            "kept": list(solution.sizes.values()),
            "unknowns": _unknowns(entry),
        }
    )
    into.errors.append(error)
    room.values -= 2 * solution.size
    return True


def _thin(values: "xr.DataArray") -> "xr.DataArray":
    """Return every k-th point of a field, time first."""
    space = [str(dim) for dim in values.dims if dim != TIME]
    most = dict(zip(space, _POINTS[len(space)], strict=True)) | {TIME: _MOMENTS}
    kept = {d: thinned(values.sizes[d], most[str(d)]) for d in values.dims}
    return values.isel(kept).transpose(..., *space)


def _axis(values: "xr.DataArray", dim: str) -> Json:
    along = values[dim]
    return {
        "name": clean(dim),
        "unit": clean(along.attrs.get("units", "")),
        "values": numbers(np.asarray(along, float), 6),
    }


def _score(record: Record) -> str:
    if not record.ranked:
        return ""
    return f"{clean(record.ranked[0])} {metric_text(record, record.ranked[0])}"


def _observed(entry: Entry, name: str) -> list[Any]:
    times = f"{name}{OBSERVED}_{TIME}"
    return numbers(np.unique(entry[times])) if entry.has(times) else []


def _unknowns(entry: Entry) -> list[Json]:
    """Return the unknowns over one axis, as found and as they are."""
    stored = () if entry.fields is None else map(str, entry.fields.data_vars)
    made = []
    for stem in (name.removesuffix(FOUND) for name in stored if name.endswith(FOUND)):
        if not entry.has(stem + TRUE) or entry[stem + FOUND].ndim != 1:
            continue
        found, true = entry[stem + FOUND], entry[stem + TRUE]
        if found.dims != true.dims or found.sizes != true.sizes:
            continue
        kept = thinned(found.size, _LINE)
        found, true = found[kept], true[kept]
        axis = _axis(found, str(found.dims[0]))
        made.append(
            {
                "name": clean(stem), "unit": clean(true.attrs.get("units", "")),
                "axis": axis,
                "found": numbers(found.to_numpy()), "true": numbers(true.to_numpy()),
            }
        )  # fmt: skip
    return made


def _decades(errors: Sequence[np.ndarray]) -> list[int]:
    """Return the powers of ten that the colours of all errors span."""
    peak = max((float(np.nanmax(e)) for e in errors), default=0.0) or 1.0
    typical = [float(np.nanpercentile(e, 5)) for e in errors]
    least = max(min((t for t in typical if t > 0), default=0.0), peak / 10**_DECADES)
    return [floor(log10(min(least, peak / 10))), ceil(log10(peak))]
