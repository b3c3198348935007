"""Figure `posterior`: an unknown as found, with the band that the method states, on the truth.

Below it the error within the same band: where it leaves the band, the method was too sure. Drawn
from what records hold, so that no fields are needed.
"""

from collections.abc import Iterator
from math import ceil

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pdebench_lite.metrics import NORMAL_95
from pdebench_lite.report.figures import style
from pdebench_lite.report.figures.data import Drawn, Entry, Group, case_names
from pdebench_lite.report.figures.style import FAINT, Looks, axis_label, printable

_PANEL = 1.9  # inches that a panel needs
_MOST = 9  # cases in a figure
_CURVES = ("found", "true", "deviation")
_FAINT_BAND = 0.25  # opacity


def draw(group: Group) -> Iterator[Drawn]:
    """Yield a figure per unknown; of several seeds, the first that states a band is shown."""
    looks, say = group.looks, group.say
    names = dict.fromkeys(name for e in group.entries for name in e.record.bands)
    for name in names:
        having = [next((e for e in case if _axis(e, name)), None) for case in group.cases()]
        labels = case_names(group.cases())
        cases = [(label, e) for label, e in zip(labels, having, strict=True) if e is not None]
        if not cases:
            continue
        for label, _ in cases[_MOST:]:
            say(f"{group.label}: no room for a band of {name} by {label}")
        suffix = "" if len(names) == 1 else f"-{style.slug(name.replace('_', '-'))}"
        yield Drawn(_figure(group, looks, name, cases[:_MOST]), suffix)


def _axis(entry: Entry, name: str) -> str:
    """Return the axis of a band; empty where there is no sound one."""
    band = entry.record.bands.get(name, {})
    axes = [key for key in band if key not in _CURVES]
    sound = len(axes) == 1 and len({len(values) for values in band.values()}) == 1
    return axes[0] if sound and all(band.get(key) for key in _CURVES) else ""


def _figure(group: Group, looks: Looks, name: str, cases: list[tuple[str, Entry]]) -> Figure:
    rows = ceil(len(cases) / max(1, int(looks.page.full / _PANEL)))
    across = ceil(len(cases) / rows)
    narrow = across == 1 and not looks.page.narrow
    width = looks.page.column if narrow else looks.page.full
    figure = style.figure(width, 0.7 + 2.5 * rows)
    panels = figure.subplots(
        2 * rows, across, sharex=True, sharey="row", squeeze=False,
        height_ratios=[3.0, 2.0] * rows,
    )  # fmt: skip
    for k, (label, entry) in enumerate(cases):
        top, bottom = panels[2 * (k // across) : 2 * (k // across) + 2, k % across]
        _case(top, bottom, label, entry, looks, name)
    for k in range(len(cases), rows * across):
        for axes in panels[2 * (k // across) : 2 * (k // across) + 2, k % across]:
            axes.set_axis_off()
    for row, axes in enumerate(panels[:, 0]):
        axes.set_ylabel(printable(name, 30) if row % 2 == 0 else "found − true")
    for axes in panels[-1]:
        axes.set_xlabel(axis_label(_axis(cases[0][1], name)))
    style.title(figure, printable(group.label), f"{printable(name)} and its stated band")
    handles: list[Artist] = [
        Line2D([], [], color=FAINT, lw=2.2, label="true"),
        Line2D([], [], color="k", lw=0.9, label="found"),
        Patch(color="k", alpha=_FAINT_BAND, lw=0, label=f"±{NORMAL_95:.2f} stated deviations"),
    ]
    style.legend_below(figure, handles)
    return figure


def _case(top: Axes, bottom: Axes, label: str, entry: Entry, looks: Looks, name: str) -> None:
    band, axis = entry.record.bands[name], _axis(entry, name)
    x, found, true, deviation = (np.asarray(band[key]) for key in (axis, *_CURVES))
    color, half, error = looks[entry.record].color, NORMAL_95 * deviation, found - true
    for axes, middle, width in ((top, found, half), (bottom, np.zeros_like(x), half)):
        axes.fill_between(x, middle - width, middle + width, color=color, alpha=_FAINT_BAND, lw=0)
        axes.locator_params(axis="x", nbins=5)
        style.bare(axes)
    top.plot(x, true, color=FAINT, lw=2.2, zorder=1)
    top.plot(x, found, color=color, lw=0.9)
    bottom.axhline(0.0, color=FAINT, lw=0.6, zorder=1)
    bottom.plot(x, error, color=color, lw=0.9)
    top.set_title(printable(label, 60, 24), fontsize=7)
    inside = float(np.mean(np.abs(error) <= half))
    bottom.set_title(f"truth within the band at {inside:.0%} of the points", fontsize=6.5, pad=2)
