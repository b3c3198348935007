"""`pdebench doctor`: what works here, and whether times and memory can be trusted."""

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.cli.options import DEFAULT_RESULTS, Results
from pdebench_lite.errors import unknown_name, visible

_MARKS = {"ok": "ok", "note": "note", "warning": "WARNING", "error": "ERROR"}


def doctor(
    probe: Annotated[
        bool, typer.Option("--probe", help="Start each backend too, which takes seconds.")
    ] = False,
    results: Results = DEFAULT_RESULTS,
    format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> int:
    """Check what works, whether numbers can be trusted, what helps.

    Exit status 1 if something is unusable; warnings are about numbers, not about running.
    """
    if format not in ("text", "json"):
        raise unknown_name("format", format, ("text", "json"))
    from pdebench_doctor.examine import examine
    from pdebench_doctor.finding import LEVELS
    from pdebench_lite.registry.discovery import registry

    began, findings, section = time.perf_counter(), [], ""
    for finding in examine(registry(), Path(results), probe):
        findings.append(finding)
        if format == "json":
            continue
        if finding.section != section:
            section = finding.section
            print(section)
        print(visible(f"  {_MARKS[finding.level]:8s}{finding.name}: {finding.found}"))
        if finding.remedy:
            print(visible(f"          -> {finding.remedy}"))
    counts = {level: sum(f.level == level for f in findings) for level in LEVELS}
    took = round(time.perf_counter() - began, 1)
    if format == "json":
        answer = {"findings": [asdict(f) for f in findings], "counts": counts, "seconds": took}
        print(json.dumps(answer, indent=1))
    else:
        said = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
        print(f"{said}; {took} s" + ("" if probe else "; --probe starts the backends too"))
    return 1 if counts["error"] else 0
