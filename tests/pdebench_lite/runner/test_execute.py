"""One cell in one child process: every way in which it can end, and what is kept of it."""

import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.runner import artifacts, processes, watch
from pdebench_lite.runner.processors import usable_processors
from pdebench_lite.store.records import (
    LEFT,
    LOG,
    RECORD,
    START,
    WEIGHTS,
    Record,
    Store,
    load_fields,
    load_history,
)

Race = Callable[..., list[Record]]


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie that init has yet to collect does not)."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def gone(pids: list[int], within: float = 3.0) -> bool:
    """Whether processes end soon."""
    limit = time.monotonic() + within
    while any(alive(pid) for pid in pids) and time.monotonic() < limit:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


# ---- a cell that ends well -------------------------------------------------------------------


def test_everything_about_a_good_cell_is_kept(race: Race, store: Store) -> None:
    (record,) = race("fake[error=0.01]", max_steps=40)
    folder = store.folder(record.cell)
    assert record.status == "ok"
    assert record.reason == ""
    assert record.metrics["rel_l2"] == pytest.approx(0.01)
    assert record.metrics["spread"] == pytest.approx(2.02, rel=1e-3)
    assert (record.steps, record.evaluations, record.params) == (40, 80, 3)
    assert record.target_reached is None
    assert record.reference_bound == 1e-15
    assert record.profile["t"][-1] == 1.0
    assert record.profile["rel_l2"] == pytest.approx([0.01] * 101)
    assert record.charged_s == pytest.approx(
        (record.data_s or 0) + (record.compile_s or 0) + (record.train_s or 0), abs=1e-5
    )
    assert record.wall_s is not None
    assert record.setup_s is not None
    assert 0 < record.setup_s < record.wall_s
    assert record.threads == usable_processors()
    assert record.started.endswith("+00:00")
    assert len(record.fingerprint["pdebench_fakes.py"]) == 12  # a plugin of a single module, too
    assert len(record.fingerprint["pdebench_lite/problem/view.py"]) == 12
    environment = json.loads(
        (store.root / "environments" / f"{record.environment}.json").read_text()
    )
    assert environment["installed"]["pdebench-fakes"] == "1.2"
    expected = {RECORD, LOG, WEIGHTS, "fields.nc", "history.parquet"}
    assert {p.name for p in folder.iterdir()} == expected
    assert store.read(folder) == record
    assert not list(store.root.glob(".*-*"))


def test_history(race: Race, store: Store) -> None:
    (record,) = race("fake[act=improving]", max_steps=30)
    history = load_history(store.folder(record.cell))
    first = ["step", "evaluations", "charged_s", "loss", "peak_host_mb", "rel_l2"]
    assert list(history.columns) == first
    assert history.dtypes.to_dict() == {
        "step": np.int64, "evaluations": np.int64, **dict.fromkeys(first[2:], np.float64)
    }  # fmt: skip
    steps = history["step"].tolist()
    assert steps[:12] == list(range(12))
    assert steps[-1] == 30
    assert len(steps) < 25, "later evaluations are rarer"
    assert history["evaluations"].tolist() == [2 * step for step in steps]
    assert history["rel_l2"].to_numpy() == pytest.approx(0.5 ** history["step"].to_numpy())
    assert history["loss"][5] == pytest.approx(1 / 6)
    assert history["charged_s"].is_monotonic_increasing


def test_fields_and_weights(race: Race, store: Store) -> None:
    (record,) = race("fake[error=0.5]", "toy:reconstruction[points=8,noise=0.1]", max_steps=2)
    fields = load_fields(store.folder(record.cell))
    assert dict(fields.sizes) == {"x": 256, "t": 101, "u_observation": 8}
    assert fields.u.attrs["units"] == "m"
    assert fields.x.attrs["units"] == "m"
    assert fields.t.attrs["units"] == "s"
    assert fields.u.dtype == np.float64
    assert fields.u_reference.dims == ("x", "t")
    np.testing.assert_allclose(fields.u, 1.5 * fields.u_reference, atol=1e-12)
    np.testing.assert_allclose(fields.u_carried, fields.u, atol=1e-12)
    np.testing.assert_allclose(fields.u_initial_found, 1.5 * fields.u_initial_true, atol=1e-12)
    assert np.all(fields.u_observed_t == 0.5)
    assert fields.attrs["cell"] == record.cell
    assert record.metrics["rel_l2_carried"] == pytest.approx(0.5)
    with np.load(store.folder(record.cell) / WEIGHTS, allow_pickle=False) as weights:
        assert weights["w"].tolist() == [0.0, 1.0, 2.0]


