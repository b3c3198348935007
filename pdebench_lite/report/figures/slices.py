"""Figure `slices`: the field over its space axis at four times, on the reference, with the data."""

from collections.abc import Iterator
from math import ceil
from textwrap import fill

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pdebench_lite.report.figures import style
from pdebench_lite.report.figures.data import OBSERVED, REFERENCE, TIME, Drawn, Entry, Group
from pdebench_lite.report.figures.style import FAINT, Looks, axis_label, printable
from pdebench_lite.report.scattered import POINT

_TIMES = 4
_DOTS = 64
_LETTERS = 17  # of the legend's title that fit into an inch


def draw(group: Group) -> Iterator[Drawn]:
    """Yield one figure per field that has one space axis; every run is a line."""
    looks, say = group.looks, group.say
    fields = group.field_names()
    if not fields:
        say(f"{group.label}: no slices, because no record has fields")
    for name in fields:
        having = [entry for entry in group.entries if entry.has(name)]
        reference = having[0][f"{name}{REFERENCE}"]
        space = [str(dim) for dim in reference.dims if dim != TIME]
        if len(space) != 1 or POINT in space:
            of = "is on scattered points" if POINT in space else f"depends on {' × '.join(space)}"
            say(f"{group.label}: no slices of {name}, which {of}")
            continue
        suffix = "" if len(fields) == 1 else f"-{style.slug(name)}"
        yield Drawn(_figure(group, looks, name, space[0], having), suffix)


def _figure(group: Group, looks: Looks, name: str, axis: str, having: list[Entry]) -> Figure:
    sample = having[0]
    reference = sample[f"{name}{REFERENCE}"]
    steady = TIME not in reference.dims
    moments = [0.0] if steady else _moments(np.asarray(reference[TIME]), _observed(sample, name))
    rows = 2 if looks.page.narrow and len(moments) == _TIMES else 1
    figure = style.figure(looks.page.column if steady else looks.page.full, 0.8 + 1.5 * rows)
    grid = figure.subplots(rows, len(moments) // rows, sharex=True, sharey=True, squeeze=False)
    panels = grid.ravel()
    for axes, moment in zip(panels, moments, strict=True):
        _panel(axes, looks, name, axis, having, None if steady else moment)
        axes.set_title("" if steady else f"{TIME} = {moment:.3g}")
        axes.locator_params(axis="x", nbins=5)
        style.bare(axes)
    low, high = float(reference.min()), float(reference.max())
    margin = 0.2 * (high - low or 1.0)
    panels[0].set_ylim(low - margin, high + margin)
    for axes in grid[:, 0]:
        axes.set_ylabel(axis_label(name, str(reference.attrs.get("units", ""))))
    for axes in grid[-1]:
        axes.set_xlabel(axis_label(axis, str(reference[axis].attrs.get("units", ""))))
    what = printable(name) + ("" if steady else f" at {len(moments)} times")
    style.title(figure, printable(group.label), what)
    handles = [Line2D([], [], color=FAINT, lw=2.2, label="reference")]
    if sample.has(f"{name}{OBSERVED}"):
        every = _every(sample[f"{name}{OBSERVED}"].size)
        label = "observed" if every == 1 else f"observed (1 of {every} shown)"
        handles.append(Line2D([], [], color="k", ls="", marker=".", ms=3, label=label))
    handles += looks.legend([entry.record for entry in having])
    missing = [e.record for e in group.entries if not e.has(name)]
    names = dict.fromkeys(f"{r.label} · {r.backend} ({r.status})" for r in missing)
    text = printable(f"no fields: {', '.join(names)}" if missing else "", 300)
    style.legend_below(figure, handles, fill(text, int(_LETTERS * figure.get_figwidth())))
    return figure


def _observed(entry: Entry, name: str) -> np.ndarray:
    times = f"{name}{OBSERVED}_{TIME}"
    return np.unique(np.asarray(entry[times])) if entry.has(times) else np.empty(0)


def _moments(times: np.ndarray, observed: np.ndarray) -> list[float]:
    """Return four times from start to end; an inner one moves to where something was observed."""
    chosen = np.linspace(times[0], times[-1], _TIMES)
    inside = observed[(observed > times[0]) & (observed < times[-1])]
    if inside.size:
        moment = float(inside[inside.size // 2])
        chosen[1 + int(np.argmin(np.abs(chosen[1:-1] - moment)))] = moment
    nearest = [float(times[int(np.argmin(np.abs(times - t)))]) for t in chosen]
    return list(dict.fromkeys(nearest))


def _at(values: xr.DataArray, moment: float | None) -> xr.DataArray:
    return values if moment is None else values.sel({TIME: moment}, method="nearest")


def _panel(
    axes: Axes, looks: Looks, name: str, axis: str, having: list[Entry], moment: float | None
) -> None:
    sample = having[0]
    truth = _at(sample[f"{name}{REFERENCE}"], moment)
    axes.plot(truth[axis], truth, color=FAINT, lw=2.2, zorder=1)
    for entry in having:
        values = _at(entry[name], moment)
        look, line = looks[entry.record], looks.line(entry.record)
        axes.plot(values[axis], values, color=look.color, ls=line, lw=0.9)
    where = f"{name}{OBSERVED}_{axis}"
    if not sample.has(where):
        return
    x, u = np.asarray(sample[where]), np.asarray(sample[f"{name}{OBSERVED}"])
    if moment is not None:
        times = sample[f"{name}{OBSERVED}_{TIME}"]
        span = float(np.ptp(np.asarray(sample[TIME]))) or 1.0
        here = np.abs(np.asarray(times) - moment) < 0.01 * span
        x, u = x[here], u[here]
    axes.plot(x, u, "k.", ms=1.6, zorder=4, markevery=_every(u.size) if u.size else None)


def _every(n: int) -> int:
    """Return of how many observations one is shown, so that they do not hide the curves."""
    return ceil(n / _DOTS)
