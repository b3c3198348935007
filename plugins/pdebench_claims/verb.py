"""`pdebench claims`: try the claims that plugins bring, and write what records say of them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pdebench_lite.aside import aside
from pdebench_lite.cli.options import split_names
from pdebench_lite.errors import PdebenchError, unknown_name
from pdebench_lite.text import counted

if TYPE_CHECKING:
    from pdebench_lite.store.cell import Cell

EXAMPLES = """\b
Examples:
  pdebench claims
  pdebench claims --only interpolation,truncation --out /tmp/claims.md
  pdebench claims --dry-run
"""


def claims(
    only: Annotated[
        str | None, typer.Option(metavar="C[,C2]", help="These claims; all if not given.")
    ] = None,
    results: Annotated[
        Path, typer.Option(metavar="DIR", help="Results folder; its records are reused.")
    ] = Path("results/claims/runs"),
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Document; figures go to a folder beside it.")
    ] = Path("results/claims.md"),
    rerun: Annotated[
        str, typer.Option(metavar="R[,R2]", help="Run cells again: failed, stale, or all.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List claims and cells; run and write nothing.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> int:
    """Measure claims, and write what the records say of them.

    Cells that have a record are not run again. A verdict is computed from records by the rule that
    stands beside the claim.
    """
    from pdebench_claims import deciding, document
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.runner.api import parse_rerun

    again = parse_rerun(rerun)
    known = registry()
    names = split_names(only) if only is not None else list(known.claims)
    for name in names:
        if name not in known.claims:
            raise unknown_name("claim", name, known.claims)
    chosen = [known.claims[name] for name in names]
    if not chosen:
        raise PdebenchError("no plugin brings claims; see: pdebench list plugins")
    if dry_run:
        different: dict[str, Cell] = {}
        for claim in chosen:
            with aside():
                cells = deciding.cells_of(known, claim)
            different |= {cell.hash: cell for cell in cells}
            size = counted(len(cells), "cell")
            print(f"{claim.name}: {size}, up to {_limit(cells):.0f} s: {claim.says}")
        total = _limit(different.values())
        size = counted(len(different), "different cell")
        print(f"{size}, up to {total / 60:.0f} min charged, in all")
        return 0

    from pdebench_lite.cli.progress import Quiet, make_listener
    from pdebench_lite.cli.tally import Tally

    with aside(), Quiet() if quiet else make_listener(results, (), Tally()) as listener:
        decisions = deciding.decide(known, chosen, results, listener, again)
    try:
        written = document.write(decisions, out, out.with_suffix(""))
    except OSError as error:
        raise PdebenchError(f"cannot write '{out}': {error.strerror}") from None
    if not quiet:
        for decision in decisions:
            print(f"{decision.claim.name}: {decision.verdict}")
        print(f"{written[0]}; {len(written) - 1} figures in {out.with_suffix('')}")
    return 1 if any(r.failed for d in decisions for r in d.evidence.records) else 0


def _limit(cells: "Iterable[Cell]") -> float:
    """Return the seconds that cells may be charged in all."""
    return sum(cell.budget.max_time or 0.0 for cell in cells)
