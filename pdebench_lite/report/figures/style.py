"""How figures look: sizes of a two-column paper, fonts, colours, file names; drawn with Agg."""

import hashlib
import io
import itertools
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import seaborn
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.ticker import NullFormatter

from pdebench_lite.analysis.wording import clean, fold, shorten
from pdebench_lite.errors import unknown_name
from pdebench_lite.files import write_whole
from pdebench_lite.registry.discovery import registry
from pdebench_lite.registry.quantity import Quantity
from pdebench_lite.store.records import Record

FAILED = "#a00000"
FAINT = "0.55"
LINES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)))
MARKERS = ("v", "P", "*", "<", ">", "h", "X", "d", "p")
FORMATS = ("pdf", "png", "svg")
_FEW = 8  # entries; a legend of more is set smaller
_LEGENDS = ((7.0, 2.4, 1.6), (6.0, 2.2, 1.0))  # points; line and gap of columns in font sizes
_LEGEND = 0.36  # inches of its height that a figure has room for
# P. Tol, "Colour Schemes", SRON/EPS/TN/09-002, 2021, "muted": all colour-blind tell them apart.
_MORE_COLORS = ("#332288", "#117733", "#882255", "#999933", "#44aa99", "#aa4499")
_DARKER = 0.6  # than any of these, where methods outnumber them
# Dark and of little chroma, so that no classical solver is taken for a method that learns.
_CLASSICAL = ("#404040", "#7a5230", "#4f6d8f", "#66702f", "#7d5573")

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
_FAMILIES: dict[str, tuple[int | None, str]] = {  # place in the palette (None: dark grey), marker
    "supervised": (0, "o"),
    "physics-informed": (3, "s"),
    "differentiable physics": (2, "^"),
    "classical": (None, "D"),
}


@dataclass(frozen=True)
class Page:
    """What figures are made for.

    Attributes:
        full, column: widths in inches of a figure across the page, and of one in a column.
        serif: whether the text around them is set with serifs.
    """

    full: float
    column: float
    serif: bool = False

    @property
    def narrow(self) -> bool:
        """Whether there is no room for panels side by side."""
        return self.full < 4.5


PLAIN = Page(6.9, 3.4)  # both columns of a usual two-column page, and one
STYLES = ("plain", "neurips", "icml", "jcp", "column", "slide")


def page(name: str) -> Page:
    """Return what figures of a style are made for.

    Widths of conferences and slides are those of tueplots; J. Comput. Phys. prints columns of 90
    and pages of 190 mm (Elsevier's artwork sizing). A slide is drawn small, to be enlarged.

    Raises:
        PdebenchError: an unknown style.
    """
    from tueplots import figsizes  # type: ignore[import-untyped]

    def width(size: Mapping[str, Any]) -> float:
        return float(size["figure.figsize"][0])

    if name == "plain":
        return PLAIN
    if name == "column":
        return Page(PLAIN.column, PLAIN.column)
    if name == "neurips":
        return Page(width(figsizes.neurips2024()), width(figsizes.neurips2024(rel_width=0.6)), True)
    if name == "icml":
        return Page(width(figsizes.icml2024_full()), width(figsizes.icml2024_half()), True)
    if name == "jcp":
        return Page(190 / 25.4, 90 / 25.4, True)
    if name == "slide":
        return Page(width(figsizes.beamer_169()), width(figsizes.beamer_169()))
    raise unknown_name("style", name, STYLES)


