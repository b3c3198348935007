"""How methods look on the page: the colours, markers and lines of the figures."""

from typing import Any

import numpy as np

from pdebench_lite.compare.courses import Course
from pdebench_lite.compare.entrants import Entrant
from pdebench_lite.report.figures.legends import line_of, look_of
from pdebench_lite.report.figures.style import Look, Looks
from pdebench_lite.report.web.tables import Json

_SYMBOLS = {
    "o": "circle", "s": "square", "^": "triangle-up", "v": "triangle-down", "D": "diamond",
    "d": "diamond-tall", "P": "cross", "X": "x", "*": "star", "h": "hexagon", "p": "pentagon",
    "<": "triangle-left", ">": "triangle-right",
}  # fmt: skip
_SCALES = {"signed": "RdBu_r", "plain": "viridis", "error": "magma"}
_STOPS = 17
_WIDTH = 2.0  # pixels of a line, which lengths of dashes are multiples of


def entrant_look(entrant: Entrant, looks: Looks) -> Json:
    """Return how an entrant is drawn."""
    return _look(looks[entrant.record], looks.line(entrant.record))


def course_look(course: Course, looks: Looks) -> Json:
    """Return how a course is drawn."""
    return _look(look_of(course, looks), line_of(course, looks))


def scales() -> Json:
    """Return the colour scales of maps as stops, (place, colour), by what they are used for."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    places = np.linspace(0, 1, _STOPS)
    return {
        use: [[float(place), to_hex(colormaps[name](place))] for place in places]
        for use, name in _SCALES.items()
    }


def _look(look: Look, line: Any) -> Json:
    """Return a look; `neutral` says that the colour is a grey, which follows the page's theme."""
    red, green, blue = (round(255 * part) for part in look.color)
    return {
        "color": f"#{red:02x}{green:02x}{blue:02x}",
        "neutral": red == green == blue,
        "symbol": _SYMBOLS.get(look.marker, "circle"),
        "dash": "solid" if line == "-" else ",".join(f"{_WIDTH * part:g}px" for part in line[1]),
    }
