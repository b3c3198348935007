"""Figure `work-precision`: median error against charged time over seeds, and classical curves."""

from collections.abc import Iterator

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from pdebench_lite.analysis.courses import Course, courses
from pdebench_lite.analysis.entrants import Contest
from pdebench_lite.analysis.statistics import median
from pdebench_lite.report.figures import legends, style
from pdebench_lite.report.figures.data import Drawn, Group
from pdebench_lite.report.figures.style import Looks, axis_of, printable
from pdebench_lite.report.quantities import described

_MOST_MOMENTS = 400


def draw(group: Group) -> Iterator[Drawn]:
    """Yield one figure: a line per method, a band over its seeds, resolutions of solvers joined."""
    contest, looks = group.race(), group.looks
    if not contest.entrants:
        return
    drawn = [course for course in courses(contest.entrants) if not course.targeted]
    if not any(outcome.seconds.size for e in contest.entrants for outcome in e.outcomes):
        group.say(f"{contest.label}: no work–precision figure, no record has a history")
        return
    figure = style.figure(looks.page.column, 2.9)
    axes = figure.subplots()
    curves = [(course, *curve(course)) for course in drawn]
    shown = [c for c in curves if np.isfinite(c[2]).any()]
    style.log_axis(axes.xaxis, [float(t) for _, ts, *_ in shown for t in ts])
    errors = [v for _, _, *parts in shown for part in parts for v in part[np.isfinite(part)]]
    style.log_axis(axes.yaxis, [float(v) for v in errors])
    missed: list[Course] = []
    banded = False
    for course, seconds, middle, low, high in curves:
        if not np.isfinite(middle).any():
            missed.append(course)
            continue
        many = len(course.entrants[0].outcomes) > 1
        banded |= many and course.curve is None
        _line(axes, course, seconds, middle, low, high, looks)
    for k, course in enumerate(missed):  # no median: a cross at the top, in its own colour
        place, color = (0.04 + 0.05 * k, 0.97), legends.look_of(course, looks).color
        axes.plot(*place, "x", color=color, transform=axes.transAxes, mew=1.2)
    _bound(axes, contest, errors)
    axes.set_xlabel(axis_of(described("charged_s")))
    axes.set_ylabel(axis_of(described(contest.metric)))
    axes.grid(True, which="major", lw=0.3, color="0.9")
    style.bare(axes)
    style.title(figure, printable(contest.label), "work and precision")
    explained: list[Artist] = [*legends.handles(drawn, looks)]
    if banded:
        explained.append(Patch(color="0.5", alpha=0.3, lw=0, label="all seeds"))
    if missed:
        explained.append(Line2D([], [], color="k", ls="", marker="x", label="no median: failed"))
    style.legend_below(figure, explained)
    yield Drawn(figure)


def curve(course: Course) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return times, and median, smallest and largest error over seeds then; ∞ for a miss."""
    if course.curve is not None:
        points = np.array(course.curve.points())
        points = points[np.isfinite(points).all(axis=1)]
        return points[:, 0], points[:, 1], points[:, 1], points[:, 1]
    moments = np.unique(np.concatenate([o.seconds for o in course.entrants[0].outcomes]))
    if moments.size > _MOST_MOMENTS:
        kept = np.linspace(0, moments.size - 1, _MOST_MOMENTS).round().astype(int)
        moments = moments[kept]
    known = [(t, values) for t in moments[moments > 0] if (values := course.at(float(t)))]
    seconds = np.array([t for t, _ in known])
    runs = len(course.entrants[0].outcomes)
    errors = np.array([values for _, values in known]).reshape(len(known), runs)
    return seconds, median(errors), errors.min(axis=1), errors.max(axis=1)


def _line(
    axes: Axes,
    course: Course,
    seconds: np.ndarray,
    middle: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    looks: Looks,
) -> None:
    look, line = legends.look_of(course, looks), legends.line_of(course, looks)
    if course.curve is not None:
        axes.plot(seconds, middle, color=look.color, marker=look.marker, zorder=4)
        return
    axes.step(seconds, middle, where="post", color=look.color, ls=line)
    top = axes.get_ylim()[1]
    if course.entrants[0].failures:  # the band of a method that fails is open above
        high = np.where(np.isfinite(low), np.minimum(high, top), high)
    band = np.isfinite(high) & (high > low)
    axes.fill_between(
        seconds, low, high, where=band, step="post", color=look.color, alpha=0.18, lw=0
    )  # fmt: skip
    last = np.flatnonzero(np.isfinite(middle))[-1]
    axes.plot(seconds[last], middle[last], look.marker, color=look.color, mec="w", mew=0.4)


def _bound(axes: Axes, contest: Contest, errors: list[float]) -> None:
    """Shade what lies below the bound of the reference, if that can be seen."""
    if contest.bound is None or contest.metric != "rel_l2":
        return
    bottom = axes.get_ylim()[0]
    if contest.bound > bottom:
        axes.axhspan(bottom, contest.bound, color="0.9", lw=0)
    text = f"reference bound {contest.bound:.0e}" + (", shaded" if contest.bound > bottom else "")
    axes.set_title(text, loc="right", color="0.35", fontsize=6.5)