@contextmanager
def styled(of: Page = PLAIN) -> Iterator[None]:
    """Draw with our settings, whatever the user's matplotlibrc says; restored afterwards."""
    settings: Any = {**seaborn.axes_style("ticks"), **_RC}
    if of.serif:
        settings |= {"font.family": ["STIXGeneral", "DejaVu Sans"], "mathtext.fontset": "stix"}
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

    The first bare method of each family takes the family's colour; every other label takes the
    next free colour of a palette that the colour-blind can tell apart, then the same ones darker:
    methods of few settings first, in alphabetical order.
    Classical solvers have dark colours of their own, one for all resolutions of a solver. Markers
    and lines tell methods and backends apart in grey.

    Args:
        records: all the records that may be drawn.
        made_for: the page.
    """

    def __init__(self, records: Iterable[Record], made_for: Page = PLAIN) -> None:
        self.page = made_for
        records = list(records)
        palette: list[Any] = [tuple(c) for c in seaborn.color_palette("colorblind", 10)]
        family = {r.label: r.family for r in records}
        family |= {r.method: r.family for r in records if r.family == "classical"}  # its curve
        bare = {r.method for r in records} & set(family)
        self.methods: dict[str, Look] = {}
        known = registry().methods
        guests = {m for m in bare if m in known and known[m].requires}  # other people's libraries
        for label in sorted(family, key=lambda name: (name not in bare, name in guests, name)):
            place, marker = _FAMILIES.get(family[label], (0, ""))
            look = Look(to_rgb(_CLASSICAL[0]) if place is None else palette[place], marker)
            if marker and look not in self.methods.values():
                self.methods[label] = look
        taken = {0, 2, 3, 6, 7, 8}  # the families' own, a grey, and two too light for lines
        free = [color for k, color in enumerate(palette) if k not in taken]
        free += [to_rgb(color) for color in _MORE_COLORS]
        free += [tuple(_DARKER * part for part in color) for color in free]
        method = {r.label: r.method for r in records if r.family == "classical"}
        rest = [label for label in sorted(family) if label not in self.methods]
        settings = Counter(label.partition("[")[0] for label in rest)  # a sweep's come last
        rest.sort(key=lambda label: settings[label.partition("[")[0]])
        rest.sort(key=lambda label: label in method and label != method[label])
        colors = itertools.cycle(free)
        dark = itertools.cycle(map(to_rgb, _CLASSICAL[1:]))  # the first is the family's own
        for k, label in enumerate(rest):
            kin = self.methods.get(method.get(label, ""))  # resolutions of a solver look alike
            color = kin.color if kin else next(dark if label in method else colors)
            self.methods[label] = Look(color, MARKERS[k % len(MARKERS)])
        names = sorted({r.backend for r in records}, key=lambda b: (b != "torch", b != "jax", b))
        self.backends = {name: LINES[k % len(LINES)] for k, name in enumerate(names)}

    def __getitem__(self, record: Record) -> Look:
        return self.methods[record.label]

    def line(self, record: Record) -> Any:
        """Return the line style of a record's backend."""
        return self.backends[record.backend]

    def legend(self, records: Sequence[Record], failures: bool = False) -> list[Line2D]:
        """Return legend entries: a colour per method, a line per backend, a cross for failures."""
        entries: dict[str, Look] = {}
        for record in records:  # settings of a solver share one entry: they share its colour
            labels = {r.label for r in records if r.method == record.method}
            if record.family == "classical" and len(labels) > 1:
                name = f"{record.method} ({len(labels)} settings)"
                entries[name] = self.methods[record.method]
            else:
                entries[record.label] = self[record]
        handles = [
            Line2D([], [], color=look.color, marker=look.marker, label=printable(label, 60, 30))
            for label, look in entries.items()
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


def axis_of(quantity: Quantity) -> str:
    """Return the label of an axis that shows a quantity: its plain words and its unit."""
    unit = f" ({printable(quantity.unit, 30)})" if quantity.unit else ""
    return printable(quantity.label, 60) + unit


def slug(label: str, taken: Mapping[str, str] | None = None) -> str:
    """Return a file name of letters, digits, dots and hyphens, whatever the label holds.

    Args:
        label: what is named.
        taken: names in use, name -> label; a name that stands for another label gets a hash.
    """
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9.]+", "-", plain.replace("=", "")).strip("-.")
    name = re.sub(r"\.{2,}", ".", name)[:80]
    plain_enough = re.fullmatch(r"[A-Za-z0-9:,=.\[\]-]+", label) and 0 < len(name) < 80
    if plain_enough and (taken or {}).get(name, label) == label:
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
    drawn.draw_without_rendering()  # lay it out once, then keep that
    drawn.set_layout_engine("none")
    paths = []
    for suffix in formats:
        path = stem.with_name(f"{stem.name}.{suffix}")
        stamp = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(suffix)
        made = io.BytesIO()
        drawn.savefig(made, format=suffix, metadata=stamp)
        write_whole(path, made.getvalue())
        paths.append(path)
    return paths


