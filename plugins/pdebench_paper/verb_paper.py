"""`pdebench paper`: a folder with everything that a paper needs of its runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.aside import aside
from pdebench_lite.cli.options import DEFAULT_RESULTS, Results

EXAMPLES = """\b
Examples:
  pdebench paper --out paper
  pdebench paper --out paper --results results/runs --style neurips
"""


def paper(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to be written.")],
    style: Annotated[
        str, typer.Option(metavar="NAME", help="Page: plain, neurips, icml, jcp, column or slide.")
    ] = "plain",
    fields: Annotated[
        bool, typer.Option("--fields/--no-fields", help="With fields, hence maps and slices.")
    ] = True,
    results: Results = DEFAULT_RESULTS,
) -> int:
    """Write tables, figures, numbers and how to get them again.

    The folder holds the records, tables (LaTeX, Markdown), figures (PDF), numbers (CSV), study
    files, environments, references.bib, a paper.tex that compiles, and REPRODUCE.md with the exact
    command for each of them. Exit status 1 if something could not be made.
    """
    from pdebench_lite.analysis.wording import clean
    from pdebench_lite.registry.discovery import registry
    from pdebench_paper.bundle import write_bundle

    def say(line: str) -> None:
        print(f"pdebench: {clean(line)}", file=sys.stderr)

    with aside():
        bundle = write_bundle(results, out, registry(), style, fields, say)
    for path in bundle.paths:
        print(out / path)
    return 1 if bundle.missing else 0
