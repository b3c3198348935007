"""REPRODUCE.md: the exact command for each item of a bundle."""

import shlex
from collections.abc import Sequence

from pdebench_lite.analysis.wording import clean
from pdebench_paper.items import FIGURES, RECORDS, Item

SUMS = "SHA256SUMS"


def instructions(
    made: Sequence[Item],
    studies: Sequence[str],
    environments: Sequence[str],
    style: str,
    version: str,
    cells: int,
    files: Sequence[tuple[str, str]] = (),
) -> str:
    """Return the text.

    Args:
        made: the items that a command made.
        studies: names of the study files.
        environments: names of the environment locks.
        style: what the figures were made for.
        version: of the program.
        cells: number of records.
        files: name and SHA-256 of the data files that the studies need.
    """
    again = ("pdebench", "paper", "--results", RECORDS, "--style", style, "--out", "again")
    lines = [
        "# How everything here was made",
        "",
        f"By pdebench-lite {version}, from the {cells} records in `{RECORDS}/`. All commands are",
        "to be typed in this folder.",
        "",
        "## Is it what was written?",
        "",
        *_block(f"sha256sum --check --quiet {SUMS}"),
        "## From the records to tables and figures",
        "",
        "On the same records each of these commands gives the same bytes again.",
        "",
    ]
    for item in made:
        folder = item.path == FIGURES
        lines += [f"`{item.path}{'/' if folder else ''}`: {item.what}", "", *_block(item.command)]
    lines += [
        "All of it at once, and with it the study files, the environments and",
        "`data/histories.csv` (every evaluation during training):",
        "",
        *_block(shlex.join(again)),
        "## The document",
        "",
        *_block("pdflatex paper\nbibtex paper\npdflatex paper\npdflatex paper"),
        "## From nothing to the records",
        "",
        "What was installed where the records were made:",
        "",
        *(f"- `{name}`" for name in environments or ("not recorded",)),
        "",
        "Cells with a budget of steps give the same errors again on the same versions; times, and",
        "the errors of cells with a budget of time, depend on the machine.",
        "",
        *_needed(files),
        *_block("\n".join(f"pdebench run {name} --results measured" for name in studies)),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def _needed(files: Sequence[tuple[str, str]]) -> list[str]:
    """Say which data files to fetch, and how to check that they are the right ones."""
    if not files:
        return []
    lines = (f"{digest}  {clean(name)}" for name, digest in files)
    return [
        "The studies need these data files, which are not here. Put them into this folder first",
        "(or write their folder before the name in the study file), and check them:",
        "",
        *_block("\n".join(("sha256sum --check <<'END'", *lines, "END"))),
    ]


def _block(commands: str) -> list[str]:
    return ["```sh", *commands.splitlines(), "```", ""]
