"""How methods look on the page: the colours, markers and lines of the figures."""

from typing import Any, TypeAlias

import numpy as np

from pdebench_lite.analysis.courses import Course
from pdebench_lite.analysis.entrants import Entrant
from pdebench_lite.report.figures.legends import line_of, look_of
from pdebench_lite.report.figures.style import Look, Looks
from pdebench_lite.report.web.tables import Json

Color: TypeAlias = tuple[float, float, float]

_SYMBOLS = {
    "o": "circle", "s": "square", "^": "triangle-up", "v": "triangle-down", "D": "diamond",
    "d": "diamond-tall", "P": "cross", "X": "x", "*": "star", "h": "hexagon", "p": "pentagon",
    "<": "triangle-left", ">": "triangle-right",
}  # fmt: skip
_SCALES = {"signed": "RdBu_r", "plain": "viridis", "error": "magma"}
_STOPS = 17
_DARK = (20 / 255, 23 / 255, 27 / 255)  # the page's background in the dark theme
_CONTRAST = 3.0  # of lines with the background, WCAG 2.1, success criterion 1.4.11
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


def lightened(color: Color) -> Color:
    """Mix a colour with white until it stands out from the dark page."""
    for white in np.linspace(0, 1, 41):
        red, green, blue = (float(part + white * (1 - part)) for part in color)
        if contrast((red, green, blue), _DARK) >= _CONTRAST:
            break
    return red, green, blue


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of two sRGB colours, 1 to 21, as WCAG 2.1 defines it."""
    low, high = sorted(_luminance(color) for color in (one, other))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Color) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in color]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def _hex(color: Color) -> str:
    red, green, blue = (round(255 * part) for part in color)
    return f"#{red:02x}{green:02x}{blue:02x}"


def _look(look: Look, line: Any) -> Json:
    """Return a look; `neutral` says that the colour is a grey, which follows the page's theme."""
    red, green, blue = look.color
    return {
        "color": _hex(look.color),
        "on_dark": _hex(lightened(look.color)),
        "neutral": red == green == blue,
        "symbol": _SYMBOLS.get(look.marker, "circle"),
        "dash": "solid" if line == "-" else ",".join(f"{_WIDTH * part:g}px" for part in line[1]),
    }
