"""`show`: one record in full."""

from typing import Any

from pdebench_lite.report.show import describe


def test_a_record_in_full(store: Any) -> None:
    record = next(r for r in store.load().records if r.status == "ok" and r.method == "pinn")
    answer = describe(record, store.folder(record.cell))
    words = (
        record.cell, "1 snapshot (128 values)", "relative L2 error of the returned fields",
        "[of the field]", "24.2", "data + compile + train", "t = 0.5", "2.0e-02", "Test CPU",
        "torch", "2.13", "fields.nc", "history.parquet", "width", "941", "30 s",
    )  # fmt: skip
    for word in words:
        assert word in answer, word
    assert "last lines" not in answer
    assert answer.index("rel_l2 ") < answer.index("mae ")


def test_a_failed_record_shows_the_end_of_its_log(store: Any) -> None:
    record = next(r for r in store.load().records if r.status == "diverged")
    answer = describe(record, store.folder(record.cell))
    assert "the loss is nan at step 120" in answer
    assert "line 29" in answer
    assert "line 10" in answer
    assert "line 9\n" not in answer


def test_tables_of_details_are_tables(make: Any, tmp_path: Any) -> None:
    sweep = {"weight": [1e-2, 1e-4, 1e-4], "misfit": [0.5, 0.25, 0.2], "evidence": [None, -3, -2]}
    long = {"singular_value": [0.5**k for k in range(100)]}
    details = {"weight": 1e-4, "sweep": sweep, "spectrum": long, "odd": {"a": [1, 2], "b": [1]}}
    lines = describe(make(details=details), tmp_path / "gone").splitlines()
    at = lines.index("sweep (*: taken)")
    assert [line.split() for line in lines[at + 1 : at + 6]] == [
        ["#", "weight", "misfit", "evidence"],
        ["1", "0.01", "0.5", "–"],
        ["2", "0.0001", "0.25", "-3"],
        ["*", "3", "0.0001", "0.2", "-2"],
        [],
    ]
    at = lines.index("spectrum (24 of 100 rows)")
    assert lines[at + 2].split() == ["1", "1"]
    assert lines[at + 25].split()[0] == "100"
    assert '  odd     {"a":[1,2],"b":[1]}' in lines, "no table"
    assert not any(line.startswith("  sweep") for line in lines)


def test_unknown_metrics_and_lost_folders_are_said(make: Any, tmp_path: Any) -> None:
    record = make(metrics={"rel_l2": 0.1, "odd": 2.0}, status="crashed", label="a\x1b[1mb\nc")
    answer = describe(record, tmp_path / "gone")
    assert "not installed here" in answer
    assert "cannot be read" in answer
    assert "no log" in answer
    assert "\x1b" not in answer
    assert "a[1mb c" in answer
