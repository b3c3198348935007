"""How courses are drawn and explained: one look per method, one line per backend."""

from collections.abc import Sequence
from typing import Any

from matplotlib.lines import Line2D

from pdebench_lite.analysis.courses import Course
from pdebench_lite.report.figures.style import Look, Looks, printable


def look_of(course: Course, looks: Looks) -> Look:
    """Return the look of a course; a curve has that of its method, whatever its resolutions."""
    record = course.entrants[0].record
    return looks.methods[record.method] if course.curve is not None else looks[record]


def line_of(course: Course, looks: Looks) -> Any:
    """Return the line style of a course: its backend's; a curve is drawn in full."""
    return "-" if course.curve is not None else looks.line(course.entrants[0].record)


def handles(drawn: Sequence[Course], looks: Looks) -> list[Line2D]:
    """Return legend entries: a colour per method, and a line per backend if there are several."""
    methods: dict[str, Look] = {}
    for course in drawn:
        methods.setdefault(course.key.label, look_of(course, looks))
    made = [
        Line2D([], [], color=look.color, marker=look.marker, label=printable(label, 60, 30))
        for label, look in methods.items()
    ]
    backends = {course.key.backend for course in drawn if course.curve is None}
    for name in (b for b in looks.backends if b in backends and len(backends) > 1):
        made.append(Line2D([], [], color="k", ls=looks.backends[name], label=printable(name, 20)))
    return made
