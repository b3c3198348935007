"""`pdebench rescore`: new metrics over finished records, without training."""

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdebench_lite.aside import aside
from pdebench_lite.cli._console import make_console
from pdebench_lite.cli.options import DEFAULT_RESULTS, Results, load
from pdebench_lite.errors import unknown_name

if TYPE_CHECKING:
    from pdebench_lite.runner.rescore import Rescored

EXAMPLES = """\b
Examples:
  pdebench rescore
  pdebench rescore --metric mae --metric linf --replace
"""


def rescore(
    metric: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A metric; may be repeated. Default: what is missing."),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write values that differ over those that were there.")
    ] = False,
    format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
    results: Results = DEFAULT_RESULTS,
) -> int:
    """Add metrics to finished records, from their saved fields.

    Nothing is trained. What a record holds already stays, unless --replace; values that differ are
    reported (exit status 1). Metrics that ask for the solution between the saved points need a new
    run.
    """
    if format not in ("text", "json"):
        raise unknown_name("format", format, ("text", "json"))
    store, loaded = load(results)
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.runner.rescore import rescore

    names = list(dict.fromkeys(metric or ()))
    with aside():
        done = list(rescore(store, registry(), loaded.records, names, replace))
    if format == "json":
        print(json.dumps([_plain(one) for one in done], indent=1))
    else:
        _print(done, results)
    return 1 if any(s.outcome == "differs" for one in done for s in one.scores) else 0


def _plain(one: "Rescored") -> dict[str, object]:
    return {
        "cell": one.record.cell,
        "title": one.record.identity.title,
        "scores": [asdict(score) for score in one.scores],
        "skipped": one.skipped,
    }


def _print(done: "list[Rescored]", results: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    from pdebench_lite.analysis.wording import clean

    console = make_console()
    counts: dict[str, Counter[str]] = {}
    reasons: Counter[tuple[str, str]] = Counter()
    for one in done:
        for score in one.scores:
            counts.setdefault(score.metric, Counter())[score.outcome] += 1
            if score.why:
                reasons[score.metric, score.why] += 1
            if score.outcome in ("differs", "replaced"):
                print(
                    f"{one.record.cell} {clean(one.record.identity.title)}: {clean(score.metric)} "
                    f"was {score.before:.6g}, is {score.value:.6g}"
                    f"{'' if score.outcome == 'replaced' else '; kept (--replace writes it)'}"
                )
    if counts:
        heads = ("written", "agrees", "differs", "replaced", "none", "impossible")
        shown = [head for head in heads if any(count[head] for count in counts.values())]
        table = Table(box=None, pad_edge=False)
        table.add_column("metric")
        for head in shown:
            table.add_column(head, justify="right")
        for name, count in sorted(counts.items()):
            table.add_row(Text(clean(name)), *(str(count[head]) for head in shown))
        console.print(table)
    for (name, why), n in sorted(reasons.items()):
        print(clean(f"{name}: {why} ({n} records)"))
    for why, n in sorted(Counter(one.skipped for one in done if one.skipped).items()):
        print(clean(f"skipped: {why} ({n} records)"))
    changed = sum(any(s.outcome in ("written", "replaced") for s in one.scores) for one in done)
    print(f"{changed} of {len(done)} records in {clean(results)} changed")
