"""Figures for papers: one per file, drawn from records alone; matplotlib is loaded when one is."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pdebench_lite.errors import PdebenchError, unknown_name
from pdebench_lite.registry.figure import Figure
from pdebench_lite.selectors import parse_selector
from pdebench_lite.store.records import Record, Store

if TYPE_CHECKING:
    from pdebench_lite.report.figures.data import Drawn as Drawn
    from pdebench_lite.report.figures.data import Group as Group

_KINDS = ("figure",)
DEFAULT_FORMATS = ("pdf", "svg", "png")

FIGURES = (
    Figure("maps", "reference, and per method solution and error, as maps",
           f"{__name__}.maps:draw"),
    Figure("convergence", "the ranked errors against charged time, every run a line",
           f"{__name__}.convergence:draw"),
    Figure("costs", "accuracy, time and memory, one row per method and backend",
           f"{__name__}.costs:draw"),
    Figure("slices", "the field over its space axis at four times, with the data",
           f"{__name__}.slices:draw"),
    Figure("posterior", "an unknown as found, with the band that the method states",
           f"{__name__}.posterior:draw"),
    Figure("spectrum", "singular values of the observation operator",
           f"{__name__}.spectra:draw"),
    Figure("weights", "the weights that a search tried, as L-curve and by evidence",
           f"{__name__}.weights:draw"),
    Figure("work-precision", "median error against charged time over seeds",
           f"{__name__}.work_precision:draw"),
    Figure("against", "the final error against every number that a study varies",
           f"{__name__}.sweeps:draw", per="all"),
    Figure("profiles", "performance profiles over problems and errors",
           f"{__name__}.profiles:draw", per="all"),
)  # fmt: skip


def plot_all(
    store: Store,
    records: Iterable[Record],
    out: Path,
    formats: Sequence[str] = DEFAULT_FORMATS,
    say: Callable[[str], None] = lambda line: None,
    page: str = "plain",
    figures: Sequence[str] = (),
) -> list[Path]:
    """Draw figures of every problem; returns the files, `{problem}-{figure}.{format}`.

    A number that a study varies has a figure `{problem}-against-{number}`. Figures over all
    problems together are `all-{figure}.{format}`.

    Args:
        store: results folder, where fields and histories are.
        records: which records to draw, whatever their status; their order is kept.
        out: folder for the figures; made if it is missing.
        formats: any of pdf, png, svg.
        say: hears, in one line each, of figures that could not be drawn and why.
        page: what the figures are made for: plain, neurips, icml, jcp, column or slide.
        figures: which are drawn, `NAME` or `NAME[key=value]`; empty means all.

    Raises:
        PdebenchError: an unknown format, page, figure or option, or a folder that cannot be
            written.
    """
    from pdebench_lite.report.figures import style
    from pdebench_lite.report.figures.data import Entry, Group, groups

    for suffix in formats:
        if suffix not in style.FORMATS:
            raise unknown_name("figure format", suffix, style.FORMATS)
    asked = [_asked(name) for name in figures or _every()]
    records, out = list(records), Path(out)
    names: dict[str, str] = {}
    paths: list[Path] = []

    def keep(figure: Figure, group: Group) -> None:
        for drawn in _drawn(figure, group):
            label = drawn.label or group.label
            name = style.slug(label, names)
            names[name] = label
            stem = out / f"{name}-{drawn.name or figure.name}{drawn.suffix}"
            paths.extend(style.save(drawn.figure, stem, formats))

    try:
        out.mkdir(parents=True, exist_ok=True)
        made_for = style.page(page)
        with style.styled(made_for):
            shared = {"looks": style.Looks(records, made_for), "say": say, "store": store}
            parts = []
            for group in groups(store, records):
                for figure, options in asked:
                    if figure.per == "problem":
                        keep(figure, group.with_(**shared, options=options))
                parts.append(group.without_arrays())
            every = [Entry(r, store.folder(r.cell)) for r in records]
            for figure, options in asked:
                if figure.per == "all":
                    whole = Group("all", every, parts=parts)
                    keep(figure, whole.with_(**shared, options=options))
    except OSError as error:
        reason = error.strerror or error
        raise PdebenchError(f"cannot write figures to '{out}': {reason}") from None
    return paths


def _every() -> list[str]:
    from pdebench_lite.registry.discovery import registry

    return list(registry(_KINDS).figures)


def _asked(text: str) -> "tuple[Figure, object]":
    """Return the figure that a selector names, and its options."""
    from pdebench_lite.registry.discovery import registry

    chosen = parse_selector(text)
    figure = registry(_KINDS).figure(chosen.name)
    return figure, figure.options(dict(chosen.values))


def _drawn(figure: Figure, group: "Group") -> "Iterator[Drawn]":
    """Draw one kind of figure; one of a plugin that fails is a line, as a failed run is a row."""
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.report.figures.data import Drawn

    try:
        found = figure.function()(group)
        found = [] if found is None else found
        for one in found if isinstance(found, Iterable) else [found]:
            yield one if isinstance(one, Drawn) else Drawn(one)
    except Exception as error:
        if figure in FIGURES or isinstance(error, OSError | PdebenchError):
            raise
        owner = registry(_KINDS).owners.get(("figure", figure.name), "a plugin")
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"
        group.say(f"{group.label}: no figure {figure.name} of {owner}: {why}")
