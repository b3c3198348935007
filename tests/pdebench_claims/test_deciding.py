"""Claims: rules on known figures, evidence on records written by hand, and the whole way."""

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pdebench_claims.claim import Claim, Experiment, Part, verdict
from pdebench_claims.deciding import Decision, cells_of, decide
from pdebench_claims.document import document, draw, write
from pdebench_claims.evidence import Evidence, conditions, exactly, metric, supported
from pdebench_lite.analysis.statistics import Estimate
from pdebench_lite.cli import main
from pdebench_lite.registry.discovery import registry
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import Record, Store


def between(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, True, 6, 0)


@pytest.mark.parametrize(
    ("figure", "above", "answer"),
    [
        (between(1.1, 2.0), True, "yes"),
        (between(0.5, 0.9), True, "no"),
        (between(0.9, 1.1), True, "open"),
        (between(0.5, 0.9), False, "yes"),
        (between(1.1, 2.0), False, "no"),
        (between(1.1, math.inf), True, "yes"),
        (Estimate(2.0, 1.5, 3.0, False, 3, 0), True, "open"),
        (Estimate(math.inf, None, None, False, 0, 0), True, "open"),
    ],
)
def test_a_whole_interval_decides(figure: Estimate, above: bool, answer: str) -> None:
    assert Part("here", figure, 1.0, above).holds == answer


def test_a_figure_without_spread_decides_alone() -> None:
    assert Part("here", exactly(2.0), 1.0, exact=True).holds == "yes"
    assert Part("here", exactly(2.0), 1.0, above=False, exact=True).holds == "no"
    assert Part("here", exactly(1.0), 1.0, above=False, exact=True).holds == "yes"
    assert Part("here", exactly(2.0), 1.0).holds == "open", "one run is not an interval"


def test_verdicts() -> None:
    yes, no, unsure = (
        Part(name, figure, 1.0)
        for name, figure in (
            ("a", between(2, 3)),
            ("b", between(0.1, 0.2)),
            ("c", between(0.5, 2)),
        )
    )
    assert verdict([yes, yes]) == "supported"
    assert verdict([no]) == "not supported"
    assert verdict([unsure, unsure]) == verdict([]) == "undecided"
    assert verdict([yes, no, unsure]) == (
        "depends on the condition. Supported: a. Not supported: b. Undecided: c."
    )


def record(n: int, **values: Any) -> Record:
    given: dict[str, Any] = {
        "cell": f"{n:016x}", "problem": "toy", "task": "forward", "problem_params": {},
        "problem_label": "toy", "method": "fake", "family": "other", "config": {},
        "label": "fake", "backend": "numpy", "dtype": "float64", "device": "cpu", "seed": n,
        "budget": Budget(max_steps=1), "status": "ok", "metrics": {"rel_l2": 1.0 + n},
        "ranked": ["rel_l2"], "charged_s": 1.0,
    }  # fmt: skip
    return Record(**given | values)


def test_evidence_counts_failures_as_misses(tmp_path: Path) -> None:
    ours = [record(n) for n in range(6)]
    theirs = [
        record(10 + n, seed=n, method="twin", label="twin[a=1]", metrics={"rel_l2": 10.0 * (1 + n)})
        for n in range(5)
    ]
    theirs.append(record(15, seed=5, method="twin", label="twin[a=1]", status="crashed"))
    refused = record(20, status="unsupported", reason="never")
    evidence = Evidence(Store(tmp_path), supported([*ours, *theirs, refused]))
    assert len(evidence.records) == 12
    assert evidence.values("method") == ["fake", "twin"]
    assert conditions(evidence, ("method", "backend"))[1] == {"method": "twin", "backend": "numpy"}
    twin, fake = evidence.of(label="twin*"), evidence.of(method="fake")
    assert twin.by_seed(metric("rel_l2"))[5] == math.inf
    ratio = twin.ratio(fake, metric("rel_l2"))
    assert (ratio.value, ratio.n, ratio.misses) == (pytest.approx(10.0), 6, 1)
    assert ratio.interval
    assert fake.estimate(metric("rel_l2")).value == pytest.approx(math.sqrt(3.0 * 4.0))
    assert fake.by_seed(metric("no-such"))[0] == math.inf


def judge(evidence: Evidence) -> list[Part]:
    errors = list(evidence.by_seed(metric("rel_l2")).values())
    return [Part("fake on toy", exactly(max(errors), len(errors)), 1e-3, above=False, exact=True)]


TOY = Claim(
    "exact",
    "A fake <b>is</b> exact.",
    "nobody",
    (Experiment("toy", "fake", seeds=2, max_steps=3),),
    "largest error, rel. L2",
    "supported where it is at most 0.001",
    judge,
)


def test_the_whole_way(fakes: Path, tmp_path: Path) -> None:
    known = registry()
    assert len(cells_of(known, TOY)) == 2
    (first,) = decide(known, [TOY], tmp_path / "runs")
    assert first.verdict in ("supported", "not supported")
    stamps = {r.cell: r.started for r in first.evidence.records}
    (again,) = decide(known, [TOY], tmp_path / "runs")
    assert {r.cell: r.started for r in again.evidence.records} == stamps, "records are reused"
    text = document([first], "claims")
    assert first.verdict in text
    assert TOY.rule in text
    assert TOY.experiments[0].command in text
    assert "<b>" not in text, "what plugins say is escaped"
    (conditions,) = (line for line in text.splitlines() if line.startswith("*Conditions:*"))
    assert f"numpy {np.__version__}" in conditions
    assert "pdebench_lite" not in conditions, "hashes of sources tell a reader nothing"
    assert re.search(r"load at the end of a cell \d+\.\d \(at most \d+\.\d\) on", conditions)
    written = write([first], tmp_path / "claims.md", tmp_path / "claims")
    assert [p.name for p in written] == ["claims.md", "exact.png", "exact.pdf"]
    before = [p.read_bytes() for p in written]
    assert [
        p.read_bytes() for p in write([again], tmp_path / "claims.md", tmp_path / "claims")
    ] == (before), "the same records make the same document and figures"


def test_the_command_is_what_runs_the_cells() -> None:
    experiment = Experiment("toy,burgers", "a[b=1],c", backend="jax", seeds=6, max_time=15.0)
    assert experiment.command == (
        'pdebench run --problem "toy,burgers" --methods "a[b=1],c" --backend jax --seeds 6 '
        "--max-time 15s"
    )


def test_figures_show_intervals_misses_and_bounds() -> None:
    parts = (
        Part("first", between(2.0, 30.0), 1.0),
        Part("second", Estimate(math.inf, 1.0, math.inf, True, 6, 4), 1.0),
    )
    figure = draw(Decision(TOY, parts, Evidence(Store("nowhere"), ())))
    (axes,) = figure.axes
    assert [t.get_text() for t in axes.get_yticklabels()] == ["first"]
    assert any("missed" in legend.get_title().get_text() for legend in figure.legends)


def test_an_unknown_claim_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["claims", "--only", "stabel"]) == 2
    assert "unknown claim 'stabel'; did you mean 'stable'?" in capsys.readouterr().err


def test_a_dry_run_counts_a_cell_that_claims_share_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Time and memory of an order of derivatives are figures of the same cells."""
    assert main(["claims", "--dry-run", "--only", "order-time,order-memory"]) == 0
    time, memory, total = capsys.readouterr().out.splitlines()
    of_time, of_memory, of_both = (
        int(re.findall(r"(\d+) (?:different )?cells", line)[0]) for line in (time, memory, total)
    )
    assert of_time == of_both > of_memory > 0
    assert total.endswith(" min charged, in all")
