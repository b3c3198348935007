"""Figure `costs`: accuracy, time and memory side by side, one row per method and backend."""

from collections.abc import Iterator
from statistics import median

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from pdebench_lite.analysis.wording import amount, bound_of
from pdebench_lite.report.figures import style
from pdebench_lite.report.figures.data import Drawn, Entry, Group, case_names
from pdebench_lite.report.figures.style import Looks, axis_of, printable
from pdebench_lite.report.quantities import described
from pdebench_lite.store.records import Record

_PHASES = (("data_s", "0.85", ""), ("compile_s", "0.62", "////"), ("train_s", "0.35", ""))


def draw(group: Group) -> Iterator[Drawn]:
    """Yield one figure; dots are seeds, a bar their median. Failures stay in place."""
    looks = group.looks
    cases = group.cases()
    names = case_names(cases)
    height = 0.7 + 0.2 * max(len(cases), 2)
    if looks.page.narrow:
        figure = style.figure(looks.page.full, 0.5 + 3 * height)
        error, time, memory = figure.subplots(3, 1, sharey=True)
    else:
        figure = style.figure(looks.page.full, 0.7 + height)
        error, time, memory = figure.subplots(1, 3, sharey=True, width_ratios=(1.25, 1.0, 1.0))
    headline = group.ranked()[:1]
    for row, case in enumerate(cases):
        _accuracy(error, row, case, headline, looks)
        _time(time, row, case)
        _memory(memory, row, case, looks)
    _finish_accuracy(error, group, headline)
    _room(time, [_middle(case, "charged_s") for case in cases], stacked=True)
    time.set_xlabel(axis_of(described("charged_s")))
    time.set_title("Time", loc="left")
    _room(memory, [m for case in cases for m in _memories(case)])
    memory.set_xlabel(axis_of(described("memory_mb")))
    memory.set_title("Memory", loc="left")
    error.set_yticks(range(len(cases)), [printable(name, 80, 34) for name in names])
    error.set_ylim(len(cases) - 0.4, -0.6)
    for axes in (error, time, memory):
        axes.grid(True, axis="x", lw=0.3, color="0.9")
        axes.set_axisbelow(True)
        axes.tick_params(axis="y", length=0)
        style.bare(axes)
    style.title(figure, printable(group.label), "accuracy, time and memory")
    phases = [
        Patch(fc=shade, hatch=hatch, ec="w", label=described(name).head)
        for name, shade, hatch in _PHASES
    ]
    style.legend_below(figure, phases)
    yield Drawn(figure)


def _values(case: list[Entry], attribute: str) -> list[float]:
    values = [getattr(entry.record, attribute) for entry in case]
    return [float(v) for v in values if v is not None]


def _middle(case: list[Entry], attribute: str) -> float | None:
    values = _values(case, attribute)
    return median(values) if values else None


def _trouble(records: list[Record]) -> str:
    """Say what went wrong in a row: `diverged`, or `2 of 3 seeds diverged`."""
    bad = [r for r in records if r.status != "ok"]
    words = "/".join(dict.fromkeys(r.status for r in bad))
    return f"{len(bad)} of {len(records)} seeds {words}" if bad and len(records) > 1 else words


def _accuracy(axes: Axes, row: int, case: list[Entry], headline: list[str], looks: Looks) -> None:
    records = [entry.record for entry in case]
    errors = [v for r in records for m in headline if (v := r.metrics.get(m)) is not None and v > 0]
    look = looks[records[0]]
    if len(errors) > 1:
        axes.plot(errors, [row] * len(errors), ".", color=look.color, ms=3, alpha=0.8)
        axes.plot([median(errors)], [row], "|", color=look.color, ms=9, mew=1.4)
    elif errors:
        axes.plot(errors, [row], look.marker, color=look.color, ms=4.5)
    if trouble := _trouble(records):
        color = style.FAILED if any(r.failed for r in records) else "0.4"
        mark = "× " if any(r.failed for r in records) else "– "
        left = not errors or min(errors) > 1e-2  # beside the dots, which lie to the right then
        axes.text(0.03 if left else 0.97, row, mark + trouble, color=color, fontsize=6.5,
                  transform=axes.get_yaxis_transform(), ha="left" if left else "right",
                  va="center")  # fmt: skip


def _finish_accuracy(axes: Axes, group: Group, headline: list[str]) -> None:
    errors = [v for r in group.records for m in headline if (v := r.metrics.get(m)) is not None]
    bounds = [b for r in group.records for m in headline if (b := bound_of(r, m)) is not None]
    if bounds and max(bounds) * 30 > min(errors, default=1.0):
        axes.axvline(max(bounds), color=style.FAINT, lw=0.8, ls=":")
        errors.append(max(bounds))
    style.log_axis(axes.xaxis, errors, whole=True)
    axes.set_xlabel(axis_of(described(headline[0])) if headline else "Error")
    axes.set_title("Error", loc="left")


def _time(axes: Axes, row: int, case: list[Entry]) -> None:
    left = 0.0
    for name, shade, hatch in _PHASES:
        width = _middle(case, name) or 0.0
        axes.barh(row, width, left=left, height=0.62, color=shade, hatch=hatch, ec="w", lw=0.3)
        left += width
    total = _middle(case, "charged_s")
    if total is not None and any(entry.record.status != "unsupported" for entry in case):
        axes.annotate(amount(total), (max(left, total), row), (3, 0), va="center",
                      textcoords="offset points", fontsize=6.5)  # fmt: skip


def _memories(case: list[Entry]) -> list[float | None]:
    return [_middle(case, "peak_host_mb"), _middle(case, "peak_device_mb")]


def _memory(axes: Axes, row: int, case: list[Entry], looks: Looks) -> None:
    """Draw the host's peak as a full marker and the device's as an open one."""
    look = looks[case[0].record]
    for value, fill, where in zip(_memories(case), (look.color, "none"), ("", " GPU"), strict=True):
        if value is not None:
            axes.hlines(row, 0, value, color=look.color, lw=0.8, alpha=0.5)
            axes.plot([value], [row], look.marker, mfc=fill, mec=look.color, ms=4.5)
            axes.annotate(f"{amount(value)}{where}", (value, row), (5, 0), va="center",
                          textcoords="offset points", fontsize=6.5)  # fmt: skip


def _room(axes: Axes, values: list[float | None], stacked: bool = False) -> None:
    """Leave room for the numbers right of the marks; logarithmic where lengths differ widely."""
    known = [v for v in values if v]
    if not stacked and known and max(known) / min(known) > 30:
        axes.set_xscale("log")
        axes.set_xlim(min(known) / 3, max(known) * 6)
    else:
        axes.set_xlim(0, 1.3 * max(known, default=1.0))
