"""The items of a bundle that a command makes from its records, each with that command."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RECORDS, TABLES, FIGURES, DATA = "records", "tables", "figures", "data"
CELLS, COMPARISON, REFERENCES = "cells", "comparison", "references.bib"


@dataclass(frozen=True)
class Item:
    """What one command makes.

    Attributes:
        path: file, or folder of figures, within the bundle.
        words: the command and its options; it is run in the bundle's folder.
        what: one line for people.
    """

    path: str
    words: tuple[str, ...]
    what: str

    @property
    def is_folder(self) -> bool:
        """Whether the command writes files into a folder, not text to its output."""
        return self.path == FIGURES

    @property
    def command(self) -> str:
        """The line to be typed in a shell."""
        line = shlex.join(self.words)
        return line if self.is_folder else f"{line} > {self.path}"

    def make(self, folder: Path, say: Callable[[str], None]) -> bool:
        """Run the command in the bundle's folder, as a shell would.

        Args:
            folder: the bundle.
            say: hears, in one line each, what the command says on its error stream.

        Returns:
            Whether the item was made.
        """
        target = folder / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pdebench_lite", *self.words[1:]],
            cwd=folder,
            capture_output=True,
            env={**os.environ, "PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8"},
            check=False,
        )
        for line in done.stderr.decode(errors="replace").splitlines():
            say(f"{self.path}: {line.removeprefix('pdebench: ')}")
        if done.returncode != 0:
            say(f"{self.path}: not made; '{shlex.join(self.words)}' ended with {done.returncode}")
        elif not self.is_folder:
            target.write_bytes(done.stdout)
        return done.returncode == 0


def items(style: str) -> list[Item]:
    """Return the items of a bundle.

    Args:
        style: what the figures are made for; see `pdebench plot --style`.
    """
    here = ("--results", RECORDS)
    table = ("pdebench", "table", *here, "--format")
    comparison = ("pdebench", "compare", *here, "--format")
    return [
        Item(f"{TABLES}/{CELLS}.tex", (*table, "latex"), "every cell"),
        Item(f"{TABLES}/{CELLS}.md", (*table, "md"), "the same, in Markdown"),
        Item(f"{DATA}/{CELLS}.csv", (*table, "csv"), "the same, every number in full"),
        Item(f"{TABLES}/{COMPARISON}.tex", (*comparison, "latex"), "the comparison over seeds"),
        Item(f"{TABLES}/{COMPARISON}.md", (*comparison, "md"), "the same, in Markdown"),
        Item(f"{DATA}/{COMPARISON}.csv", (*comparison, "csv"), "the same, every number in full"),
        Item(
            FIGURES,
            ("pdebench", "plot", *here, "--style", style, "--format", "pdf", "--out", FIGURES),
            "the figures",
        ),
        Item(REFERENCES, ("pdebench", "cite", *here), "the works behind problems and methods"),
    ]
