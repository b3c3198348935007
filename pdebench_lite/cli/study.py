"""`pdebench study`: check a study file, or print the JSON Schema of all of them."""

import json
from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.aside import aside
from pdebench_lite.errors import PdebenchError


def study(
    file: Annotated[
        Path | None, typer.Argument(metavar="[STUDY.yaml]", help="A study file to check.")
    ] = None,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of study files.")
    ] = False,
) -> None:
    """Check a study file, or print the JSON Schema of study files."""
    if (file is None) != schema:
        raise PdebenchError("name one study file, or write pdebench study --schema")
    if file is None:
        from pdebench_lite.runner.study.keys import json_schema

        print(json.dumps(json_schema(), indent=1))
        return
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.runner.study.file import load_study

    with aside():
        cells, _ = load_study(file).plan(registry())
    counts: dict[str, int] = {}
    for cell in cells:
        counts[cell.problem_label] = counts.get(cell.problem_label, 0) + 1
    for label, count in counts.items():
        print(f"{count:6d}  {label}")
    print(f"{len(cells):6d}  cells in all; what each is: pdebench run {file} --dry-run")
