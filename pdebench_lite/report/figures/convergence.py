"""Figure `convergence`: the ranked errors against charged time, every run a line."""

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from matplotlib.axes import Axes

from pdebench_lite.analysis.wording import bound_of
from pdebench_lite.report.figures import style
from pdebench_lite.report.figures.data import Drawn, Entry, Group
from pdebench_lite.report.figures.style import Look, Looks, axis_of, printable
from pdebench_lite.report.quantities import described

Curve: TypeAlias = tuple[Entry, np.ndarray, np.ndarray]

_PANELS = ("rel_l2", "rel_l2_carried")
_BOUND_REACH = 30.0  # the bound is drawn where it is at most so far below the smallest error


def draw(group: Group) -> Iterator[Drawn]:
    """Yield one figure: a panel for the headline error, and one beside it for its counterpart."""
    looks, say = group.looks, group.say
    ranked = group.ranked()
    metrics = [*ranked[:1], *(m for m in ranked[1:] if m in _PANELS)]
    metrics = [m for m in metrics if any(e.curve(m)[0].size for e in group.entries)]
    if not metrics:
        say(f"{group.label}: no convergence figure, no record has a history")
        return
    wide = len(metrics) > 1
    stacked = looks.page.narrow and wide
    figure = style.figure(
        looks.page.full if wide else looks.page.column, 4.4 if stacked else 2.5 if wide else 2.7
    )
    shape = (len(metrics), 1) if stacked else (1, len(metrics))
    panels = figure.subplots(*shape, sharey=True, sharex=True, squeeze=False).ravel()
    curves = {m: [(entry, *entry.curve(m)) for entry in group.entries] for m in metrics}
    drawn = [curve for metric in metrics for curve in curves[metric]]
    ends = [e.record.charged_s for e in group.entries if e.record.charged_s]
    style.log_axis(panels[0].xaxis, [*ends, *(float(t) for _, ts, _ in drawn for t in ts[:1])])
    style.log_axis(panels[0].yaxis, [float(v) for _, _, values in drawn for v in values])
    failures = False
    for axes, metric in zip(panels, metrics, strict=True):
        bound = "reference bound" if stacked or len(metrics) < 3 else "bound"
        failures |= _panel(axes, group, metric, looks, curves[metric], bound)
        axes.set_title(printable(metric), loc="left")
        axes.set_xlabel(axis_of(described("charged_s")))
    panels[0].set_ylabel("Error" if wide else axis_of(described(metrics[0])))
    style.title(figure, printable(group.label), "error against time")
    style.legend_below(figure, looks.legend(group.records, failures))
    yield Drawn(figure)


def _panel(
    axes: Axes, group: Group, metric: str, looks: Looks, curves: list[Curve], bound: str
) -> bool:
    """Draw one metric; `bound` names the reference's. Returns whether a failure was marked."""
    many = max(len(case) for case in group.cases()) > 1
    errors: list[float] = []
    without: list[Entry] = []
    failed = False
    for entry, ts, values in curves:
        look, line = looks[entry.record], looks.line(entry.record)
        if not ts.size:
            if entry.record.failed:
                without.append(entry)
            continue
        errors += values.tolist()
        axes.plot(ts, values, color=look.color, ls=line, lw=0.7 if many else 1.1)
        if entry.record.failed:  # the last error known is held until the end
            end = max(ts[-1], entry.record.charged_s or 0.0)
            axes.plot([ts[-1], end], values[[-1, -1]], color=look.color, ls=":", lw=0.8)
            _cross(axes, end, values[-1], look)
        else:
            axes.plot(ts[-1:], values[-1:], look.marker, color=look.color, mec="w", mew=0.4)
        failed |= entry.record.failed
    for entry in without:  # failed before the first evaluation: at the top, when it ended
        if entry.record.charged_s:
            _cross(axes, entry.record.charged_s, 0.97, looks[entry.record], top=True)
            failed = True
    bounds = [b for r in group.records if (b := bound_of(r, metric)) is not None]
    if bounds:
        near = max(bounds) * _BOUND_REACH > min(errors, default=1.0)
        if near:
            axes.axhline(max(bounds), color=style.FAINT, lw=0.8, ls=":")
            axes.set_ylim(bottom=min(max(bounds) / 2, axes.get_ylim()[0]))
        text = f"{bound} {max(bounds):.0e}, {'dotted' if near else 'below'}"
        axes.set_title(text, loc="right", color="0.35", fontsize=6.5)
    axes.grid(True, which="major", lw=0.3, color="0.9")
    style.bare(axes)
    return failed


def _cross(axes: Axes, x: float, y: float, look: Look, top: bool = False) -> None:
    """Mark where a run failed: a cross on its method's open marker."""
    place = axes.get_xaxis_transform() if top else axes.transData
    for marker, color, size in ((look.marker, look.color, 6.5), ("x", style.FAILED, 4.5)):
        axes.plot([x], [y], marker, mfc="none", mec=color, ms=size, mew=1.1, clip_on=False,
                  transform=place, zorder=5)  # fmt: skip
