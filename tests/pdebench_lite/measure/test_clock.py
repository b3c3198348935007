"""The clock: sleeping phases of known length, in one process and through a whole cell."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.measure.clock import Clock
from pdebench_lite.runner.watch import Watch, follow, overdue
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.records import Record

Race = Callable[..., list[Record]]


class Hands:
    """A clock's hands that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


def test_inner_phases_pause_outer_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    hands, phases = Hands(monkeypatch), []
    waits: list[float] = []
    clock = Clock(lambda: waits.append(hands.now), phases.append, elapsed=3.0)
    hands.now += 1  # setup
    with clock.phase("train"):
        hands.now += 10
        with clock.phase("compile"):
            hands.now += 100
        hands.now += 20
        with clock.phase("evaluate"):
            hands.now += 1000
            with clock.phase("predict"):
                hands.now += 10000
            hands.now += 2000
        with suppress(RuntimeError), clock.phase("data"):
            hands.now += 5
            raise RuntimeError
        assert clock.current == "train"
    hands.now += 2
    assert clock.charged == 135
    clock.read()
    assert clock.spent == {
        "setup": 6, "data": 5, "compile": 100, "train": 30, "evaluate": 3000, "predict": 10000,
        "resume": 0,
    }  # fmt: skip
    assert phases == [
        "train", "compile", "train", "evaluate", "predict", "evaluate", "train", "data", "train",
        "setup",
    ]  # fmt: skip
    assert len(waits) == 11, "the device is waited for at every reading"


def test_waiting_for_the_device_is_charged_to_the_phase_that_launched_the_work() -> None:
    clock = Clock(synchronize=lambda: time.sleep(0.02))
    with clock.phase("train"):
        pass
    assert clock.spent["train"] >= 0.02


def test_what_the_harness_does_at_a_change_of_phase_is_not_charged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hands = Hands(monkeypatch)

    def bookkeeping(phase: str) -> None:
        hands.now += 0.25

    clock = Clock(on_change=bookkeeping)
    with clock.phase("train"):
        hands.now += 10
        with clock.phase("compile"):
            hands.now += 100
        with clock.phase("evaluate"):
            hands.now += 1000
    clock.read()
    assert clock.charged == 110
    assert clock.spent["evaluate"] == 1001.5
    assert clock.spent["setup"] == 0


