"""Figure `against-…`: the final error against a number that a study varies, at equal budget.

Metrics of the machine (time and memory of a call) have figures of their own, `call_s-against-…`.

Labels, width, resolution, a parameter of the problem: whatever takes three values or more while
all else is the same. Methods that have no such setting are lines across: their runs of the same
budget, or of a longer one, read where the budget of the others ends. A method that chose the
number itself, and tells it in its details, is a star.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any, TypeAlias

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullLocator

from pdebench_lite.analysis.outcomes import read_outcome
from pdebench_lite.analysis.statistics import median
from pdebench_lite.analysis.wording import bound_of, budget_text, clean
from pdebench_lite.errors import PdebenchError
from pdebench_lite.report.figures import style
from pdebench_lite.report.figures.data import Drawn, Group
from pdebench_lite.report.figures.style import Look, Looks, axis_label, axis_of, printable
from pdebench_lite.report.quantities import described
from pdebench_lite.selectors import canonical, parse_selector
from pdebench_lite.store.records import Record, Store

Numbers: TypeAlias = dict[str, float]

_FEWEST = 3  # values that make a line
_LABELLED = 7  # values that a logarithmic axis can name one by one
_WIDE = 8.0  # ratio from which an axis is logarithmic
_NAMES = frozenset({"instance"})  # numbers that name things and measure nothing


@dataclass
class Line:
    """Records that differ in one number, and in their seeds.

    Attributes:
        name: the method with its other settings, and the backend.
        record: one of the records.
        errors: value of the number -> the final error of each seed, ∞ for a failure.
    """

    name: str
    record: Record
    errors: dict[float, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Across:
    """Who has no such number.

    Attributes:
        record: one of the records.
        error: the median error over seeds.
        seconds: when that was within a longer run; None at its end.
    """

    record: Record
    error: float
    seconds: float | None = None


@dataclass(frozen=True)
class Chosen:
    """Who chose the number itself.

    Attributes:
        record: one of the records.
        value: the median of the number.
        error: the median error over seeds.
    """

    record: Record
    value: float
    error: float


@dataclass
class Sweep:
    """One figure.

    Attributes:
        title: the problem.
        key: the number that varies.
        metric: the error, or what a call costs.
        lines: who was run at several values.
        across: who has no such number.
        chosen: who chose it.
    """

    title: str
    key: str
    metric: str
    lines: list[Line]
    across: list[Across]
    chosen: list[Chosen] = field(default_factory=list)

    @property
    def cost(self) -> bool:
        """Whether the metric is a time or an amount of memory."""
        return _of_the_machine(self.metric)


def draw(group: Group) -> Iterator[Drawn]:
    """Yield one figure for each number that varies."""
    for sweep in sweeps(group.records, group.store):
        which = f"{style.slug(sweep.metric.replace('_', '-'))}-" if sweep.cost else ""
        key = f"-{style.slug(sweep.key)}"
        yield Drawn(_figure(sweep, group.looks), key, sweep.title, f"{which}against")


def sweeps(records: Iterable[Record], store: Store | None = None) -> list[Sweep]:
    """Find what varies: settings of methods within a problem, and parameters of problems.

    Args:
        records: whatever their status.
        store: where their histories are, for runs of longer budgets.
    """
    ran = [r for r in records if (r.ranked or r.failed) and r.status != "unsupported"]
    found = []
    for label in dict.fromkeys(r.problem_label for r in ran):
        mine = [r for r in ran if r.problem_label == label]
        keys = dict.fromkeys(key for r in mine for key in _numbers(r.config))
        found += [
            _sweep(label, key, mine, lambda r: r.config, metric, store)
            for key in keys
            for metric in _metrics(mine)
        ]
    for task in dict.fromkeys(r.problem_label.partition("[")[0] for r in ran):
        mine = [r for r in ran if r.problem_label.partition("[")[0] == task]
        keys = dict.fromkeys(key for r in mine for key in _numbers(r.problem_params))
        found += [
            _sweep(task, key, mine, lambda r: r.problem_params, metric, store)
            for key in keys
            for metric in _metrics(mine)
        ]
    return [sweep for sweep in found if sweep.lines]


def _metrics(records: list[Record]) -> list[str]:
    """Return the headline metric, and those of the machine."""
    headline = next((r.ranked[0] for r in records if r.ranked), "rel_l2")
    costs = dict.fromkeys(m for r in records for m, v in r.metrics.items() if v)
    return [headline, *filter(_of_the_machine, costs)]


def _of_the_machine(metric: str) -> bool:
    return described(metric).machine


def _numbers(values: dict[str, object]) -> list[str]:
    """Return the names of the numbers among settings."""
    return [
        k
        for k, v in values.items()
        if type(v) in (int, float) and k not in _NAMES and v is not None
    ]


def _sweep(
    title: str,
    key: str,
    records: list[Record],
    of: Callable[[Record], dict[str, object]],
    metric: str,
    store: Store | None,
) -> Sweep:
    """Gather the records that differ in one number."""
    lines: dict[str, Line] = {}
    for record in records:
        value = of(record).get(key)
        if isinstance(value, int | float):
            line = lines.setdefault(_rest(record, of(record), key), _line(record, key))
            line.errors.setdefault(float(value), []).append(_error(record, metric))
    kept = [line for line in lines.values() if len(line.errors) >= _FEWEST]
    others: dict[str, list[Record]] = {}
    for record in records:
        if key not in of(record) and record.family != "classical" and of(record) is record.config:
            others.setdefault(f"{record.label} {record.backend}", []).append(record)
    beside = [_across(runs, kept, metric, store) for runs in others.values()]
    across = [one for one in beside if one is not None]
    chosen = _chosen(key, [r for r in records if of(r) is r.config], metric)
    return Sweep(title, key, metric, kept, across, chosen)


def _chosen(key: str, records: list[Record], metric: str) -> list[Chosen]:
    """Return who had a word for a setting and tells the number that it stood for."""
    runs: dict[str, list[Record]] = {}
    for record in records:
        told = type(record.details.get(key)) in (int, float)
        if told and isinstance(record.config.get(key), str):
            runs.setdefault(f"{record.label} {record.backend}", []).append(record)
    return [
        Chosen(
            mine[0],
            float(median([record.details[key] for record in mine])),
            float(median([_error(record, metric) for record in mine])),
        )
        for mine in runs.values()
    ]


def _across(
    runs: list[Record], lines: list[Line], metric: str, store: Store | None
) -> Across | None:
    """Return the error of runs of one method with the budget of lines, or at its end."""
    equal = [r for r in runs if any(r.budget == line.record.budget for line in lines)]
    if equal:
        return Across(equal[0], float(median([_error(one, metric) for one in equal])))
    seconds = {line.record.budget.max_time for line in lines}
    alike = {(r.backend, r.dtype, r.device) for r in (line.record for line in lines)}
    longer = [
        r
        for r in runs
        if (r.backend, r.dtype, r.device) in alike and r.budget.target_error is None
        if all(s is not None and s < (r.budget.max_time or 0.0) for s in seconds)
    ]
    if len(seconds) != 1 or not longer or store is None or _of_the_machine(metric):
        return None
    (at,) = seconds
    assert at is not None
    shortest = min(r.budget.max_time or inf for r in longer)
    chosen = [r for r in longer if r.budget.max_time == shortest]
    errors = [read_outcome(store, r, metric).at(at) for r in chosen]
    return Across(chosen[0], float(median([inf if e is None else e for e in errors])), at)


def _rest(record: Record, values: dict[str, object], key: str) -> str:
    """Return all that makes a cell but the number and the seed."""
    whole = record.identity.model_dump(mode="json", exclude={"label", "problem_label", "seed"})
    part = "config" if values is record.config else "problem_params"
    whole[part] = {name: value for name, value in whole[part].items() if name != key}
    return json.dumps(whole, sort_keys=True)


def _line(record: Record, key: str) -> Line:
    try:
        selector = parse_selector(record.label)
    except PdebenchError:  # a record of elsewhere may be called anything
        return Line(f"{record.label} · {record.backend}", record)
    others = {name: value for name, value in selector.values.items() if name != key}
    return Line(f"{canonical(selector.name, others)} · {record.backend}", record)


def _error(record: Record, metric: str) -> float:
    value = None if record.failed else record.metrics.get(metric)
    return inf if value is None else max(value, bound_of(record, metric) or 0.0)


# ---- drawing ---------------------------------------------------------------------------------


def _figure(sweep: Sweep, looks: Looks) -> Figure:
    figure = style.figure(looks.page.column, 2.8)
    axes = figure.subplots()
    values = [value for line in sweep.lines for value in line.errors]
    errors = [e for line in sweep.lines for seeds in line.errors.values() for e in seeds]
    several = len(errors) > len(values)
    values += [one.value for one in sweep.chosen]
    others = [*(one.error for one in sweep.across), *(one.error for one in sweep.chosen)]
    finite = [e for e in [*errors, *others] if np.isfinite(e)]
    style.log_axis(axes.yaxis, finite)
    if min(values) > 0 and max(values) / min(values) >= _WIDE:
        axes.set_xscale("log")
        if len(set(values)) <= _LABELLED:
            axes.set_xticks(sorted(set(values)), [f"{value:g}" for value in sorted(set(values))])
            axes.xaxis.set_minor_locator(NullLocator())
    elif all(value.is_integer() for value in values):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    backends = {line.record.backend for line in sweep.lines}
    legend: list[Artist] = []
    taken: list[Look] = []
    for line in sweep.lines:
        look = looks.methods.get(line.record.method, looks[line.record])
        look = looks[line.record] if look in taken else look
        taken.append(look)
        dashes = looks.line(line.record) if len(backends) > 1 else "-"
        drawn: dict[str, Any] = {"color": look.color, "ls": dashes, "marker": look.marker}
        _draw(axes, line, look, drawn)
        legend.append(Line2D([], [], **drawn, label=printable(line.name, 60, 34)))
    for one in sweep.across:
        if np.isfinite(one.error):
            color, dashes = looks[one.record].color, looks.line(one.record)
            axes.axhline(one.error, color=color, ls=dashes, lw=0.8, alpha=0.7, zorder=1)
            when = ", without" if one.seconds is None else f" at {one.seconds:g} s"
            name = printable(f"{one.record.label} · {one.record.backend}{when}", 60, 34)
            legend.append(Line2D([], [], color=color, ls=dashes, lw=0.8, alpha=0.7, label=name))
    for chose in (one for one in sweep.chosen if np.isfinite(one.error)):
        name = printable(f"{chose.record.label} · {chose.record.backend}, as it chose", 60, 34)
        star: dict[str, Any] = {"color": looks[chose.record].color, "marker": "*", "ms": 8}
        axes.plot(chose.value, chose.error, **star, mec="w", mew=0.4, zorder=4)
        legend.append(Line2D([], [], **star, ls="", label=name))
    if several:
        legend.append(Line2D([], [], color="0.4", marker="|", ls="", ms=7, label="all seeds"))
    axes.set_xlabel(axis_label(clean(sweep.key)))
    axes.set_ylabel(axis_of(described(sweep.metric)))
    axes.grid(True, which="major", lw=0.3, color="0.9")
    style.bare(axes)
    budgets = dict.fromkeys(budget_text(line.record.budget) for line in sweep.lines)
    axes.set_title(printable("budget " + " / ".join(budgets)), loc="right", color="0.35", size=6.5)
    what = printable(described(sweep.metric).label, 60) if sweep.cost else "error"
    style.title(figure, printable(sweep.title), f"{what} against {printable(sweep.key, 20)}")
    style.legend_below(figure, legend)
    return figure


def _draw(axes: Axes, line: Line, look: Look, drawn: dict[str, object]) -> None:
    """Draw medians, a bar from the smallest to the largest error, and crosses where most failed."""
    at = sorted(line.errors)
    seeds: Sequence[list[float]] = [line.errors[value] for value in at]
    middle = np.array([median(errors) for errors in seeds])
    known = np.isfinite(middle)
    axes.plot(np.array(at)[known], middle[known], **drawn)  # type: ignore[arg-type]
    top = axes.get_ylim()[1]
    for value, errors in zip(at, seeds, strict=True):
        if len(errors) > 1 and np.isfinite(min(errors)):
            axes.vlines(value, min(errors), min(max(errors), top), color=look.color, lw=0.8)
    for value in np.array(at)[~known]:
        axes.plot(value, 0.97, "x", color=look.color, mew=1.2, clip_on=False,
                  transform=axes.get_xaxis_transform())  # fmt: skip
