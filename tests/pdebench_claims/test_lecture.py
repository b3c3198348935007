"""The lecture's claims: cells that exist, an hour at most, and figures that can be checked."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from pdebench_claims import differentiation, effort, physics
from pdebench_claims.deciding import cells_of
from pdebench_claims.evidence import Evidence
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.study import merged
from pdebench_lite.store.records import Store

START = 4.0  # seconds that a cell takes beside its budget, about


@pytest.mark.parametrize("name", list(registry().claims))
def test_every_claim_can_be_tried(name: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    known = registry()
    claim = known.claims[name]
    cells = cells_of(known, claim)
    assert bool(cells) == bool(claim.experiments)
    for cell in cells:
        task = known.task(cell.problem_label)
        method, config = known.configured(cell.label)
        answer = method.supports(task, config)
        assert answer.ok, answer.reason
    assert claim.rule
    assert claim.measure


def test_all_of_them_take_less_than_an_hour() -> None:
    known = registry()
    cells = merged(cell for claim in known.claims.values() for cell in cells_of(known, claim))
    assert sum((cell.budget.max_time or 1.0) + START for cell in cells) < 3600


def test_lines_of_code_without_comments_and_docstrings() -> None:
    source = '"""Docs\nof a module."""\n\nx = 1  # one\n\n\ndef f():\n    """Docs."""\n    # why\n'
    assert effort._lines(source + "    return (\n        x\n    )\n") == 5
    assert effort.lines_of("pdebench_claims", "effort") > 20


def test_what_is_left_over_is_the_gap_to_the_carried_field(tmp_path: Path, monkeypatch) -> None:
    u = np.ones((3, 4))
    stored = xr.Dataset({"u": (("x", "t"), 1.1 * u), "u_carried": (("x", "t"), u)})
    monkeypatch.setattr(Evidence, "fields", lambda self, record: stored)
    gap = physics.left_over(Evidence(Store(tmp_path), ()), None)
    assert gap == pytest.approx(0.1)
    monkeypatch.setattr(Evidence, "fields", lambda self, record: stored.drop_vars("u_carried"))
    assert physics.left_over(Evidence(Store(tmp_path), ()), None) is None


@pytest.mark.parametrize(("passes", "measured"), [(1, 16.0), (None, 1.0)])
def test_a_function_that_costs_more_with_more_inputs_is_no_pass(
    tmp_path: Path, passes: int | None, measured: float
) -> None:
    """Forward mode takes n passes, reverse mode one or (None) n; each costs n³."""

    def record(method: str, n: int, seed: int) -> Any:
        count = passes if method == "reverse-mode" and passes else n
        return SimpleNamespace(
            method=method, backend="numpy", seed=seed, failed=False,
            problem_params={"n": n}, metrics={"call_s": count * n**3 * (1.0 + seed)},
        )  # fmt: skip

    modes = ("forward-mode", "reverse-mode")
    records = [record(mode, n, seed) for mode in modes for n in (4, 64) for seed in range(6)]
    (part,) = differentiation._one_pass(Evidence(Store(tmp_path), tuple(records)))
    assert part.figure.value == pytest.approx(measured)
    assert part.holds == ("yes" if passes else "no")

    broken = [r for r in records if r.seed == 0 and r.problem_params["n"] == 4]
    broken[1].failed = True  # reverse mode: no lead at all
    assert differentiation._lead(Evidence(Store(tmp_path), tuple(broken))) == {0: 0.0}
