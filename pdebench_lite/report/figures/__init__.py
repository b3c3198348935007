"""Figures for papers: one per file, drawn from records alone; matplotlib is loaded when one is."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from pdebench_lite.errors import PdebenchError, unknown_name
from pdebench_lite.store.records import Record, Store

DEFAULT_FORMATS = ("pdf", "svg", "png")


def plot_all(
    store: Store,
    records: Iterable[Record],
    out: Path,
    formats: Sequence[str] = DEFAULT_FORMATS,
    say: Callable[[str], None] = lambda line: None,
    page: str = "plain",
) -> list[Path]:
    """Draw every figure of every problem; returns the files, `{problem}-{what}.{format}`.

    A number that a study varies has a figure `{problem}-against-{number}`. Performance profiles
    are over all problems together: `all-profiles.{format}`.

    Args:
        store: results folder, where fields and histories are.
        records: which records to draw, whatever their status; their order is kept.
        out: folder for the figures; made if it is missing.
        formats: any of pdf, png, svg.
        say: hears, in one line each, of figures that could not be drawn and why.
        page: what the figures are made for: plain, neurips, icml, jcp, column or slide.

    Raises:
        PdebenchError: an unknown format or page, or a folder that cannot be written.
    """
    from pdebench_lite.analysis.entrants import Source, contest
    from pdebench_lite.report.figures import (
        convergence,
        costs,
        maps,
        posterior,
        profiles,
        slices,
        spectra,
        style,
        sweeps,
        weights,
        work_precision,
    )
    from pdebench_lite.report.figures.data import groups

    for suffix in formats:
        if suffix not in style.FORMATS:
            raise unknown_name("figure format", suffix, style.FORMATS)
    records, out = list(records), Path(out)
    paths: list[Path] = []
    names: dict[str, str] = {}
    drawers = {
        "maps": maps,
        "convergence": convergence,
        "costs": costs,
        "slices": slices,
        "posterior": posterior,
        "spectrum": spectra,
        "weights": weights,
    }
    try:
        out.mkdir(parents=True, exist_ok=True)
        made_for = style.page(page)
        with style.styled(made_for):
            looks = style.Looks(records, made_for)
            raced = []
            for group in groups(store, records):
                name = style.slug(group.label, names)
                names[name] = group.label
                for what, module in drawers.items():
                    for part, drawn in module.draw(group, looks, say):
                        stem = out / f"{name}-{what}{part}"
                        paths += style.save(drawn, stem, formats)
                race = contest(group.label, [(Source(store), r) for r in group.records])
                if race.entrants:
                    raced.append(race)
                    for _, drawn in work_precision.draw(race, looks, say):
                        paths += style.save(drawn, out / f"{name}-work-precision", formats)
            for label, part, drawn in sweeps.draw(store, records, looks, say):
                name = style.slug(label, names)
                names[name] = label
                paths += style.save(drawn, out / f"{name}{part}", formats)
            for _, drawn in profiles.draw(raced, looks, say):
                paths += style.save(drawn, out / "all-profiles", formats)
    except OSError as error:
        reason = error.strerror or error
        raise PdebenchError(f"cannot write figures to '{out}': {reason}") from None
    return paths
