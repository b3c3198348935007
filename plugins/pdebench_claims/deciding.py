"""Deciding claims: their cells are run or reused, and each rule is applied to its records."""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from pdebench_claims.claim import Claim, Part, verdict
from pdebench_claims.evidence import Evidence, supported
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner import api
from pdebench_lite.runner.device import devices_for
from pdebench_lite.runner.listener import Listener
from pdebench_lite.runner.study import merged
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.records import Store


@dataclass(frozen=True)
class Decision:
    """A claim with what was measured.

    Attributes:
        claim: the claim.
        parts: its figures.
        evidence: the records that they come from.
    """

    claim: Claim
    parts: tuple[Part, ...]
    evidence: Evidence

    @property
    def verdict(self) -> str:
        """What the rule says."""
        return verdict(self.parts)


def cells_of(known: Registry, claim: Claim) -> list[Cell]:
    """Return the cells that a claim is tried on."""
    found: list[Cell] = []
    for e in claim.experiments:
        budget = api.make_budget(e.max_time, e.max_steps)
        cells, _ = api.plan(
            known, e.problem, e.methods, e.backend, range(e.seeds), budget, device="cpu"
        )
        found += cells
    return merged(found)


def decide(
    known: Registry,
    claims: Sequence[Claim],
    results: str | os.PathLike[str],
    listener: Listener | None = None,
    rerun: frozenset[str] = frozenset(),
) -> list[Decision]:
    """Run the cells of claims that have no record yet, and apply the rules.

    Args:
        known: where methods and problems are looked up.
        claims: which claims.
        results: results folder; its records are reused.
        listener: hears of the progress.
        rerun: which cells with a record are run again: of `failed`, `stale`, `all`.
    """
    of = {claim.name: cells_of(known, claim) for claim in claims}
    everything = merged(cell for cells in of.values() for cell in cells)
    devices = devices_for(known, "cpu", ["all"])
    records = api.execute(known, everything, devices, results, rerun, listener)
    by_cell = {record.cell: record for record in records}
    decisions = []
    for claim in claims:
        mine = supported(by_cell[cell.hash] for cell in of[claim.name])
        evidence = Evidence(Store(results), mine)
        decisions.append(Decision(claim, tuple(claim.judge(evidence)), evidence))
    return decisions
