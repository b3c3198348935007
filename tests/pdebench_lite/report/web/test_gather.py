"""What the page shows is what the comparison says."""

import base64
import json
from collections.abc import Callable, Mapping
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from pdebench_lite.analysis import Source, compare
from pdebench_lite.report.figures.style import Looks
from pdebench_lite.report.web import fields as field_part
from pdebench_lite.report.web import runs as run_part
from pdebench_lite.report.web.looks import contrast, lightened
from pdebench_lite.report.web.write import gather
from pdebench_lite.store.records import Store, load_fields

Parts = Mapping[str, Any]


def leaderboard(parts: Parts) -> dict[str, Any]:
    (problem,) = parts["overview"]["problems"]
    return problem["leaderboard"]


def place(table: dict[str, Any], head: str) -> int:
    return [column["head"] for column in table["columns"]].index(head)


def test_the_leaderboard_is_the_standings(parts: Parts, results: Store) -> None:
    (problem,) = compare([Source(results)]).problems
    table, entrants = leaderboard(parts), parts["overview"]["entrants"]
    assert [group["heading"] for group in table["groups"]] == [b.heading for b in problem.blocks]
    method, error = place(table, "method"), place(table, "error")
    for group, block in zip(table["groups"], problem.blocks, strict=True):
        for row, standing in zip(group["rows"], block.standings, strict=True):
            assert entrants[row["id"]]["backend"] == standing.entrant.key.backend
            assert row["cells"][method] == entrants[row["id"]]["name"]
            value = row["cells"][error][1]
            assert (inf if value == "inf" else value) == pytest.approx(standing.error.value, 1e-5)
            assert len(row["cells"]) == len(table["columns"])


def test_the_leaderboard_has_the_conditions_of_every_row(parts: Parts) -> None:
    heads = {column["head"] for column in leaderboard(parts)["columns"]}
    audited = {"uses", "saw", "dtype", "threads", "device", "cells at once", "budget", "resumed",
               "trials", "machine", "versions", "params", "seeds"}  # fmt: skip
    assert audited <= heads


def test_colours_are_those_of_the_figures(parts: Parts, results: Store) -> None:
    records = results.load().records
    looks = Looks(records)
    for entrant in parts["overview"]["entrants"]:
        record = next((r for r in records if r.label == entrant["name"]), None)
        if record is not None:
            color = tuple(int(entrant["color"][k : k + 2], 16) / 255 for k in (1, 3, 5))
            assert color == pytest.approx(looks[record].color, abs=0.002)


def test_every_colour_stands_out_from_the_dark_page() -> None:
    assert contrast((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)) == pytest.approx(21.0)
    page = tuple(part / 255 for part in (0x14, 0x17, 0x1B))
    for color in ("#332288", "#7a5230", "#0072b2", "#f0e442"):
        given = to_rgb(color)
        made = lightened(given)
        assert contrast(made, page) >= 3
        assert (made == pytest.approx(given)) is (contrast(given, page) >= 3), "no more than needed"


def test_every_record_is_a_run(parts: Parts, results: Store) -> None:
    table = parts["overview"]["runs"]
    cell = place(table, "cell")
    shown = {row["cells"][cell] for group in table["groups"] for row in group["rows"]}
    assert shown == {record.cell for record in results.load().records}


def test_failures_come_first_and_have_the_end_of_their_log(parts: Parts, hostile: str) -> None:
    failures = parts["overview"]["failures"]
    statuses = [failure["status"] for failure in failures]
    assert statuses == sorted(statuses, key=lambda status: status == "unsupported")
    assert "unsupported" in statuses
    assert "crashed" in statuses
    bad = next(failure for failure in failures if failure["method"] == hostile)
    assert bad["log"] == f"first\n  {hostile}\n=1+1"
    assert "\x1b" not in bad["reason"]