def test_what_a_resumed_run_does_again_is_on_another_account(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hands, told = Hands(monkeypatch), []
    clock = Clock(on_change=told.append)
    with clock.phase("train"):
        with clock.phase("data"):
            hands.now += 1
            clock.resume({"data": 10.0, "train": 100.0})
            hands.now += 2
        with clock.phase("compile"):
            hands.now += 4
        hands.now += 8
        clock.caught_up()
        with clock.phase("compile"):
            hands.now += 16
    clock.read()
    assert (clock.spent["resume"], clock.charged) == (7, 10 + 100 + 8 + 16)
    assert told == [
        "train", "data", "resume", "train", "resume", "train", "train", "compile", "train", "setup"
    ]  # fmt: skip


def test_unknown_phase() -> None:
    with pytest.raises(ValueError, match=r"no phase 'lunch'; phases: setup, data"):
        Clock().phase("lunch").__enter__()  # type: ignore[arg-type]


UNITS = {"data_s": 1.0, "compile_s": 1.5, "train_s": 2.5, "charged_s": 5.0, "predict_s": 1.0}


@pytest.mark.parametrize(
    ("method", "backend"),
    [("fake[act=sleep,seconds={}]", "numpy"), ("launcher[seconds={}]", "device")],
)
def test_phases_of_a_cell_are_right_to_five_percent(
    race: Race, fakes: Path, method: str, backend: str
) -> None:
    """Sleeping on the host, or leaving work to a device that goes on alone: the same phases.

    What metrics and reports take themselves is measured by a cell that does not sleep. All
    predictions but the one for the final query are evaluation. The machine may be busy: three
    attempts.
    """
    unit = 0.3

    def times(seconds: float) -> dict[str, float]:
        (record,) = race(method.format(seconds), backend=backend, max_steps=10, rerun="all")
        assert record.status == "ok", record.reason
        return {name: getattr(record, name) for name in (*UNITS, "evaluate_s")}

    found, expected = {}, {}
    for _attempt in range(3):
        idle = times(0.0)
        (fakes / "predictions").unlink()
        busy = times(unit)
        units = {**UNITS, "evaluate_s": len((fakes / "predictions").read_text()) - 1.0}
        found = {name: busy[name] - idle[name] for name in busy}
        expected = {name: unit * count for name, count in units.items()}
        if all(abs(found[name] - value) <= 0.05 * value for name, value in expected.items()):
            return
    pytest.fail(f"three times: {found} instead of {expected}")


def test_evaluation_is_not_charged(race: Race) -> None:
    """The slower the predictions, the longer the cell, and not a bit of it is charged."""
    (record,) = race("fake[act=predict_slowly,seconds=0.25]", max_steps=3)
    assert record.status == "ok", record.reason
    assert record.evaluate_s is not None
    assert record.predict_s is not None
    assert record.charged_s is not None
    assert record.evaluate_s >= 1.0, "four predictions of a quarter of a second, or more"
    assert 0.25 <= record.predict_s < 0.5, "the final query only"
    assert record.charged_s < 0.2


def test_the_device_is_waited_for_before_each_reading(race: Race) -> None:
    (record,) = race("launcher[seconds=0.01]", backend="device", max_steps=10)
    assert record.status == "ok", record.reason
    before, after, before_second, after_second = record.details["waits"]
    assert after - before >= 3, "at the report, when evaluation begins, when it ends"
    assert after_second - before_second >= 3
    assert (record.device_name, record.peak_device_mb) == ("Fake 9000", 3.0)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_work_that_a_backend_does_in_the_background_is_waited_for(backend: str) -> None:
    """JAX returns before it has computed: without waiting the reading would be too early."""
    pytest.importorskip(backend)
    if backend == "jax":
        import jax
        import jax.numpy as jnp

        from pdebench_jax import _runtime as runtime

        product = jax.jit(lambda a: jax.lax.fori_loop(0, 20, lambda i, b: jnp.tanh(b @ a), a))
        a = jnp.full((500, 500), 1e-3)
        launch = lambda: product(a)  # noqa: E731
        finish = lambda result: result.block_until_ready()  # noqa: E731
    else:
        import torch

        from pdebench_torch import _runtime as runtime

        matrix = torch.full((500, 500), 1e-3)
        launch = lambda: torch.linalg.multi_dot([matrix] * 20).tanh()  # noqa: E731
        finish = lambda result: result.sum().item()  # noqa: E731
    runtime.prepare("cpu", "float64")
    finish(launch())
    left = []
    for _ in range(5):
        result = launch()
        runtime.synchronize()
        waited = time.perf_counter()
        finish(result)
        left.append(time.perf_counter() - waited)
    began = time.perf_counter()
    finish(launch())
    assert min(left) < 0.1 * (time.perf_counter() - began)


# ---- the parent's side -----------------------------------------------------------------------


@pytest.fixture
def cell() -> Cell:
    """A cell with ten seconds."""
    return Cell(
        problem="toy", task="forward", problem_params={}, problem_label="toy", method="fake",
        family="other", config={}, label="fake", backend="numpy", dtype="float64", device="cpu",
        budget=Budget(max_time=10.0), seed=0,
    )  # fmt: skip


def watch_after(monkeypatch: pytest.MonkeyPatch, *events: tuple[str, float]) -> Watch:
    """A watch that saw phases begin at given times; the last entry is now."""
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    watch = Watch(started=now, since=now, heard=now)
    for name, at in events[:-1]:
        now = 1000.0 + at
        watch.take({"kind": "phase", "name": name, "wall": now})
    now = 1000.0 + events[-1][1]
    return watch


def test_a_resumed_cell_is_not_late_for_what_it_does_again(
    monkeypatch: pytest.MonkeyPatch, cell: Cell
) -> None:
    cell = cell.model_copy(update={"budget": Budget(max_time=1000.0)})
    watch = watch_after(monkeypatch, ("train", 0), ("", 0))
    spent = {"setup": 1.0, "data": 1.0, "compile": 2.0, "train": 6.0}
    watch.take({"kind": "resumed", "rows": [], "spent": spent})
    watch.take({"kind": "phase", "name": "resume", "wall": 1000.0})
    monkeypatch.setattr(time, "monotonic", lambda: 1900.0)
    assert overdue(watch, cell) == ""
    monkeypatch.setattr(time, "monotonic", lambda: 2001.0)
    assert overdue(watch, cell) == "no report for 1000 s (phase resume)"
    watch.take({"kind": "phase", "name": "train", "wall": 1900.0})
    assert watch.seconds("data", "compile", "train") == 9.0 + 101.0
    assert overdue(watch, cell) == ""
    monkeypatch.setattr(time, "monotonic", lambda: 3092.0)
    assert "did not stop within 1000 s" in overdue(watch, cell)


@pytest.mark.parametrize(
    ("events", "limit", "reason"),
    [
        ([("setup", 0), ("", 299)], 10, ""),
        ([("setup", 0), ("", 301)], 10, "set-up took over 300 s"),
        ([("train", 250), ("", 264.9)], 10, ""),
        ([("train", 250), ("", 265.1)], 10, "did not stop within 10 s"),
        ([("train", 0), ("", 119.9)], 100, ""),
        ([("train", 0), ("", 120.1)], 100, "did not stop within 100 s"),
        (
            [("data", 0), ("", 15.1)],
            10,
            "did not stop within 10 s and 5 s of grace: it was still preparing its data; "
            "give more, such as --max-time 56s",
        ),
        (
            [("data", 0), ("compile", 5), ("", 16)],
            10,
            "did not stop within 10 s and 5 s of grace: it was still compiling; "
            "give more, such as --max-time 43s",
        ),
        ([("train", 0), ("evaluate", 9), ("train", 209), ("", 214)], 10, ""),
        ([("data", 0), ("compile", 9), ("train", 12), ("", 15.5)], 10, "did not stop"),
        ([("train", 0), ("evaluate", 9), ("", 308)], 10, ""),
        ([("train", 0), ("evaluate", 9), ("", 310)], 10, "no report for 300 s (phase evaluate)"),
        ([("train", 0), ("", 299)], None, ""),
        ([("train", 0), ("", 301)], None, "no report for 300 s (phase train)"),
        ([("train", 0), ("setup", 9), ("", 310)], 10, "no report for 300 s (phase setup)"),
    ],
)
def test_when_a_child_is_overdue(
    cell: Cell,
    monkeypatch: pytest.MonkeyPatch,
    events: list[tuple[str, float]],
    limit: float | None,
    reason: str,
) -> None:
    watch = watch_after(monkeypatch, *events)
    chosen = cell.model_copy(update={"budget": Budget(max_time=limit, max_steps=5)})
    found = overdue(watch, chosen)
    assert found.startswith(reason)
    assert bool(found) == bool(reason)


def test_events_that_make_no_sense_are_passed_over(tmp_path: Any) -> None:
    journal = tmp_path / "journal"
    journal.write_bytes(b'{"kind": "progress", "step": 1}\n\xff\xfe\n[1]\n{"half": \n{"kind": "hi')
    events = follow(journal)
    watch = Watch()
    for event in next(events):
        watch.take(event)
    assert watch.progress == {"step": 1}
    with journal.open("ab") as file:
        file.write(b'story", "step": 2}\n{}\n{"kind": "odd"}\n')
    for event in next(events):
        watch.take(event)
    assert watch.history == [{"step": 2}]
    assert next(events) == []