def test_values_that_json_does_not_know(race: Race, store: Store) -> None:
    (record,) = race("fake[act=odd_values]", max_steps=5)
    assert record.status == "ok", record.reason
    assert (record.params, record.steps, record.evaluations) == (6, 3, 9)
    assert record.details["nan"] is None
    assert record.details["array"] == [0, 1, 2]
    assert record.details["number"] == 0.5
    assert record.details["list"] == [None, [1, 2]]
    assert "NaN" not in (store.folder(record.cell) / RECORD).read_text()
    with np.load(store.folder(record.cell) / WEIGHTS, allow_pickle=False) as weights:
        assert weights["file"].dtype == np.float32
        assert weights["../../evil"].shape == (2, 2)


def test_no_pickles(race: Race) -> None:
    (record,) = race("fake[act=objects]", max_steps=5)
    assert record.status == "crashed"
    assert "Object arrays cannot be saved" in record.reason


def test_a_thread_left_behind_does_not_hold_the_cell_up(race: Race) -> None:
    (record,) = race("fake[act=thread]", max_steps=5)
    assert record.status == "ok"
    assert record.wall_s is not None
    assert record.wall_s < 30


# ---- limits ----------------------------------------------------------------------------------


def test_max_time(race: Race) -> None:
    (record,) = race("fake", max_time=0.4)
    assert record.status == "ok"
    assert record.charged_s is not None
    assert 0.4 <= record.charged_s < 0.8


def test_target_error(race: Race) -> None:
    near, far = race("fake[act=improving],fake[error=0.5]", max_steps=60, target_error=1e-3)
    assert near.target_reached is True
    assert near.steps == 10  # 0.5¹⁰ < 1e-3 < 0.5⁹
    assert far.target_reached is False
    assert far.steps == 60


def test_steps_until_due_never_oversteps(race: Race) -> None:
    (record,) = race("fake[act=plan]", max_steps=33)
    assert record.steps == 33
    asked = record.details["asked"]
    assert sum(asked) == 33
    assert min(asked) == 1
    assert max(asked) > 1


@pytest.mark.parametrize("limit", ["SETUP_LIMIT", "SILENCE_LIMIT"])
def test_setup_and_silence_are_limited(
    race: Race, store: Store, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, limit, 2.0)
    monkeypatch.setenv("PDEBENCH_FAKES_SLEEP", "600")
    method = "slow" if limit == "SETUP_LIMIT" else "fake[act=silent]"
    (record,) = race(method, max_steps=5)
    assert record.status == "timeout"
    assert "2 s" in record.reason
    assert ("set-up took" if limit == "SETUP_LIMIT" else "no report") in record.reason


def test_a_method_that_ignores_its_budget_is_killed(race: Race, store: Store, fakes: Path) -> None:
    (record,) = race("fake[act=hang]", max_time=1)
    assert record.status == "timeout"
    assert record.wall_s is not None
    assert record.setup_s is not None
    assert record.wall_s - record.setup_s < 1 + 5 + 5  # the end of the child included
    assert "1 s" in record.reason
    assert record.charged_s == pytest.approx(6.0, abs=0.7)
    assert record.evaluations == 5  # what it had reported stays
    assert record.sees == {"labels": 7}  # and what it had taken
    assert record.steps == 0
    history = load_history(store.folder(record.cell))
    assert history["loss"].tolist() == [0.25]
    assert history["rel_l2"][0] == pytest.approx(0.5)
    assert gone([int((fakes / "hanging").read_text())])


def test_a_march_that_was_cut_off_is_a_timeout_with_its_error(race: Race) -> None:
    (record,) = race("etdrk4[cells=64]", "burgers:forward[nu=0.1]", max_steps=5)
    assert record.status == "timeout"
    assert record.failed
    assert record.reason.startswith("the budget of 5 steps ended: 5 of ")
    assert record.reason.endswith(" of 1; give more, or fewer cells")
    error = record.metrics["rel_l2"]
    assert error is not None
    assert error > 0.1, "half the time has no answer"
    (record,) = race("etdrk4[cells=64]", "burgers:forward[nu=0.1]", max_steps=5000)
    assert (record.status, record.reason) == ("ok", "")
    assert record.metrics["rel_l2"] < 1e-4


