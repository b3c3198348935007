"""Figure `profiles`: performance profiles over problems and errors, one panel per equal data.

Dolan & Moré 2002, doi:10.1007/s101070100263.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pdebench_lite.compare.comparison import part_of
from pdebench_lite.compare.entrants import Contest
from pdebench_lite.compare.overall import ProfileBlock, profile_blocks
from pdebench_lite.report.figures import legends, style
from pdebench_lite.report.figures.style import Looks, printable


def draw(
    contests: Sequence[Contest], looks: Looks, say: Callable[[str], None]
) -> Iterator[tuple[str, Figure]]:
    """Yield one figure: how often each method is within τ times of the fastest of its block."""
    blocks = [b for b in profile_blocks([part_of(c) for c in contests]) if b.ratios.size]
    if not blocks:
        say("no performance profiles: nobody reached an error beside another with equal data")
        return
    wide = len(blocks) > 1
    figure = style.figure(looks.page.full if wide else looks.page.column, 2.7)
    panels = figure.subplots(1, len(blocks), sharey=True, squeeze=False)[0]
    for axes, block in zip(panels, blocks, strict=True):
        _panel(axes, block, looks)
    panels[0].set_ylabel("share of instances solved")
    figure.suptitle("Performance profiles: time to equal errors", x=0.01, ha="left")
    style.legend_below(figure, legends.handles([c for b in blocks for c in b.courses], looks))
    yield "", figure


def _panel(axes: Axes, block: ProfileBlock, looks: Looks) -> None:
    solved = block.ratios[np.isfinite(block.ratios)]
    end = max(10.0, 2.0 * float(solved.max(initial=1.0)))
    for course, ratios in zip(block.courses, block.ratios.T, strict=True):
        look = legends.look_of(course, looks)
        known = np.sort(ratios[np.isfinite(ratios)])
        tau = np.concatenate([[1.0], known, [end]])
        share = np.concatenate([[0.0], np.arange(1, known.size + 1), [known.size]]) / ratios.size
        axes.step(
            tau, share, where="post", color=look.color, ls=legends.line_of(course, looks),
            marker=look.marker, markevery=[tau.size - 1], clip_on=False,
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(1.0, end)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("τ: time over that of the fastest")
    title = f"{printable(block.heading, 60, 40)}\n{_instances(block)}"
    axes.set_title(title, loc="left", fontsize=7)
    axes.grid(True, which="major", lw=0.3, color="0.9")
    style.bare(axes)


def _instances(block: ProfileBlock) -> str:
    of = "1 problem" if block.problems == 1 else f"{block.problems} problems"
    return f"{len(block.ratios)} errors on {of}"
