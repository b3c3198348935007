"""The clock: sleeping phases of known length, in one process and through a whole cell."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from pdebench_lite.records import Record
from pdebench_lite.runner.clock import Clock
from pdebench_lite.runner.watch import Watch, follow, overdue
from pdebench_lite.study import Budget, Cell

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


def test_unknown_phase() -> None:
    with pytest.raises(ValueError, match=r"no phase 'lunch'; phases: setup, data"):
        Clock().phase("lunch").__enter__()  # type: ignore[arg-type]


def test_phases_of_a_cell_are_right_to_five_percent(race: Race) -> None:
    unit = 0.4
    wrong: list[Any] = []
    for _attempt in range(3):  # the machine may be busy elsewhere
        (record,) = race(f"fake[act=sleep,seconds={unit}]", max_steps=10, rerun="all")
        assert record.status == "ok", record.reason
        expected = {"data_s": unit, "compile_s": 1.5 * unit, "train_s": 2.5 * unit,
                    "charged_s": 5 * unit, "evaluate_s": 2 * unit, "predict_s": unit}  # fmt: skip
        found = {name: getattr(record, name) for name in expected}
        for name, value in expected.items():
            assert found[name] >= value - 1e-3, (name, found)
        found["evaluate_s"] = min(found["evaluate_s"], 1.05 * 2 * unit)  # metrics take their time
        wrong = [n for n, v in expected.items() if abs(found[n] - v) > max(0.05 * v, 0.02)]
        if not wrong:
            return
    pytest.fail(f"three times: {wrong} in {found}")


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
    monkeypatch.setattr(time, "time", lambda: now)
    watch = Watch(started=now, since=now, heard=now)
    for name, at in events[:-1]:
        now = 1000.0 + at
        watch.take({"kind": "phase", "name": name, "wall": now})
    now = 1000.0 + events[-1][1]
    return watch


@pytest.mark.parametrize(
    ("events", "limit", "reason"),
    [
        ([("setup", 0), ("", 299)], 10, ""),
        ([("setup", 0), ("", 301)], 10, "set-up took over 300 s"),
        ([("train", 250), ("", 264.9)], 10, ""),
        ([("train", 250), ("", 265.1)], 10, "did not stop within 10 s"),
        ([("train", 0), ("", 119.9)], 100, ""),
        ([("train", 0), ("", 120.1)], 100, "did not stop within 100 s"),
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