def test_a_budget_that_ends_before_the_first_step_is_a_timeout(race: Race) -> None:
    (record,) = race("fake[act=resumable,seconds=0.3]", max_time=0.1)
    assert record.status == "timeout"
    assert record.steps == 0
    assert record.reason == (
        "the budget of 0.1 s ended before the first step; give more, with --max-time or --max-steps"
    )
    assert record.metrics["rel_l2"] == pytest.approx(0.3), "its untrained answer is scored"


@pytest.mark.slow
@pytest.mark.parametrize("method", ["mlp", "pinn"])
def test_networks_without_a_step_are_timeouts_too(race: Race, method: str) -> None:
    (record,) = race(f"{method}[width=4,depth=1]", backend="torch", max_time=1e-3)
    assert (record.status, record.steps) == ("timeout", 0), record.reason
    assert record.metrics["rel_l2"] is not None


def test_nothing_of_the_process_group_is_left(
    race: Race, fakes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "SILENCE_LIMIT", 1.5)
    monkeypatch.setattr(processes, "_GRACE", 0.5)
    (record,) = race("fake[act=stubborn]", max_steps=5)
    assert record.status == "timeout"
    pids = [int(word) for word in (fakes / "stubborn").read_text().split()]
    assert len(pids) == 2
    assert gone(pids)


def test_endless_printing_does_not_fill_the_disk(
    race: Race, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artifacts, "LOG_LIMIT", 400_000)
    (record,) = race("fake[act=noisy]", max_time=0.5)
    assert record.status == "ok"
    log = (store.folder(record.cell) / LOG).read_bytes()
    assert len(log) <= 400_000
    assert log.startswith(b"the first line\n")
    assert b"output left out" in log


# ---- cells that fail -------------------------------------------------------------------------

FAILURES = {
    "raise": ("crashed", "RuntimeError: boom of two lines"),
    "exit": ("crashed", "the process exited with 3"),
    "system_exit": ("crashed", "SystemExit: 0"),
    "kill": ("crashed", "killed by SIGKILL"),
    "nan_loss": ("diverged", "the loss is nan at step 7"),
    "nan_scalar_loss": ("diverged", "the loss is nan at step 7"),
    "nan_field": ("diverged", "'u' is not finite at step 5"),
    "nan_at_the_end": ("diverged", "'u' is not finite at step 2"),
    "memory_error": ("out-of-memory", "MemoryError: Unable to allocate"),
    "wrong_type": ("crashed", "solve returned dict, which is not a Solution"),
    "missing_field": ("crashed", "the solution lacks the field 'u'; it has ['v']"),
    "wrong_shape": ("crashed", "'u' has the shape (6149,); return (6150,) or (150, 41)"),
    "no_dict": ("crashed", "predict returned ndarray, not a dict; return {'u': values}"),
    "not_given": ("crashed", "task toy has no solver face; it has: data, equation"),
    "unsupported": ("unsupported", "too hard"),
}


def test_failures_have_a_status_and_a_reason_and_stop_nothing(race: Race, store: Store) -> None:
    acts = [f"fake[act={act}]" for act in FAILURES]
    records = race(",".join([*acts, "lost", "confused", "picky", "fake"]), max_steps=5)
    *failed, lost, confused, picky, last = records
    seen = {r.config["act"]: (r.status, r.reason) for r in failed}
    for act, (status, reason) in FAILURES.items():
        assert seen[act][0] == status, (act, seen[act])
        assert reason in seen[act][1], (act, seen[act])
    assert (lost.status, lost.reason) == ("crashed", "ModuleNotFoundError: No module named 'no'")
    assert confused.status == "crashed"
    assert confused.reason == "supports of confused failed: ValueError: I do not know"
    assert (picky.status, picky.reason) == ("unsupported", "toy is beneath it")
    assert picky.wall_s is None, "it was never started"
    assert last.status == "ok"
    assert failed[-1].sees == {"ansatz": True}
    for record in records:
        assert "\n" not in record.reason
        assert store.read(store.folder(record.cell)) == record
        assert (store.folder(record.cell) / LOG).exists()
        assert json.loads((store.folder(record.cell) / RECORD).read_text())["status"]
    crashed = next(r for r in failed if r.config["act"] == "raise")
    assert "Traceback" in (store.folder(crashed.cell) / LOG).read_text()
    assert load_history(store.folder(crashed.cell))["step"].tolist() == [0, 4]
    assert crashed.steps == 4
    assert not list(store.root.glob(".*-*"))


