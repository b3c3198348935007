"""Figure `weights`: the weights that a search tried, as L-curve and by evidence.

The L-curve is the norm of what is sought against the misfit, both logarithmic: Hansen 1992,
doi:10.1137/1034115. The evidence, where a method has it, is its logarithm over the largest one:
MacKay 1992, doi:10.1162/neco.1992.4.3.415. Neither uses the truth. Points are the steps of the
search; lines all weights at once, in the problem linearised where it ended.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.lines import Line2D

from pdebench_lite.report.figures import style
from pdebench_lite.report.figures.data import Drawn, Group, case_names
from pdebench_lite.report.figures.style import Looks, printable
from pdebench_lite.report.searches import Spectrum, Sweep, spectrum_of, sweep_of
from pdebench_lite.store.records import Record

_FEWEST = 3  # weights that make a figure
_BEYOND = 100.0  # by which lines go on beyond the weights that were tried
_DEEPEST = 60.0  # log-evidence below the best that is still shown
_LINE = ":"  # no line of a backend that finds unknowns


@dataclass(frozen=True)
class _Case:
    label: str
    record: Record
    sweep: Sweep
    spectrum: Spectrum | None


def draw(group: Group) -> Iterator[Drawn]:
    """Yield one figure; of several seeds, the first that tells its weights is shown.

    Runs whose weight was a setting chose none: they are in the figure `against-weight`.
    """
    looks = group.looks
    cases = []
    for label, case in zip(case_names(group.cases()), group.cases(), strict=True):
        if isinstance(case[0].record.config.get("weight"), int | float):
            continue
        told = ((e.record, sweep_of(e.record)) for e in case)
        found = [(r, s) for r, s in told if s is not None and s.weight.size >= _FEWEST][:1]
        cases += [_Case(label, r, s, spectrum_of(r)) for r, s in found]
    if not cases:
        return
    judged = any(np.isfinite(case.sweep.evidence).sum() >= _FEWEST for case in cases)
    rows = 2 if looks.page.narrow and judged else 1
    figure = style.figure(looks.page.full if judged else looks.page.column, 0.6 + 2.0 * rows)
    panels = np.ravel(figure.subplots(rows, 2 if judged and rows == 1 else 1, squeeze=False))
    for shown in cases:
        _case(panels, shown, looks)
    _frame(panels, [shown.sweep for shown in cases])
    style.title(figure, printable(group.label), "weights of the prior that were tried")
    style.legend_below(figure, list(_legend(cases, looks)))
    yield Drawn(figure)


def _case(panels: np.ndarray, case: _Case, looks: Looks) -> None:
    """Draw steps as points, hollow where the norm is that of another prior, and all weights."""
    sweep, color, line = case.sweep, looks[case.record].color, looks.line(case.record)
    same = sweep.prior == sweep.prior[sweep.taken]
    ways = [(sweep.misfit, sweep.norm), (sweep.weight, sweep.evidence)]
    curves = [(x[same], y[same]) for x, y in ways]
    if case.spectrum is not None:
        ends = sweep.weight.min() / _BEYOND, sweep.weight.max() * _BEYOND
        weight = np.geomspace(*ends, 200)
        misfit, norm, evidence = case.spectrum.sweep(weight)
        curves = [(misfit, norm), (weight, evidence)]
    for k, (axes, (x, y), curve) in enumerate(zip(panels, ways, curves, strict=False)):
        best = 0.0 if k == 0 else _largest([*y, *curve[1]])
        axes.plot(curve[0], curve[1] - best, color=color, ls=line, lw=0.9)
        axes.plot(x[same], y[same] - best, color=color, ls="", marker="o", ms=2.5)
        axes.plot(x[~same], y[~same] - best, color=color, ls="", marker="o", ms=3, mfc="w")
        at = x[sweep.taken], y[sweep.taken] - best
        axes.plot(*at, color=color, marker="*", ms=8, mec="w", mew=0.4, zorder=4)
        if k == 0:
            axes.annotate(
                f"{sweep.weight[sweep.taken]:.0e}", at, (5, 5), textcoords="offset points",
                color=color, fontsize=6,
            )  # fmt: skip
    if sweep.explained > 0:
        panels[0].axvline(sweep.explained, color=color, ls=_LINE, lw=0.9, zorder=1)


def _largest(values: list[float]) -> float:
    return max((v for v in values if np.isfinite(v)), default=0.0)


def _legend(cases: list[_Case], looks: Looks) -> Iterator[Artist]:
    for case in cases:
        look, how = looks[case.record], case.record.details.get("weight_by")
        name = f"{case.label}: {how}" if isinstance(how, str) else case.label
        yield Line2D(
            [], [], color=look.color, ls=looks.line(case.record), marker="o", ms=2.5,
            label=printable(name, 100, 44),
        )  # fmt: skip
    yield Line2D([], [], color="k", ls="", marker="*", ms=7, label="taken")
    if any((case.sweep.prior != case.sweep.prior[case.sweep.taken]).any() for case in cases):
        label = "under another prior"
        yield Line2D([], [], color="k", ls="", marker="o", ms=3, mfc="w", label=label)
    if any(case.sweep.explained > 0 for case in cases):
        label = "misfit that is explained"
        yield Line2D([], [], color="k", ls=_LINE, lw=0.9, label=label)


def _frame(panels: np.ndarray, sweeps: list[Sweep]) -> None:
    explained = [s.explained for s in sweeps]
    style.log_axis(panels[0].xaxis, [*explained, *(v for s in sweeps for v in s.misfit)], True)
    style.log_axis(panels[0].yaxis, [v for s in sweeps for v in s.norm], whole=True)
    panels[0].set_xlabel("misfit")
    panels[0].set_ylabel("norm under the prior")
    for axes in panels[1:]:
        style.log_axis(axes.xaxis, [v for s in sweeps for v in s.weight], whole=True)
        axes.set_ylim(-_DEEPEST, 0.05 * _DEEPEST)
        axes.set_xlabel("weight")
        axes.set_ylabel("log-evidence over the best")
    for axes in panels:
        axes.grid(True, which="major", lw=0.3, color="0.9")
        style.bare(axes)
