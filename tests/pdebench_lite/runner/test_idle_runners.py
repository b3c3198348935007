"""Runners that have no free cell: they leave, or wait without a load on the file server."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pdebench_lite.cli import main
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner import at_work, schedule
from pdebench_lite.runner.api import plan
from pdebench_lite.runner.at_work import announced, cells_at_work
from pdebench_lite.runner.schedule import Scheduler
from pdebench_lite.store import leases as leases_module
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.leases import EXPIRY, HEARTBEAT, Holder, Leases
from pdebench_lite.store.records import Record, Store

Race = Callable[..., list[Record]]
ELSEWHERE = Holder("elsewhere", "node7", 12, "3", "theirs")
DEVICES = {"numpy": "cpu"}


def toys(number: int) -> list[Cell]:
    """Return cells of the toy problem."""
    budget = Budget(max_steps=3)
    return plan(registry(), "toy", "fake", "numpy", range(number), budget)[0]


def taken(store: Store, cells: list[Cell], holder: Holder = ELSEWHERE) -> list[Path]:
    """Write leases as another runner has them."""
    store.prepare()
    paths = [Leases(store.root)._path(cell.hash) for cell in cells]
    for path in paths:
        path.write_text(json.dumps(asdict(holder)))
    return paths


# ---- leaving ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "shell"), [(["--no-wait"], {}), ([], {"SLURM_JOB_ID": "7"})], ids=["asked", "batch"]
)
def test_a_runner_without_free_cells_leaves(
    fakes: Path,
    store: Store,
    words: list[str],
    shell: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in shell.items():
        monkeypatch.setenv(name, value)
    store.prepare()
    with Leases(store.root) as theirs:
        for cell in toys(2):
            assert theirs.take(cell.hash)
        command = ["run", "--problem", "toy", "--methods", "fake,twin", "--backend", "numpy",
                   "--max-steps", "3", "--seeds", "2", "--results", str(store.root)]  # fmt: skip
        assert main([*command, *words]) == 0
    assert [record.method for record in store.load().records] == ["twin"] * 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"no cell is free: process {os.getpid()} on ")
    assert said.endswith(" (2 cells); not waiting for them (--wait does)")


def test_a_runner_leaves_only_to_those_that_live(
    fakes: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that died on another node has left a lease: its cell is run here once that expires."""
    cells = toys(2)
    dead, living = taken(store, cells)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        os.utime(living)
        if len(slept) == 3:
            silent = time.time() - EXPIRY - 1
            os.utime(dead, (silent, silent))

    monkeypatch.setattr(schedule.time, "sleep", sleep)
    (record,) = Scheduler(store, registry(), DEVICES, wait=False).run(cells)
    assert record.seed == 0, "of the dead runner"
    assert len(slept) >= 3


# ---- load on the file system -----------------------------------------------------------------


def test_a_minute_of_waiting_takes_few_looks(
    fakes: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = toys(63)
    taken(store, cells)
    looks = probes = 0
    slept: list[float] = []
    holder, clock = Leases.holder, leases_module.file_clock

    def counted_holder(self: Leases, cell: str) -> Holder | None:
        nonlocal looks
        looks += 1
        return holder(self, cell)

    def counted_clock(root: Path) -> float:
        nonlocal probes
        probes += 1
        return clock(root)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if sum(slept) > 60:
            raise KeyboardInterrupt

    monkeypatch.setattr(Leases, "holder", counted_holder)
    monkeypatch.setattr(leases_module, "file_clock", counted_clock)
    monkeypatch.setattr(schedule.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        Scheduler(store, registry(), DEVICES).run(cells)
    assert looks <= 63 * 2 * 17, "each lease is opened twice, 17 times a minute"
    assert probes == 1


def test_the_clock_of_the_server_is_read_once_in_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes: list[Path] = []
    clock, now = leases_module.file_clock, [1e6]
    monkeypatch.setattr(leases_module, "file_clock", lambda r: [probes.append(r), clock(r)][1])
    monkeypatch.setattr(leases_module.time, "monotonic", lambda: now[0])
    leases = Leases(tmp_path)
    for i in range(64):
        leases._path(str(i)).write_text(json.dumps(asdict(replace(ELSEWHERE, pid=i))))
    for _ in range(20):
        assert len(leases.others()) == 64
    assert len(probes) == 1
    now[0] += HEARTBEAT + 1
    leases.others()
    assert len(probes) == 2
    now[0] += HEARTBEAT - 1
    assert leases._now() == pytest.approx(clock(tmp_path) + HEARTBEAT - 1, abs=5.0)


# ---- cells of the machine --------------------------------------------------------------------


def test_cells_of_other_folders_count(race: Race, fakes: Path, tmp_path: Path) -> None:
    other = subprocess.Popen(
        [sys.executable, "-m", "pdebench_lite", "run", "--problem", "toy", "--methods",
         "fake[act=hang]", "--backend", "numpy", "--max-steps", "5", "--quiet",
         "--results", str(tmp_path / "other")]
    )  # fmt: skip
    limit = time.monotonic() + 30.0
    while not (fakes / "hanging").exists():
        assert time.monotonic() < limit
        time.sleep(0.02)
    (beside,) = race("fake", max_steps=3)
    other.terminate()
    other.wait(30.0)
    (alone,) = race("twin", max_steps=3)
    assert (beside.concurrency, alone.concurrency) == (2, 1)


def test_cells_at_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cells_at_work() == 0
    with announced(), announced():
        assert cells_at_work() == 2
    assert cells_at_work() == 0
    monkeypatch.setattr(at_work, "_TABLE", tmp_path / "absent")
    assert cells_at_work() is None


# ---- processors ------------------------------------------------------------------------------


def test_a_cell_has_the_processors_of_its_job(
    race: Race, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLURM_CPUS_PER_TASK", "1")
    (record,) = race("fake", max_steps=3)
    assert record.threads == 1
    monkeypatch.setattr(schedule, "affinity", lambda: list(range(16)))
    monkeypatch.setattr(schedule, "usable_processors", lambda: 4)
    slots = Scheduler(store, registry(), DEVICES, jobs=2)._slots()
    assert [slot.cores for slot in slots] == [(0, 2), (1, 3)]
