"""Contract: attempts at a cell add up, whichever runner made them."""

import os
from pathlib import Path

import numpy as np
import pytest

from pdebench_lite.runner import attempts
from pdebench_lite.runner.attempts import ATTEMPT, Attempt, begin, go_on, inherit, read
from pdebench_lite.runner.child import JOURNAL
from pdebench_lite.store.checkpoints import CHECKPOINT, Checkpoint, write_checkpoint
from pdebench_lite.store.records import LEFT

CODE = {"pdebench_lite/view.py": "abc"}


def lost_attempt(
    workspace: Path, attempt: Attempt, steps: int | None = None, seconds: float = 30.0
) -> Path:
    """Make what an attempt leaves whose runner was killed after some seconds."""
    workspace.mkdir(exist_ok=True)
    begin(workspace, attempt)
    (workspace / JOURNAL).touch()
    if steps is not None:
        write_checkpoint(workspace, Checkpoint({"x": np.zeros(1)}, {}, {"steps": steps}))
    began = (workspace / JOURNAL).stat().st_mtime - 1000.0
    os.utime(workspace / ATTEMPT, (began, began))
    for name in (JOURNAL, CHECKPOINT):
        if (workspace / name).exists():
            os.utime(workspace / name, (began + seconds, began + seconds))
    return workspace


def test_attempts_that_come_no_further_are_counted(tmp_path: Path) -> None:
    attempt = Attempt(CODE)
    for count in (1, 2, 3):
        old = lost_attempt(tmp_path / f"old{count}", attempt)
        new = tmp_path / f"new{count}"
        new.mkdir()
        attempt = inherit([old], new, CODE)
        assert (attempt.lost, attempt.restarted) == (count, count)
        assert attempt.wall_s == pytest.approx(30.0 * count)
        assert read(new) == attempt
        assert not old.exists()


def test_attempts_that_come_further_are_not(tmp_path: Path) -> None:
    attempt, workspace = Attempt(CODE, lost=2), tmp_path
    for steps in (5, 9):
        lost_attempt(workspace, attempt, steps)
        attempt = go_on(workspace, workspace, CODE)
        assert attempt.lost == 0
    lost_attempt(workspace, attempt, 9)
    assert go_on(workspace, workspace, CODE).lost == 1


def test_attempts_that_were_stopped_in_order_are_not(tmp_path: Path) -> None:
    lost_attempt(tmp_path, Attempt(CODE, lost=1))
    (tmp_path / LEFT).touch()
    assert go_on(tmp_path, tmp_path, CODE).lost == 1


def test_other_code_has_a_new_chance(tmp_path: Path) -> None:
    lost_attempt(tmp_path, Attempt(CODE, lost=2))
    assert go_on(tmp_path, tmp_path, {"pdebench_lite/view.py": "xyz"}).lost == 0


def test_wall_time_of_all_runners_counts(tmp_path: Path) -> None:
    """Measured on two nodes: 216 s of wall time, of which 248 s were charged."""
    furthest = lost_attempt(tmp_path / "a", Attempt(CODE, wall_s=7.0), 20, 60.0)
    behind = lost_attempt(tmp_path / "b", Attempt(CODE), 3, 11.0)
    new = tmp_path / "new"
    new.mkdir()
    attempt = inherit([behind, furthest], new, CODE)
    assert attempt.wall_s == pytest.approx(7.0 + 60.0 + 11.0)
    assert attempts._steps(new) == 20


@pytest.mark.parametrize("text", ["", "{", "[]", '{"earlier": 1}'])
def test_a_note_that_cannot_be_read_is_that_of_a_first_attempt(tmp_path: Path, text: str) -> None:
    (tmp_path / ATTEMPT).write_text(text)
    assert read(tmp_path) == Attempt()
