"""How figures look: sizes of a two-column paper, fonts, colours, file names; drawn with Agg."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import seaborn
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.lines import Line2D

from pdebench_lite.records import Record
from pdebench_lite.report.wording import clean, fold, shorten

FULL, COLUMN = 6.9, 3.4  # inches: both columns of a page, and one
FAILED = "#a00000"
FAINT = "0.55"
LINES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "*", "<", ">", "h")
FORMATS = ("pdf", "png", "svg")

_RC = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "mathtext.fontset": "dejavusans",
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "figure.titlesize": 8,
    "axes.linewidth": 0.6,
    "axes.unicode_minus": True,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "hatch.linewidth": 0.5,
    "pdf.fonttype": 42,
    "ps.fonttype": 42,
    "svg.hashsalt": "pdebench-lite",
    "savefig.dpi": 300,
    "figure.dpi": 100,
    "image.origin": "lower",
}
_FAMILY_COLOR = {"supervised": 0, "physics-informed": 3, "differentiable physics": 2}
_CLASSICAL = (0.25, 0.25, 0.25)


@contextmanager
def styled() -> Iterator[None]:
    """Draw with our settings, whatever the user's matplotlibrc says; restored afterwards."""
    settings: dict[str, Any] = {**seaborn.axes_style("ticks"), **_RC}
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(settings)
        yield


@dataclass(frozen=True)
class Look:
    """How one method is drawn in every figure: colour and marker; the line is its backend's."""

    color: tuple[float, float, float]
    marker: str


class Looks:
    """Colours and markers by method label, lines by backend; they depend on the names alone.

    The bare methods of each family take the family's colour; every other label takes the next free
    colour of a palette that the colour-blind can tell apart, in alphabetical order. Markers and
    lines tell methods and backends apart in grey.

    Args:
        records: all the records that may be drawn.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        records = list(records)
        palette = [tuple(c) for c in seaborn.color_palette("colorblind", 10)]
        family = {r.label: r.family for r in records}
        bare = {r.label for r in records if r.label == r.method}
        chosen: dict[str, Any] = {}
        for label in sorted(family, key=lambda name: (name not in bare, name)):
            first = _FAMILY_COLOR.get(family[label])
            own = _CLASSICAL if family[label] == "classical" else None
            own = palette[first] if first is not None else own
            if own is not None and own not in chosen.values():
                chosen[label] = own
        free = [c for k, c in enumerate(palette) if k not in _FAMILY_COLOR.values() and k != 7]
        rest = [label for label in sorted(family) if label not in chosen]
        chosen |= {label: free[k % len(free)] for k, label in enumerate(rest)}
        self.methods = {
            label: Look(color, MARKERS[k % len(MARKERS)])
            for k, (label, color) in enumerate(chosen.items())
        }
        names = sorted({r.backend for r in records}, key=lambda b: (b != "torch", b != "jax", b))
        self.backends = {name: LINES[k % len(LINES)] for k, name in enumerate(names)}

    def __getitem__(self, record: Record) -> Look:
        return self.methods[record.label]

    def line(self, record: Record) -> Any:
        """Return the line style of a record's backend."""
        return self.backends[record.backend]

    def legend(self, records: Sequence[Record], failures: bool = False) -> list[Line2D]:
        """Return legend entries: a colour per method, a line per backend, a cross for failures."""
        handles = [
            Line2D([], [], color=look.color, marker=look.marker, label=printable(label, 40))
            for label, look in self.methods.items()
            if any(r.label == label for r in records)
        ]
        backends = [b for b in self.backends if any(r.backend == b for r in records)]
        if len(backends) > 1:
            for name in backends:
                line = self.backends[name]
                handles.append(Line2D([], [], color="k", ls=line, label=printable(name, 20)))
        if failures:
            handles.append(
                Line2D([], [], color=FAILED, ls="", marker="x", mew=1.2, label="failed")
            )  # fmt: skip
        return handles


# ---- text ------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def printable(text: str, length: int = 60, width: int = 0) -> str:
    """Return text that matplotlib shows as it is: no mathematics, no missing glyphs.

    Args:
        text: anything.
        length: characters after which it is cut.
        width: where to break a selector into lines; 0: nowhere.
    """
    glyphs = _glyphs()
    text = "".join(c if ord(c) in glyphs else "?" for c in shorten(clean(text), length))
    text = (fold(text, width) if width else text).replace("$", r"\$")
    return f"\N{HAIR SPACE}{text}" if text.startswith("_") else text


def axis_label(name: str, units: str = "") -> str:
    """Return the label of an axis: its name and its unit, unless it is dimensionless."""
    unit = "" if units in ("", "dimensionless", "1") else f" ({printable(units, 30)})"
    return printable(name, 30) + unit


def slug(label: str) -> str:
    """Return a file name made of letters, digits, dots and hyphens, unique for the label."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9.=]+", "-", plain).replace("..", ".").strip("-.=")[:80]
    name = name.replace("=", "")
    lossless = re.fullmatch(r"[A-Za-z0-9:,=.\[\]-]+", label) and len(label) <= 80
    if lossless and name:
        return name
    return f"{name or 'problem'}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


# ---- figures ---------------------------------------------------------------------------------


def figure(width: float, height: float) -> Figure:
    """Make a figure of that size in inches, outside pyplot's global state."""
    made = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(made)
    return made


def save(drawn: Figure, stem: Path, formats: Sequence[str]) -> list[Path]:
    """Write a figure in each format, byte for byte the same each time."""
    paths = []
    for suffix in formats:
        path = stem.with_name(f"{stem.name}.{suffix}")
        stamp = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(suffix)
        drawn.savefig(path, format=suffix, metadata=stamp)
        paths.append(path)
    return paths


def bare(axes: Axes) -> None:
    """Take away the upper and right spine."""
    seaborn.despine(ax=axes)


def log_limits(values: Iterable[float], margin: float = 1.6) -> tuple[float, float] | None:
    """Return limits of a logarithmic axis around positive values, at least a decade."""
    array = np.array([v for v in values if v is not None and np.isfinite(v) and v > 0])
    if not array.size:
        return None
    low, high = float(array.min()) / margin, float(array.max()) * margin
    if high / low < 10:
        middle = np.sqrt(low * high)
        low, high = float(middle / 10**0.5), float(middle * 10**0.5)
    return low, high
