"""Figure `maps`: the reference, and per method its solution and error; found unknowns beside.

Unknowns that depend on two axes, such as a motion in the plane, have maps of their own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from textwrap import fill
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pdebench_lite.analysis.wording import metric_text
from pdebench_lite.report.figures import style
from pdebench_lite.report.figures.data import (
    FOUND,
    OBSERVED,
    REFERENCE,
    TIME,
    TRUE,
    Drawn,
    Entry,
    Group,
    case_names,
)
from pdebench_lite.report.figures.style import FAINT, Looks, axis_label, printable
from pdebench_lite.report.scattered import POINT, Mesh, mesh_of

_MAP = 1.6  # inches that a map needs
_DECADES = 5.0  # of the error's colour scale
_TITLE = 19  # letters that fit above a map in the usual size
_LETTERS = 15  # that fit into an inch of a map


@dataclass(frozen=True)
class _Shown:
    """What is mapped: a field, or an unknown.

    Attributes:
        name: as on the axes.
        solution, truth: the stored arrays.
        of: what the second is called.
        what: words of the title.
    """

    name: str
    solution: str
    truth: str
    of: str
    what: str


@dataclass(frozen=True)
class _Maps:
    """One case: its solution and |error| as planes, second axis across; None if it has none."""

    name: str
    entry: Entry
    solution: xr.DataArray | None
    error: xr.DataArray | None


def draw(group: Group) -> Iterator[Drawn]:
    """Yield a figure per field and unknown; of several seeds, the first that has them is shown."""
    looks, say = group.looks, group.say
    fields = group.field_names()
    if not fields:
        say(f"{group.label}: no maps, because no record has fields")
    for name in fields:
        suffix = "" if len(fields) == 1 else f"-{style.slug(name)}"
        shown = _Shown(name, name, name + REFERENCE, "reference", printable(name))
        for figure in _drawn(group, looks, say, shown):
            yield Drawn(figure, suffix)
    for name in group.unknown_names():
        found = name + FOUND
        if not any(entry.has(found) and entry[found].ndim > 1 for entry in group.entries):
            continue  # a number is in the tables, a line in the maps of the field
        shown = _Shown(name, found, name + TRUE, "true", f"{printable(name)} as found")
        for figure in _drawn(group, looks, say, shown):
            yield Drawn(figure, f"-found-{style.slug(name)}")


def _drawn(
    group: Group, looks: Looks, say: Callable[[str], None], shown: _Shown
) -> Iterator[Figure]:
    """Yield the figure, if what is shown has two axes."""
    name = shown.solution
    chosen = [next((e for e in case if e.has(name)), case[0]) for case in group.cases()]
    sample = next(e for e in chosen if e.has(name))
    truth = plane(sample, shown.truth)
    if truth is None:
        dims = " × ".join(map(str, sample[name].dims))
        line = f"no maps of {shown.name}, which depends on {dims}; a map has two axes"
        say(f"{group.label}: {line}")
        return
    named = zip(case_names(group.cases()), chosen, strict=True)
    maps = [_maps(label, entry, shown) for label, entry in named]
    yield _figure(group, looks, say, shown, truth, maps, sample)


def plane(entry: Entry, name: str) -> xr.DataArray | None:
    """Return what a map can show, time (or else the first axis) across; None if it cannot.

    Of a field over two space axes and time, that is its state at the end. A field on scattered
    points has the attribute `mesh`.
    """
    values = entry[name]
    mesh = mesh_of(entry.fields, values)
    if TIME in values.dims and (mesh is not None or values.ndim == 3):
        values = values.isel({TIME: -1})
    if mesh is not None:
        return values.assign_attrs(mesh=mesh)
    if values.ndim != 2:
        return None
    return values if values.dims[1] == TIME else values.T


def _sides(values: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the coordinates down and across."""
    mesh: Mesh | None = values.attrs.get("mesh")
    if mesh is not None:
        return mesh.down, mesh.across
    return values[values.dims[0]], values[values.dims[1]]


def _maps(label: str, entry: Entry, shown: _Shown) -> _Maps:
    if not entry.has(shown.solution):
        return _Maps(label, entry, None, None)
    solution, truth = plane(entry, shown.solution), plane(entry, shown.truth)
    error = None
    if solution is not None and truth is not None:
        error = abs(solution - truth).assign_attrs(solution.attrs)
    return _Maps(label, entry, solution, error)