def title(drawn: Figure, of: str, what: str) -> None:
    """Put `of: what` over a figure, in lines that its width has room for."""
    room = drawn.get_figwidth() - 0.1
    size = float(matplotlib.rcParams["figure.titlesize"])
    text = f"{of}: {what}"
    if _inches(text, size) > room:
        letters = int(len(of) * room / max(_inches(of, size), room))
        text = f"{fold(of, letters)}:\n{what}"
    drawn.suptitle(text, x=0.01, ha="left")


def legend_below(drawn: Figure, handles: Sequence[Artist], title: str = "") -> None:
    """Put a legend under a figure, in as many columns as its labels leave room for.

    A figure has room for two rows of entries; for more it grows, so that the panels keep theirs.
    """
    width = drawn.get_figwidth() - 0.15
    labels = [str(handle.get_label()) for handle in handles]
    for points, line, gap in _LEGENDS:
        sizes = [_inches(text, points) + (line + 0.8 + gap) * points / 72 for text in labels]
        columns = _columns(sizes, width)
        if len(handles) <= min(_FEW, 4 * columns):
            break
    made = drawn.legend(
        handles=list(handles), loc="outside lower center", ncols=columns, handlelength=line,
        columnspacing=gap, title=title, title_fontsize=6.5, fontsize=points,
    )  # fmt: skip
    tall = made.get_window_extent().height / drawn.dpi
    drawn.set_figheight(drawn.get_figheight() + max(0.0, tall - _LEGEND))


def _columns(sizes: Sequence[float], width: float) -> int:
    """Return into how many columns entries of these widths fit; they run down the columns."""

    def room(columns: int) -> float:
        parts = np.array_split(np.array(sizes), columns)
        return sum(float(part.max()) for part in parts)

    return max((n for n in range(1, len(sizes) + 1) if room(n) < width), default=1)


def _inches(text: str, points: float) -> float:
    """Return the width of text, the widest of its lines, at a size of font."""
    font = FontProperties(size=points)
    lines = text.split("\n")
    widths = [text_to_path.get_text_width_height_descent(t, font, False)[0] for t in lines]
    return float(max(widths)) / 72


def bare(axes: Axes) -> None:
    """Take away the upper and right spine."""
    seaborn.despine(ax=axes)


def log_axis(axis: Axis, values: Iterable[float], whole: bool = False) -> None:
    """Make an axis logarithmic around positive values; only powers of ten are labelled.

    Args:
        axis: `axes.xaxis` or `axes.yaxis`.
        values: what has to be seen.
        whole: whether the axis ends at powers of ten; so it does where it would show less than two.
    """
    axes, horizontal = axis.axes, isinstance(axis, XAxis)
    (axes.set_xscale if horizontal else axes.set_yscale)("log")
    array = np.array([v for v in values if np.isfinite(v) and v > 0])
    low, high = (float(array.min()), float(array.max())) if array.size else (0.1, 1.0)
    if whole or np.floor(np.log10(high * 1.6)) - np.ceil(np.log10(low / 1.6)) < 1:
        low, high = 10.0 ** np.floor(np.log10(low / 1.1)), 10.0 ** np.ceil(np.log10(high * 1.1))
    else:
        low, high = low / 1.6, high * 1.6
    (axes.set_xlim if horizontal else axes.set_ylim)(low, high)
    axis.set_minor_formatter(NullFormatter())