def test_a_backend_that_a_method_lacks_is_unsupported(race: Race) -> None:
    (record,) = race("pinn[width=5]", backend="numpy", max_steps=5)
    assert record.status == "unsupported"
    assert record.reason == "no numpy solver; it has: torch, jax"


# ---- what is done is not done again ----------------------------------------------------------


def test_what_is_run_again(race: Race, store: Store) -> None:
    methods = "fake,fake[act=exit]"

    def made(records: list[Record]) -> list[int]:
        return [store.folder(record.cell).stat().st_ctime_ns for record in records]

    def again(rerun: str) -> list[bool]:
        before = made(first)
        race(methods, max_steps=3, rerun=rerun)
        return [old != new for old, new in zip(before, made(first), strict=True)]

    first = race(methods, max_steps=3)
    assert race(methods, max_steps=3) == first
    assert again("") == [False, False]
    assert again("failed") == [False, True]
    assert again("stale") == [False, False]
    path = store.folder(first[0].cell) / RECORD
    old = first[0].model_copy(update={"fingerprint": {**first[0].fingerprint, "numpy": "0.1"}})
    path.write_text(old.model_dump_json())
    assert again("") == [False, False]
    assert again("stale") == [True, False]
    assert again("failed,stale") == [False, True]
    assert again("all") == [True, True]
    (other,) = race("fake", max_steps=4)
    assert other.cell != first[0].cell
    assert len(store.load().records) == 3


def test_a_corrupt_record_is_run_again(race: Race, store: Store) -> None:
    (first,) = race("fake", max_steps=3)
    path = store.folder(first.cell) / RECORD
    path.write_text(path.read_text()[:100])
    (again,) = race("fake", max_steps=3)
    assert again.status == "ok"
    assert store.load().unsound == []


@pytest.mark.parametrize("rerun", ["", "all"])
def test_a_record_of_a_newer_version_is_not_run_over(race: Race, store: Store, rerun: str) -> None:
    first, _ = race("fake,twin", max_steps=3)
    path = store.folder(first.cell) / RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), "uncertainty": 0.1}))
    before = path.read_bytes()
    with pytest.raises(PdebenchError, match=r"made by a newer version .*uncertain"):
        race("fake[error=0.5],fake", max_steps=3, rerun=rerun)
    assert path.read_bytes() == before
    assert len(store.load().records) == 1, "nothing was run"


def test_a_checkpoint_of_a_newer_version_is_kept(race: Race, store: Store) -> None:
    (cell,) = (record.identity for record in race("fake", max_steps=3))
    shutil.rmtree(store.folder(cell.hash))
    left = store.workspace(cell.hash)
    (left / START).write_text(json.dumps({"version": "99.0", "cell": {"what": "is new"}}))
    (left / LEFT).touch()
    with pytest.raises(PdebenchError, match=r"made by a newer version of pdebench-lite \(99.0;"):
        race("fake", max_steps=3)
    assert (left / START).exists()


# ---- surroundings ----------------------------------------------------------------------------


def test_streams_reach_the_method(
    race: Race, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy.py").write_text("raise RuntimeError('the wrong numpy')")
    monkeypatch.chdir(tmp_path)
    records = race("fake[act=draws],twin[act=draws]", seeds=(0, 1), max_steps=9)
    assert [r.status for r in records] == ["ok"] * 4, records[0].reason
    one, other_seed, twin, _ = (r.details for r in records)
    assert one["labels"] == twin["labels"]
    assert one["labels"] != other_seed["labels"]
    assert one["method"] != twin["method"]
    assert one["method"] != other_seed["method"]
    assert one["method"] != one["other"]
    assert one["environment"] == "1"
    assert one["cwd"] != str(tmp_path)
    assert (one["seed"], other_seed["seed"]) == (0, 1)
    assert (one["dtype"], one["max_steps"]) == ("float64", 9)
    assert records[0].sees == {"labels": 3}
