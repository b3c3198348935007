"""Figure `maps`: the reference, and per method its solution and error; found unknowns beside."""

from collections.abc import Callable, Iterator
from math import ceil

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure, SubFigure

from pdebench_lite.report.figures import style
from pdebench_lite.report.figures.data import FOUND, OBSERVED, REFERENCE, TRUE, Entry, Group, case_names
from pdebench_lite.report.figures.style import Looks, axis_label, printable
from pdebench_lite.report.wording import error_text

_ACROSS = 4  # cases side by side
_DECADES = 6.0  # of the error's colour scale
TIME = "t"


def draw(
    group: Group, looks: Looks, say: Callable[[str], None]
) -> Iterator[tuple[str, Figure]]:
    """Yield one figure per field; of several seeds the first that has fields is shown."""
    fields = group.field_names()
    if not fields:
        say(f"{group.label}: no maps, no record has fields")
    for name in fields:
        shown = [_shown(case, name) for case in group.cases()]
        sample = next(e.fields for e in shown if e.fields is not None and name in e.fields)
        reference, note = _plane(sample[f"{name}{REFERENCE}"])
        if reference is None:
            say(f"{group.label}: no maps of {name}, which depends on {note}; maps need two axes")
            continue
        unknowns = [
            u for u in group.unknown_names() if f"{u}{TRUE}" in sample and sample[f"{u}{TRUE}"].ndim == 1
        ]
        yield ("" if len(fields) == 1 else f"-{style.slug(name)}"), _figure(
            group, looks, name, shown, reference, note, unknowns
        )


def _shown(case: list[Entry], name: str) -> Entry:
    return next((e for e in case if e.fields is not None and name in e.fields), case[0])


def _plane(values: xr.DataArray) -> tuple[xr.DataArray | None, str]:
    """Return the part of an array that a map can show, time across, and what was left out."""
    dims = [str(d) for d in values.dims]
    if len(dims) == 2:
        return (values if TIME in dims else values.T), ""
    if len(dims) == 3 and TIME in dims:
        last = values.isel({TIME: -1})
        return last.T, f" at {TIME} = {float(values[TIME][-1]):g}"
    return None, " × ".join(dims)


def _figure(
    group: Group, looks: Looks, name: str, shown: list[Entry], reference: xr.DataArray,
    note: str, unknowns: list[str],
) -> Figure:  # fmt: skip
    bands = ceil(len(shown) / _ACROSS)
    across = ceil(len(shown) / bands)
    figure = style.figure(style.FULL, 0.55 + 2.15 * bands)
    left, right = figure.subfigures(1, 2, width_ratios=(1.15, across + 0.45))
    figure.suptitle(f"{printable(group.label)}: {printable(name)}{note} and its error", x=0.01, ha="left")
    planes = {id(e): _plane(e.fields[name])[0] for e in shown if e.fields is not None and name in e.fields}
    panels = right.subplots(2 * bands, across, sharex=True, sharey=True, squeeze=False)
    scale, colors = _field_scale(reference)
    error_scale = _error_scale([np.abs(p - reference).values for p in planes.values() if p is not None])
    axes = _reference(left, reference, scale, colors, name, shown)
    names = case_names([[entry] for entry in shown])
    for k in range(bands * across):
        top, bottom = panels[2 * (k // across), k % across], panels[2 * (k // across) + 1, k % across]
        if k >= len(shown):
            top.set_axis_off()
            bottom.set_axis_off()
            continue
        top.set_title(printable(names[k], 60, 22), fontsize=7)
        plane = planes.get(id(shown[k]))
        if plane is None:
            _absent(top, bottom, shown[k])
            continue
        _paint(top, plane, scale, colors)
        _paint(bottom, np.abs(plane - reference).clip(min=error_scale.vmin), error_scale, "magma")
        error = next((v for m in group.ranked() if (v := shown[k].record.metrics.get(m)) is not None), None)
        bottom.set_title(f"|error|, {printable(group.ranked()[0])} {error_text(error)}" if across < 4
                         else f"{printable(group.ranked()[0])} {error_text(error)}", fontsize=6.5, pad=2)  # fmt: skip
    return figure