def _figure(
    group: Group, looks: Looks, say: Callable[[str], None], shown: _Shown, reference: xr.DataArray,
    maps: list[_Maps], sample: Entry,
) -> Figure:  # fmt: skip
    bands = ceil(len(maps) / int(looks.page.full / _MAP))
    across = ceil(len(maps) / bands)
    width = {1: looks.page.column, 2: 0.75 * looks.page.full}.get(across, looks.page.full)
    width = looks.page.full if looks.page.narrow else width
    height = 1.95 if TIME in reference.dims else 2.9  # two axes of space have one scale
    figure = style.figure(width, 0.75 + height * bands)
    panels = figure.subplots(2 * bands, 1 + across, squeeze=False)
    letters = int(_LETTERS * width / (across + 1.7))  # the reference's panel, and the bars
    norm, colors = _field_scale(reference)
    log = _error_scale([m.error for m in maps if m.error is not None])
    for k, case in enumerate(maps):
        row, column = 2 * (k // across), 1 + k % across
        _case(panels[row, column], panels[row + 1, column], case, norm, colors, log, letters)
        if case.error is not None:
            panels[row + 1, column].set_title(_score(case, shown, group), fontsize=6.5, pad=2)
    for blank in panels.flat:
        if not blank.has_data() and not blank.texts:
            blank.set_axis_off()
    for band in range(bands):
        _frame(panels[2 * band : 2 * band + 2, 1:], reference, last=band == bands - 1)
    _reference(panels[0, 0], reference, norm, colors, shown, sample)
    lines = _lines(group, sample) if shown.solution == shown.name else []
    for unknown in lines[2 * bands - 1 :]:
        say(f"{group.label}: no room for a panel of the unknown {unknown}")
    for axes, unknown in zip(panels[1:, 0], lines, strict=False):
        _unknown(axes, unknown, group, looks)
    for row in range(2 * bands):
        mappable = _bar(norm, colors) if row % 2 == 0 else _bar(log, "magma")
        bar = figure.colorbar(mappable, ax=list(panels[row, :]), aspect=12, pad=0.01)
        bar.set_label(axis_label(shown.name, _unit(reference)) if row % 2 == 0 else "|error|")
        bar.outline.set_linewidth(0.4)
    what = f"{shown.what}{_moment(sample[shown.solution])}, and its error"
    style.title(figure, printable(group.label), what)
    if lines:
        truth = Line2D([], [], color=FAINT, lw=2.2, label="true")
        having = [e.record for e in group.entries if any(e.has(u + FOUND) for u in lines)]
        handles = [truth, *looks.legend(having)]
        style.legend_below(figure, handles)
    return figure


def _lines(group: Group, sample: Entry) -> list[str]:
    """Return the unknowns that are functions of one variable."""
    names = group.unknown_names()
    return [u for u in names if sample.has(u + FOUND) and sample[u + FOUND].ndim == 1]


def _score(case: _Maps, shown: _Shown, group: Group) -> str:
    """Return the headline metric of a field, and of an unknown the relative error of its map."""
    if shown.solution == shown.name:
        ranked = group.ranked()[:1]
        return "".join(f"{printable(m)} {metric_text(case.entry.record, m)}" for m in ranked)
    truth = np.asarray(case.entry[shown.truth])
    error = np.asarray(case.entry[shown.solution]) - truth
    return f"relative error {np.linalg.norm(error) / (np.linalg.norm(truth) or 1.0):.1e}"


def _unit(values: xr.DataArray) -> str:
    return str(values.attrs.get("units", ""))


def _moment(values: xr.DataArray) -> str:
    if TIME in values.dims and (values.ndim == 3 or POINT in values.dims):
        return f" at {TIME} = {float(values[TIME][-1]):g}"
    return ""


# ---- scales ----------------------------------------------------------------------------------


def _field_scale(reference: xr.DataArray) -> tuple[Normalize, str]:
    """Return a scale around zero where the sign changes, else one from least to greatest."""
    low, high = float(reference.min()), float(reference.max())
    if low < -0.05 * abs(high) and high > 0.05 * abs(low):
        peak = max(-low, high)
        return Normalize(-peak, peak), "RdBu_r"
    return Normalize(low, high if high > low else low + 1), "viridis"


def _error_scale(errors: list[xr.DataArray]) -> LogNorm:
    """Return one scale for all methods: from the least typical to the greatest error."""
    peak = max((float(e.max()) for e in errors), default=0.0) or 1.0
    typical = [float(np.percentile(np.asarray(e), 5)) for e in errors]
    floor = max(min((t for t in typical if t > 0), default=0.0), peak / 10**_DECADES)
    low = 10.0 ** np.floor(np.log10(min(floor, peak / 10)))
    return LogNorm(low, 10.0 ** np.ceil(np.log10(peak)), clip=True)


def _bar(norm: Normalize, colors: str) -> Any:
    from matplotlib.cm import ScalarMappable

    return ScalarMappable(norm, colors)


# ---- panels ----------------------------------------------------------------------------------


def _paint(axes: Axes, values: xr.DataArray, norm: Normalize, colors: str) -> None:
    shown = np.asarray(values)
    if isinstance(norm, LogNorm):
        shown = np.clip(shown, norm.vmin, None)
    mesh: Mesh | None = values.attrs.get("mesh")
    if mesh is not None:
        axes.tripcolor(
            mesh.triangulation, shown, norm=norm, cmap=colors, shading="gouraud", rasterized=True
        )
        return
    down, across = map(np.asarray, _sides(values))
    axes.pcolormesh(
        across, down, shown, norm=norm, cmap=colors, shading="nearest", rasterized=True
    )  # fmt: skip


def _case(
    top: Axes,
    bottom: Axes,
    case: _Maps,
    norm: Normalize,
    colors: str,
    log: LogNorm,
    letters: int,
) -> None:
    """Draw a case into its two panels, which have room for so many letters a line."""
    name = printable(case.name, 60, 24)
    long = max(map(len, name.split("\n"))) > _TITLE
    top.set_title(name, fontsize=6 if long else 7)
    record = case.entry.record
    if case.solution is None or case.error is None:
        color = style.FAILED if record.failed else "0.35"
        mark = "×" if record.failed else "–"
        word = printable(record.status if record.status != "ok" else "no fields")
        top.text(0.5, 0.5, f"{mark} {word}", transform=top.transAxes, color=color,
                 ha="center", va="center", fontsize=7)  # fmt: skip
        reason = fill(printable(record.reason, 90), letters)
        bottom.text(0.5, 0.5, reason, transform=bottom.transAxes, color="0.35",
                    ha="center", va="center", fontsize=6)  # fmt: skip
        return
    _paint(top, case.solution, norm, colors)
    _paint(bottom, case.error, log, "magma")


def _frame(panels: np.ndarray, reference: xr.DataArray, last: bool) -> None:
    """Give the maps one frame: ticks on all, numbers at the left and the bottom."""
    across = _sides(reference)[1]
    for (row, _), axes in np.ndenumerate(panels):
        _limits(axes, reference)
        axes.tick_params(labelleft=False, labelbottom=row == 1 and last)
        if row == 1 and last:
            axes.set_xlabel(axis_label(str(across.name), _unit(across)))


def _limits(axes: Axes, values: xr.DataArray) -> None:
    down, across = _sides(values)
    axes.set_xlim(float(across.min()), float(across.max()))
    axes.set_ylim(float(down.min()), float(down.max()))
    axes.locator_params(nbins=3)
    if TIME not in values.dims:
        axes.set_aspect("equal")


def _reference(
    axes: Axes, reference: xr.DataArray, norm: Normalize, colors: str, shown: _Shown, sample: Entry
) -> None:
    axes.set_axis_on()
    _paint(axes, reference, norm, colors)
    down, across = _sides(reference)
    axes.set_title(shown.of, fontsize=7)
    axes.set_ylabel(axis_label(str(down.name), _unit(down)))
    _limits(axes, reference)
    axes.tick_params(labelbottom=False)
    times = f"{shown.name}{OBSERVED}_{across.name}"
    if across.name == TIME and sample.has(times):
        for moment in np.unique(np.asarray(sample[times]))[:5]:
            axes.axvline(moment, color="k", lw=0.8, ls=(0, (3, 2)), clip_on=False)
        axes.set_title("reference\n(dashed: observed)", fontsize=7)


def _unknown(axes: Axes, unknown: str, group: Group, looks: Looks) -> None:
    """Draw an unknown as found by every run over the true one."""
    axes.set_axis_on()
    truth: xr.DataArray | None = None
    for entry in group.entries:
        if not entry.has(unknown + FOUND) or entry[unknown + FOUND].ndim != 1:
            continue
        found, truth = entry[unknown + FOUND], entry[unknown + TRUE]
        axis = str(found.dims[0])
        look, line = looks[entry.record], looks.line(entry.record)
        axes.plot(found[axis], found, color=look.color, ls=line, lw=0.8)
    if truth is not None:
        axis = str(truth.dims[0])
        axes.plot(truth[axis], truth, color=FAINT, lw=2.2, zorder=1)
        low, high = float(truth.min()), float(truth.max())
        margin = 0.5 * (high - low or 1.0)
        axes.set_ylim(low - margin, high + margin)
        axes.set_xlabel(axis_label(axis, _unit(truth[axis])), labelpad=1)
        axes.set_title(fill(axis_label(unknown, _unit(truth)), 26), fontsize=7)
    style.bare(axes)
