"""What was decided, as a document in Markdown and a figure for each claim."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from textwrap import fill
from typing import TYPE_CHECKING

from pdebench_claims.claim import Part, shown
from pdebench_claims.deciding import Decision
from pdebench_lite.analysis.provenance import measured
from pdebench_lite.files import write_whole
from pdebench_lite.report._markdown import escape
from pdebench_lite.store.marks import is_version
from pdebench_lite.store.records import Record
from pdebench_lite.text import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLORS = {"yes": "#1b7837", "no": "#a00000", "open": "0.45"}
_MARKERS = {"yes": "o", "no": "X", "open": "D"}
_LABEL = 42  # characters of a line beside or below the axes
_WORDS = {"yes": "as claimed", "no": "not as claimed", "open": "undecided"}


def document(decisions: Sequence[Decision], figures: str = "") -> str:
    """Write the verdicts: a table of all, then experiment, rule and figures of each.

    Args:
        decisions: what was decided.
        figures: folder of the figures, relative to the document; empty for none.
    """
    lines = [
        "# Claims, measured",
        "",
        "Written by `pdebench claims`. A verdict follows from records by the rule beside it: the "
        "whole 95% bootstrap interval over seeds has to lie on the side that the claim asks for. "
        "What is computed once, or is the largest of all seeds, is compared as it is.",
        "",
        "| claim | verdict |",
        "| :--- | :--- |",
    ]
    for d in decisions:
        name = d.claim.name
        lines.append(f"| [{escape(d.claim.says)}](#{name}) | {escape(d.verdict)} |")
    for d in decisions:
        lines += ["", *_section(d, figures)]
    return "\n".join(lines) + "\n"


def _section(d: Decision, figures: str) -> Iterable[str]:
    claim, store = d.claim, d.evidence.store
    yield f'<a id="{claim.name}"></a>'
    yield ""
    yield f"## {escape(claim.says)}"
    yield ""
    yield f"*Source:* {escape(claim.source)}  "
    yield f"*Figure:* {escape(claim.measure)}  "
    yield f"*Rule:* {escape(claim.rule)}  "
    yield f"**Verdict: {escape(d.verdict)}**"
    yield ""
    yield "| condition | measured | 95% interval | asked | runs | as claimed |"
    yield "| :--- | ---: | :--- | :--- | ---: | :--- |"
    for part in d.parts:
        yield _row(part)
    if figures:
        yield ""
        yield f"![{escape(claim.says)}]({figures}/{claim.name}.png)"
    yield ""
    records = d.evidence.records
    if not records:
        yield "*Conditions:* no cell is run; it is computed from what is installed."
        return
    failed = sum(record.failed for record in records)
    known = (measured(records, store.environment), _libraries(records), _loads(records))
    said = [f"{counted(len(records), 'cell')}, {failed} failed", *map(escape, filter(None, known))]
    yield f"*Conditions:* {'; '.join(said)}; on the CPU."
    yield ""
    if claim.experiments:
        yield "```sh"
        yield from (experiment.command for experiment in claim.experiments)
        yield "```"


def _libraries(records: Sequence[Record]) -> str:
    """Name the versions of libraries that the figures come from: `jax 0.10, numpy 2.4`."""
    marks = {mark for record in records for mark in record.fingerprint.items()}
    return ", ".join(f"{name} {mark}" for name, mark in sorted(marks) if is_version(mark))


def _loads(records: Sequence[Record]) -> str:
    """Say how busy the machine was, which slows what is measured in time; empty if not known."""
    loads = [record.load_end for record in records if record.load_end is not None]
    threads = [record.threads for record in records if record.threads]
    if not loads or not threads:
        return ""
    among = counted(max(threads), "processor")
    return f"load at the end of a cell {median(loads):.1f} (at most {max(loads):.1f}) on {among}"


def _row(part: Part) -> str:
    e = part.figure
    interval = "too few seeds for an interval"
    if part.exact:
        interval = "one value" if e.n == 1 else "of all seeds"
    elif e.interval:
        interval = f"[{shown(e.low)}, {shown(e.high)}]"
    asked = f"{'>' if part.above else '≤'} {shown(part.bound)}"
    runs = f"{e.n}" + (f" ({e.misses} missed)" if e.misses else "")
    cells = (escape(part.condition), shown(e.value), interval, asked, runs, _WORDS[part.holds])
    return f"| {' | '.join(cells)} |"


def draw(decision: Decision) -> "Figure":
    """Draw the parts of a claim: figures with intervals, and what is asked of them."""
    from pdebench_lite.report.figures import style
    from pdebench_lite.report.figures.style import printable

    parts = [p for p in decision.parts if math.isfinite(p.figure.value)]
    missed = len(decision.parts) - len(parts)
    labels = [fill(printable(p.condition, _LABEL * 2), _LABEL) for p in parts]
    lines = max((label.count("\n") + 1 for label in labels), default=1)
    height = 0.9 + (0.08 + 0.13 * lines) * max(3, len(parts))
    figure = style.figure(style.PLAIN.column * 1.6, height)
    axes = figure.subplots()
    values: list[float] = []
    for y, part in enumerate(parts):
        e, kind = part.figure, part.holds
        low, high = (e.value if v is None or not math.isfinite(v) else v for v in (e.low, e.high))
        axes.plot([low, high], [y, y], color=_COLORS[kind], lw=1.4)
        axes.plot([e.value], [y], marker=_MARKERS[kind], color=_COLORS[kind], ms=5, ls="")
        axes.plot([part.bound] * 2, [y - 0.4, y + 0.4], color="k", lw=0.9)
        values += [low, high, e.value, part.bound]
    axes.set_yticks(range(len(parts)), labels)
    axes.set_ylim(len(parts) - 0.4, -0.6)
    positive = [v for v in values if v > 0]
    if positive and len(positive) == len(values) and max(positive) / min(positive) > 5:
        style.log_axis(axes.xaxis, positive)
    axes.set_xlabel(fill(printable(decision.claim.measure, 160), _LABEL))
    axes.grid(True, axis="x", lw=0.3, color="0.9")
    style.bare(axes)
    kinds = list(dict.fromkeys(p.holds for p in parts))
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=_COLORS[k], marker=_MARKERS[k], label=_WORDS[k]) for k in kinds]
    handles.append(Line2D([], [], color="k", lw=0.9, label="asked"))
    title = f"{missed} missed and not drawn" if missed else ""
    style.legend_below(figure, handles, title)
    return figure


def write(decisions: Sequence[Decision], path: Path, folder: Path | None) -> list[Path]:
    """Write the document and, into a folder, the figures; returns what was written."""
    from pdebench_lite.report.figures import style

    written = []
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        with style.styled():
            for decision in decisions:
                stem = folder / decision.claim.name
                written += style.save(draw(decision), stem, ("png", "pdf"))
    path.parent.mkdir(parents=True, exist_ok=True)
    figures = "" if folder is None else _relative(folder, path.parent)
    write_whole(path, document(decisions, figures))
    return [path, *written]


def _relative(folder: Path, start: Path) -> str:
    import os

    return Path(os.path.relpath(folder, start)).as_posix()
