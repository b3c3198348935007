"""Figure `spectrum`: singular values of the observation operator, and what the data have of each.

Parameters are scaled to unit prior deviation, so a singular value is what one deviation of the
prior changes in the data. Those above the root of the weight (noise over prior deviation) are
determined by the data, the others by the prior. The discrete Picard condition: the data's part
along each falls faster than the singular values do, until it reaches the noise. Hansen, *Rank-
Deficient and Discrete Ill-Posed Problems* (1998), sect. 4.5, doi:10.1137/1.9780898719697.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from pdebench_lite.report.figures import style
from pdebench_lite.report.figures.data import Drawn, Group, case_names
from pdebench_lite.report.figures.style import printable
from pdebench_lite.report.searches import Spectrum, spectrum_of

_FLOOR = 1e-12  # relative to the largest: below, values are rounding
_LINE = ":"  # no line of a backend that finds unknowns
_MOST = 6  # cases in a figure


def draw(group: Group) -> Iterator[Drawn]:
    """Yield one figure; of several seeds, the first that has singular values is shown."""
    looks, say = group.looks, group.say
    cases = []
    for label, case in zip(case_names(group.cases()), group.cases(), strict=True):
        told = ((e.record, spectrum_of(e.record)) for e in case)
        cases += [(label, r, spectrum) for r, spectrum in told if spectrum is not None][:1]
    if not cases:
        return
    for label, *_ in cases[_MOST:]:
        say(f"{group.label}: no room for the singular values of {label}")
    cases = cases[:_MOST]
    narrow = looks.page.narrow
    figure = style.figure(looks.page.full, 4.4 if narrow else 2.6)
    left, right = figure.subplots(2, 1) if narrow else figure.subplots(1, 2)
    handles = []
    for label, record, spectrum in cases:
        color, dashes = looks[record].color, looks.line(record)
        _relative(left, spectrum, color, dashes)
        _picard(right, spectrum, color, looks[record].marker, dashes == "-")
        count = f"{spectrum.determined:.0f} of {record.params} parameters determined"
        known = np.isfinite(spectrum.determined)
        name = printable(f"{label}: {count}" if known else label, 90, 60)
        handles.append(
            Line2D(
                [],
                [],
                color=color,
                ls=dashes,
                marker=looks[record].marker,
                label=name,
                mfc=color if dashes == "-" else "w",
                mew=0.6,
            )
        )
    _frame(left, "singular value over the largest", [s.values / s.values[0] for *_, s in cases])
    _frame(right, "data along the singular vector", [s.data for *_, s in cases])
    handles.append(Line2D([], [], color="k", ls=_LINE, lw=0.9, label="√weight; noise"))
    style.title(figure, printable(group.label), "what the data determine")
    style.legend_below(figure, handles)
    yield Drawn(figure)


def _relative(axes: Axes, spectrum: Spectrum, color: Any, dashes: Any) -> None:
    values = spectrum.values / spectrum.values[0]
    axes.plot(np.arange(1, values.size + 1), values, color=color, ls=dashes)
    if spectrum.weight > 0:
        axes.axhline(np.sqrt(spectrum.weight) / spectrum.values[0], color=color, ls=_LINE, lw=0.9)


def _picard(axes: Axes, spectrum: Spectrum, color: Any, marker: str, full: bool) -> None:
    fill = color if full else "w"
    axes.plot(
        np.arange(1, spectrum.data.size + 1), spectrum.data, color=color, ls="", marker=marker,
        ms=2.5, mfc=fill, mew=0.5,
    )  # fmt: skip
    if spectrum.noise > 0:
        axes.axhline(spectrum.noise, color=color, ls=_LINE, lw=0.9)


def _frame(axes: Axes, label: str, shown: list[np.ndarray]) -> None:
    values = np.concatenate(shown)
    peak = float(np.nanmax(values, initial=0.0))
    style.log_axis(axes.yaxis, [v for v in values if v > _FLOOR * peak])
    axes.set_xlabel("index")
    axes.set_ylabel(label)
    axes.grid(True, which="major", lw=0.3, color="0.9")
    style.bare(axes)
