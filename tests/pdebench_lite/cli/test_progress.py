"""What is seen while cells run: the tally, plain lines, the live overview, events."""

import io
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from pdebench_lite.cli._events import Events
from pdebench_lite.cli.progress import Lines, Live, make_listener
from pdebench_lite.cli.tally import Tally
from pdebench_lite.runner.study.estimate import Estimator
from pdebench_lite.runner.watch import Watch
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.records import Record, record_of


def cell(seed: int, **limits: float) -> Cell:
    """One of several cells."""
    budget = Budget.model_validate(limits or {"max_time": 10.0})
    return Cell(
        problem="toy", task="forward", problem_params={}, problem_label="toy", method="fake",
        family="other", config={}, label="fake", backend="numpy", dtype="float64", device="cpu",
        budget=budget, seed=seed,
    )  # fmt: skip


def done(of: Cell, status: Any = "ok", charged: float = 10.0) -> Record:
    """The record of a cell."""
    return record_of(
        of,
        status,
        "boom" if status != "ok" else "",
        charged_s=charged,
        wall_s=charged + 2,
        steps=7,
        metrics={"rel_l2": 0.5},
        ranked=["rel_l2"],
    )


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that the test moves."""
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


# ---- tally -----------------------------------------------------------------------------------


def test_the_time_left_shrinks_and_learns(hands: list[float]) -> None:
    tally, cells = Tally(Estimator()), [cell(i) for i in range(4)]
    tally.begin(cells)
    assert tally.line == "0 of 4 done, about 40 s left"
    tally.start(cells[0])
    hands[0] += 4
    assert tally.seconds_left == 36
    tally.end(cells[0], done(cells[0]))
    assert tally.seconds_left == 36, "a cell takes 12 s, as is known now: three are left"
    tally.start(cells[1])
    tally.end(cells[1], done(cells[1], "crashed"))
    assert tally.line == "2 of 4 done, 1 failed, about 24 s left"
    tally.start(cells[2])
    tally.wait(cells[2])
    assert tally.seconds_left == 24
    for rest in cells[2:]:
        tally.end(rest, done(rest))
    assert tally.line == "4 of 4 done, 1 failed"
    assert tally.seconds_left == 0


def test_cells_side_by_side(hands: list[float]) -> None:
    tally, cells = Tally(jobs=3), [cell(i, max_time=10.0) for i in range(6)]
    tally.begin(cells)
    assert tally.seconds_left == 20
    tally = Tally(jobs=3)
    tally.begin([cell(0, max_time=90.0), *cells[1:]])
    assert tally.seconds_left == 90, "the longest cell is not divided"


def test_an_unknown_time_is_not_guessed() -> None:
    tally = Tally()
    tally.begin([cell(0), cell(1, max_steps=5)])
    assert tally.seconds_left is None
    assert tally.line == "0 of 2 done"


# ---- lines -----------------------------------------------------------------------------------


def lines(kind: type[Lines] = Lines, **more: Any) -> tuple[Lines, io.StringIO]:
    """A listener that prints to a text."""
    text = io.StringIO()
    console = Console(file=text, width=200, markup=False, highlight=False, **more)
    return kind(Path("results"), console, ["no ghost"]), text


def test_plain_lines(hands: list[float]) -> None:
    listener, text = lines()
    cells = [cell(i) for i in range(3)]
    listener.begin(cells)
    listener.reuse(cells[0], done(cells[0], "timeout"))
    listener.wait(cells[2], "process 7 on elsewhere")
    listener.start(cells[1])
    listener.progress(cells[1], Watch())
    hands[0] += 61
    listener.progress(cells[1], Watch())
    listener.progress(cells[1], Watch())
    listener.finish(cells[1], done(cells[1]))
    assert text.getvalue().splitlines() == [
        "not run: no ghost",
        "3 cells -> results",
        "[1/3] toy · fake · numpy · seed 0: timeout already (--rerun failed runs it again)",
        "toy · fake · numpy · seed 2: waiting for process 7 on elsewhere, which runs it",
        "1 of 3 done, 1 failed, 1 running, about 10 s left",
        "[2/3] toy · fake · numpy · seed 1: ok  rel_l2 5.00e-01  7 steps  10.0 s charged",
    ]


def test_what_was_lacking_is_said_again() -> None:
    listener, text = lines()
    listener.begin([cell(0)])
    lacking = done(cell(0), "unsupported").model_copy(update={"reason": "no nets.py"})
    listener.reuse(cell(0), lacking)
    line = text.getvalue().splitlines()[-1]
    hint = "--rerun stale runs it again if code or packages changed"
    assert line.endswith(f"unsupported already: no nets.py; {hint}")


def test_one_step_is_a_step() -> None:
    listener, text = lines()
    listener.begin([cell(0)])
    listener.start(cell(0))
    listener.finish(cell(0), done(cell(0)).model_copy(update={"steps": 1}))
    assert text.getvalue().endswith("ok  rel_l2 5.00e-01  1 step  10.0 s charged\n")


def test_one_cell_has_no_overview(hands: list[float]) -> None:
    listener, text = lines()
    listener.begin([cell(0)])
    listener.start(cell(0))
    hands[0] += 100
    listener.progress(cell(0), Watch())
    assert "running" not in text.getvalue()


# ---- live ------------------------------------------------------------------------------------


def shown(listener: Lines) -> list[str]:
    """The bars that are on the screen, in words."""
    assert isinstance(listener, Live)
    return [
        f"{task.description} {task.fields['state']}"
        for task in listener._bars.tasks
        if task.visible
    ]


def test_every_running_cell_has_a_bar() -> None:
    listener, text = lines(Live, force_terminal=True)
    cells = [cell(i) for i in range(3)]
    with listener:
        listener.begin(cells)
        assert shown(listener) == ["all 0 of 3 done, about 30 s left"]
        listener.start(cells[0])
        listener.start(cells[1])
        watch = Watch()
        watch.take({"kind": "progress", "step": 7, "loss": 0.5})
        listener.progress(cells[1], watch)
        overall, first, second = shown(listener)
        assert overall.startswith("all 0 of 3 done, 2 running, about ")
        assert first == "fake numpy seed 0 starting"
        assert second.startswith("fake numpy seed 1 setup  loss 5.0e-01  10 s left")
        listener.finish(cells[0], done(cells[0], "crashed"))
        assert len(shown(listener)) == 2
        listener.wait(cells[1], "process 7 on elsewhere")
        assert len(shown(listener)) == 1
        listener.reuse(cells[1], done(cells[1]))
        assert shown(listener)[0].startswith("all 2 of 3 done, 1 failed, about")
    assert "crashed: boom" in text.getvalue()


def test_problems_are_named_where_there_are_several() -> None:
    listener, _ = lines(Live, force_terminal=True)
    cells = [cell(0), cell(1).model_copy(update={"problem_label": "other"})]
    with listener:
        listener.begin(cells)
        listener.start(cells[1])
        assert shown(listener)[1] == "other fake numpy seed 1 starting"


def test_a_terminal_has_the_live_overview(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal, kind in ((True, Live), (False, Lines)):
        monkeypatch.setattr(sys.stderr, "isatty", lambda answer=terminal: answer)
        assert type(make_listener(Path("results"))) is kind


# ---- events ----------------------------------------------------------------------------------


def test_events(capsys: pytest.CaptureFixture[str], hands: list[float]) -> None:
    cells = [cell(i) for i in range(3)]
    watch = Watch()
    watch.take({"kind": "progress", "step": 7, "loss": float("nan"), "rel_l2": 0.5})
    with Events(Path("results")) as listener:
        listener.begin(cells)
        listener.reuse(cells[0], done(cells[0]))
        listener.start(cells[1])
        listener.progress(cells[1], watch)
        listener.progress(cells[1], watch)
        hands[0] += 1.5
        listener.progress(cells[1], watch)
        listener.wait(cells[2], "process 7")
        listener.finish(cells[1], done(cells[1], "diverged"))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [e["event"] for e in events] == [
        "begin", "reuse", "start", "progress", "progress", "wait", "finish", "end"
    ]  # fmt: skip
    assert [c["cell"] for c in events[0]["cells"]] == [c.hash for c in cells]
    assert events[1]["record"]["status"] == "ok"
    assert events[3]["latest"] == {"step": 7, "loss": None, "rel_l2": 0.5}
    assert events[6]["record"]["status"] == "diverged"
    assert {k: events[-1][k] for k in ("done", "failed", "total", "stopped")} == {
        "done": 2, "failed": 1, "total": 3, "stopped": False
    }  # fmt: skip
    assert all(isinstance(e["time"], float) for e in events)


def test_events_end_when_the_study_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(KeyboardInterrupt), Events(Path("results")) as listener:
        listener.begin([cell(0)])
        raise KeyboardInterrupt
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["event"], last["stopped"]) == ("end", True)
