"""Figure `profiles`: performance profiles over problems and errors, one panel per equal data.

Dolan & Moré 2002, doi:10.1007/s101070100263.
"""

from collections.abc import Iterator
from math import ceil
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes

from pdebench_lite.analysis.comparison import part_of
from pdebench_lite.analysis.overall import ProfileBlock, profile_blocks
from pdebench_lite.report.figures import legends, style
from pdebench_lite.report.figures.data import Drawn, Group
from pdebench_lite.report.figures.style import Looks, printable

_PANEL = 2.2  # inches that a panel needs
_LETTERS = 14.0  # of its title that fit into an inch


def draw(group: Group) -> Iterator[Drawn]:
    """Yield one figure: how often each method is within τ times of the fastest of its block."""
    looks = group.looks
    contests = [contest for part in group.parts if (contest := part.race()).entrants]
    blocks = [b for b in profile_blocks([part_of(c) for c in contests]) if b.ratios.size]
    if not blocks:
        group.say("no performance profiles: nobody reached an error beside another with equal data")
        return
    width = looks.page.full if len(blocks) > 1 else looks.page.column
    rows = ceil(len(blocks) / max(1, int(width / _PANEL)))
    across = ceil(len(blocks) / rows)
    figure = style.figure(width, 0.7 + 2.0 * rows)
    grid = figure.subplots(rows, across, sharey=True, squeeze=False)
    for axes, block in zip(grid.flat, blocks, strict=False):
        _panel(axes, block, looks, width / across)
    for axes in grid.flat[len(blocks) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel("share of instances solved")
    figure.suptitle("Performance profiles: time to equal errors", x=0.01, ha="left")
    style.legend_below(figure, legends.handles([c for b in blocks for c in b.courses], looks))
    yield Drawn(figure)


def _panel(axes: Axes, block: ProfileBlock, looks: Looks, width: float) -> None:
    """Draw the profiles of a block into a panel of so many inches."""
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
    heading = fill(printable(block.heading, 60), int(_LETTERS * width))
    axes.set_title(f"{heading}\n{_instances(block)}", loc="left", fontsize=7)
    axes.grid(True, which="major", lw=0.3, color="0.9")
    style.bare(axes)


def _instances(block: ProfileBlock) -> str:
    of = "1 problem" if block.problems == 1 else f"{block.problems} problems"
    errors = "1 error" if len(block.ratios) == 1 else f"{len(block.ratios)} errors"
    return f"{errors} on {of}, {block.budget}"
