"""Figure `convergence`: the ranked errors against charged time, every run a line."""

from collections.abc import Callable, Iterator

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pdebench_lite.report.figures import style
from pdebench_lite.report.figures.data import Entry, Group
from pdebench_lite.report.figures.style import Looks, axis_label, printable
from pdebench_lite.report.wording import bound_of

_PANELS = ("rel_l2", "rel_l2_carried")
_BOUND_REACH = 30.0  # the bound is drawn where it is at most so far below the smallest error


def draw(
    group: Group, looks: Looks, say: Callable[[str], None]
) -> Iterator[tuple[str, Figure]]:
    """Yield one figure: a panel for the headline error, and one beside it for its counterpart."""
    ranked = group.ranked()
    metrics = [*ranked[:1], *(m for m in ranked[1:] if m in _PANELS)]
    metrics = [m for m in metrics if any(e.curve(m)[0].size for e in group.entries)]
    if not metrics:
        say(f"{group.label}: no convergence figure, no record has a history")
        return
    wide = len(metrics) > 1
    figure = style.figure(style.FULL if wide else style.COLUMN, 2.5 if wide else 2.7)
    panels = figure.subplots(1, len(metrics), sharey=True, sharex=True, squeeze=False)[0]
    failures = False
    for axes, metric in zip(panels, metrics, strict=True):
        failures |= _panel(axes, group, metric, looks)
        axes.set_title(printable(metric), loc="left")
        axes.set_xlabel(axis_label("charged time", "s"))
    panels[0].set_ylabel("error")
    figure.suptitle(f"{printable(group.label)}: error against time", x=0.01, ha="left")
    handles = looks.legend(group.records, failures)
    columns = min(len(handles), 6 if wide else 3)
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)
    yield "", figure


def _panel(axes: Axes, group: Group, metric: str, looks: Looks) -> bool:
    """Draw one metric; returns whether a failure was marked."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    curves = [(entry, *entry.curve(metric)) for entry in group.entries]
    times = [t for _, ts, _ in curves for t in (*ts[:1], *ts[-1:])]
    ends = [e.record.charged_s for e in group.entries if e.record.charged_s]
    if limits := style.log_limits([*times, *ends]):
        axes.set_xlim(limits)
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
        failed |= entry.record.failed
        if entry.record.failed:
            axes.plot(ts[-1:], values[-1:], "x", color=style.FAILED, mew=1.3, ms=5, zorder=5)
        else:
            axes.plot(ts[-1:], values[-1:], look.marker, color=look.color, mec="w", mew=0.4)
    if limits := style.log_limits(errors):
        axes.set_ylim(limits)
    _bound(axes, group, metric, min(errors, default=1.0))
    for entry in without:  # failed before the first evaluation: at the top, when it ended
        at = entry.record.charged_s
        if at:
            axes.plot([at], [0.98], "x", color=style.FAILED, mew=1.3, ms=5, clip_on=False,
                      transform=axes.get_xaxis_transform(), zorder=5)  # fmt: skip
            axes.plot([at], [0.98], looks[entry.record].marker, mfc="none", ms=7, mew=0.8,
                      mec=looks[entry.record].color, clip_on=False,
                      transform=axes.get_xaxis_transform())  # fmt: skip
            failed = True
    axes.grid(True, which="major", lw=0.3, color="0.9")
    style.bare(axes)
    return failed


def _bound(axes: Axes, group: Group, metric: str, smallest: float) -> None:
    bounds = [b for r in group.records if (b := bound_of(r, metric)) is not None]
    if not bounds:
        return
    bound = max(bounds)
    if bound * _BOUND_REACH > smallest:
        axes.axhline(bound, color=style.FAINT, lw=0.8, ls=":")
        axes.set_ylim(bottom=min(bound / 2, axes.get_ylim()[0]))
        place, height = axes.get_yaxis_transform(), bound
        text, at = "reference bound", "bottom"
    else:
        place, height = axes.transAxes, 0.02
        text, at = f"reference bound {bound:.0e}, below", "bottom"
    axes.text(0.02, height, text, transform=place, color="0.35", va=at, fontsize=6.5)