def test_only_so_many_logs_are_held(
    results: Store, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(run_part, "LOGS", 2)
    found = run_part.failures(results.load().records, results, {})
    assert [failure["log"] is not None for failure in found[:3]] == [True, True, False]


def test_curves_end_at_what_was_measured(parts: Parts, results: Store) -> None:
    (curves,) = parts["curves"]
    for run in curves["histories"]:
        if run["status"] == "ok":
            history = results.get(run["cell"])
            assert history is not None
            assert run["history"]["charged_s"][-1] == pytest.approx(history.charged_s, 1e-3)
    drawn = [course for course in curves["work"] if course["seconds"]]
    assert {len(course["seconds"]) for course in drawn} != {0}
    for course in drawn:
        assert len(course["seconds"]) == len(course["error"]) == len(course["low"])


def test_fields_are_the_stored_ones_on_fewer_points(parts: Parts, results: Store) -> None:
    (of_problem,) = parts["fields"]
    (field,) = of_problem["fields"]
    assert len(field["runs"]) == 6  # one seed of each method on each backend
    run = field["runs"][0]
    reference = field["references"][run["reference"]]
    t, x = (np.array(axis["values"]) for axis in reference["axes"])
    stored = load_fields(results.folder(run["cell"])).sel(x=x, t=t, method="nearest")
    truth = stored["u_reference"].transpose("t", "x").to_numpy()
    shown = np.frombuffer(base64.b64decode(run["solution"]), "<f4").reshape(truth.shape)
    np.testing.assert_allclose(shown, stored["u"].transpose("t", "x"), rtol=1e-5, atol=1e-6)
    error = np.frombuffer(base64.b64decode(run["error"]), "<f4").reshape(truth.shape)
    np.testing.assert_allclose(error, np.abs(stored["u"].transpose("t", "x") - truth), 1e-4, 1e-7)
    assert run["unknowns"][0]["name"] == "u_initial"


def test_a_field_and_unknowns_over_a_plane(in_a_plane: Store) -> None:
    (of_problem,) = gather(in_a_plane, in_a_plane.load().records)["fields"]
    density, u, v = of_problem["fields"]
    assert [f["name"] for f in (density, u, v)] == ["d", "u (found)", "v (found)"]
    assert [f["against"] for f in (density, u, v)] == ["reference", "true", "true"]
    assert [axis["name"] for axis in density["references"][0]["axes"]] == ["t", "x", "y"]
    assert [axis["name"] for axis in u["references"][0]["axes"]] == ["x", "y"]
    for field, name in ((density, "d"), (u, "u_found")):
        for run in field["runs"]:
            stored = load_fields(in_a_plane.folder(run["cell"]))[name].transpose(..., "x", "y")
            shown = np.frombuffer(base64.b64decode(run["solution"]), "<f4")
            np.testing.assert_allclose(shown.reshape(stored.shape), stored, 1e-5, 1e-6)


def test_only_so_many_fields_are_held_and_the_others_are_named(
    results: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(field_part, "RUNS", 3)
    (of_problem,) = gather(results, results.load().records)["fields"]
    (field,) = of_problem["fields"]
    assert len(field["runs"]) == 3
    shown = {run["cell"] for run in field["runs"]}
    assert len(shown) == 3
    assert len(of_problem["left_out"]) == 10 - len(shown)


def test_all_is_json(parts: Parts, parsed: Callable[[str], Any]) -> None:
    assert parsed(json.dumps(parts)) == parts


def test_nothing_ran(tmp_path: Path, make: Any, publish: Any) -> None:
    store = Store(tmp_path)
    publish(store, make("etdrk4", status="unsupported", reason="no initial state"))
    found = gather(store, store.load().records)
    assert found["overview"]["problems"] == []
    assert found["overview"]["failures"][0]["reason"] == "no initial state"


def test_a_record_without_its_files(tmp_path: Path, make: Any) -> None:
    store = Store(tmp_path)
    record = make("mlp")
    store.publish(record, store.workspace(record.cell))
    found = gather(store, store.load().records)
    assert found["fields"] == [{"fields": [], "left_out": []}]
    assert "history" not in found["curves"][0]["histories"][0]
