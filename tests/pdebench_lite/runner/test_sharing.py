"""Several runners on one results folder: leases, one result per cell, several cells at once."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner import api, processes
from pdebench_lite.runner.api import plan
from pdebench_lite.runner.execute import Executor, Slot, TakenOver
from pdebench_lite.runner.processors import usable_processors
from pdebench_lite.runner.schedule import Scheduler
from pdebench_lite.store import leases as module
from pdebench_lite.store import locks
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.leases import EXPIRY, Leases, born, machine
from pdebench_lite.store.records import Record, Store, record_of

Race = Callable[..., list[Record]]


@pytest.fixture
def leases(tmp_path: Path) -> Iterator[Leases]:
    """The leases of an empty folder."""
    with Leases(tmp_path) as mine:
        yield mine


def dead_pid() -> int:
    """The id of a process that has ended."""
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def rewrite(leases: Leases, cell: str, **values: object) -> Path:
    """Make a lease look as if another had it."""
    path = leases._path(cell)
    raw = json.loads(path.read_text()) | {"token": "theirs"} | values
    path.write_text(json.dumps(raw))
    return path


def age(path: Path, seconds: float) -> None:
    """Make a lease look as if it had been silent."""
    now = time.time()
    os.utime(path, (now - seconds, now - seconds))


# ---- leases ----------------------------------------------------------------------------------


def test_one_holder_at_a_time(leases: Leases, tmp_path: Path) -> None:
    assert leases.holder("a") is None
    assert leases.take("a")
    holder = leases.holder("a")
    assert holder is not None
    assert (holder.pid, holder.machine) == (os.getpid(), machine())
    assert not Leases(tmp_path).take("a")
    assert not leases.take("a")
    assert leases.holds("a")
    leases.release("a")
    assert leases.holder("a") is None
    assert [p.name for p in tmp_path.iterdir()] == [".lock"]


def test_only_one_of_many_takes_a_lease(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path\n"
        "from pdebench_lite.store.leases import Leases\n"
        "l = Leases(Path(sys.argv[1])); time.sleep(max(0, float(sys.argv[2]) - time.time()))\n"
        "print(sum(l.take(str(i)) for i in range(50))); sys.stdout.flush(); sys.stdin.read()"
    )
    start = str(time.time() + 2)
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), start],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(4)
    ]  # fmt: skip
    taken = [int(racer.stdout.readline()) for racer in racers if racer.stdout]
    for racer in racers:
        racer.communicate("")
    assert sum(taken) == 50
    with Leases(tmp_path) as heir:
        assert all(heir.take(str(i)) for i in range(50)), "the holders are dead"


def test_the_dead_on_this_machine_are_known_at_once(leases: Leases) -> None:
    assert leases.take("a")
    rewrite(leases, "a", pid=dead_pid())
    assert leases.holder("a") is None
    assert leases.take("a")
    rewrite(leases, "a", born="1")  # the process id was given out again
    assert leases.take("a")


def test_the_silent_elsewhere_expire(leases: Leases) -> None:
    assert leases.take("a")
    path = rewrite(leases, "a", machine="elsewhere", pid=dead_pid())
    age(path, EXPIRY - 5)
    assert leases.holder("a") is not None
    assert not leases.take("a")
    age(path, EXPIRY + 5)
    assert leases.holder("a") is None
    assert leases.take("a")


def test_a_folder_that_cannot_be_written_can_be_read(
    leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    leases.take("a")
    monkeypatch.setattr(locks.tempfile, "TemporaryFile", refuse)
    assert leases.holder("a") is not None
    age(leases._path("a"), EXPIRY + 1)
    assert leases.holder("a") is None


def test_a_lease_of_a_newer_version_is_read(leases: Leases) -> None:
    assert leases.take("x")
    path = leases.root / ".lease-x"
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "slurm_job": 7}))
    holder = leases.holder("x")
    assert holder is not None
    assert holder.pid == said["pid"]
    path.write_text(json.dumps({**said, "born": "1", "slurm_job": 7}))
    assert leases.holder("x") is None, "it is known to be dead"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"machine": 1}', "\udcff"])
def test_a_lease_that_cannot_be_read_counts_until_it_expires(leases: Leases, text: str) -> None:
    path = leases._path("a")
    path.write_bytes(text.encode(errors="surrogateescape"))
    assert not leases.take("a")
    leases.sweep()
    age(path, EXPIRY + 5)
    assert leases.take("a")


def test_heartbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "HEARTBEAT", 0.05)
    with Leases(tmp_path) as mine:
        assert mine.take("a")
        assert mine.take("b")
        age(mine._path("a"), 1000)
        age(rewrite(mine, "b"), 1000)
        time.sleep(0.5)
        assert mine._now() - mine.beat("a") < 10
        assert mine._now() - mine.beat("b") > 900, "it is no longer ours"
        assert not mine.holds("b")
    assert {p.name for p in tmp_path.iterdir()} == {".lease-b", ".lock"}


def test_sweep_removes_the_leases_of_the_dead_only(leases: Leases, tmp_path: Path) -> None:
    for cell in "abc":
        assert leases.take(cell)
    rewrite(leases, "a", pid=dead_pid())
    rewrite(leases, "b", machine="elsewhere", pid=dead_pid())
    other = Leases(tmp_path)
    other.sweep()
    assert {p.name for p in tmp_path.iterdir()} == {".lease-b", ".lease-c", ".lock"}
    assert [holder.title.startswith("process ") for holder in other.others()] == [True, True]


def test_birth() -> None:
    assert born(os.getpid()) == born(os.getpid()) != ""
    assert born(dead_pid()) == ""


# ---- one result per cell ---------------------------------------------------------------------


def cell_of(seed: int = 0) -> Cell:
    """Return a cell of the toy problem."""
    return Cell(
        problem="toy", task="forward", problem_params={"c": 1.0}, problem_label="toy",
        method="fake", family="other", config={"act": "exact"}, label="fake", backend="numpy",
        dtype="float64", device="cpu", budget=Budget(max_steps=3), seed=seed,
    )  # fmt: skip


def test_a_late_finisher_is_dropped(store: Store) -> None:
    store.prepare()
    cell = cell_of()
    with Leases(store.root) as late, Leases(store.root) as heir:
        assert late.take(cell.hash)
        workspace = store.workspace(cell.hash)
        age(rewrite(late, cell.hash, machine="elsewhere"), EXPIRY + 5)
        assert heir.take(cell.hash)
        mine = store.workspace(cell.hash)
        assert store.publish(record_of(cell, "ok", "of the heir"), mine, heir) is not None
        assert store.publish(record_of(cell, "ok", "late"), workspace, late) is None
    (record,) = store.load().records
    assert record.reason == "of the heir"


def test_a_runner_that_lost_its_cell_says_so(race: Race, store: Store, fakes: Path) -> None:
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.runner.api import plan

    known = registry()
    cells, devices = plan(known, "toy", "fake", "numpy", (0,), Budget(max_steps=3))
    store.prepare()
    with Leases(store.root) as mine:
        assert mine.take(cells[0].hash)
        rewrite(mine, cells[0].hash)
        with pytest.raises(TakenOver):
            Executor(store, known, devices, mine).run(cells[0])
    assert store.load().records == []
    assert not list(store.root.glob(".running-*"))


def test_two_runners_share_the_work(race: Race, store: Store, fakes: Path) -> None:
    words = [
        sys.executable, "-m", "pdebench_lite", "run", "--problem", "toy", "--methods",
        "fake[act=resumable,seconds=0.02]", "--backend", "numpy", "--max-steps", "10",
        "--seeds", "6", "--results", str(store.root),
    ]  # fmt: skip
    runners = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [runner.communicate(timeout=120)[1] for runner in runners]
    assert [runner.returncode for runner in runners] == [0, 0]
    assert len((fakes / "begun").read_text().splitlines()) == 6, "no cell was run twice"
    assert len(store.load().records) == 6
    mine = [sum(" ok  rel_l2" in line for line in text.splitlines()) for text in said]
    assert sum(mine) == 6
    assert min(mine) >= 1, "both took part"
    assert max(record.concurrency for record in store.load().records) == 2
    assert not list(store.root.glob(".*-*"))


# ---- several at once -------------------------------------------------------------------------


def test_jobs(race: Race, store: Store, fakes: Path) -> None:
    records = race("fake[act=sleep,seconds=0.3],fake", seeds=(0, 1), max_steps=3, jobs=2)
    assert [r.status for r in records] == ["ok"] * 4
    assert [(r.config["act"], r.seed) for r in records] == [
        ("sleep", 0), ("sleep", 1), ("exact", 0), ("exact", 1)
    ]  # fmt: skip
    assert records[0].concurrency == records[1].concurrency == 2
    assert records[0].threads == max(1, usable_processors() // 2)
    (alone,) = race("twin", max_steps=3)
    assert (alone.concurrency, alone.threads) == (1, usable_processors())


def test_a_gpu_has_one_cell_at_a_time_and_processors_are_pinned(fakes: Path, store: Store) -> None:
    """Three cells at once, two GPUs: a cell of the processor runs beside two of the others."""
    known = registry()
    gpu, _ = plan(known, "toy", "launcher[seconds=0.1]", "device", range(4), Budget(max_steps=3))
    cpu, _ = plan(known, "toy", "fake", "numpy", (0,), Budget(max_steps=3))
    devices = {"numpy": "cpu", "device": "cuda"}
    two = ("cuda:0", "cuda:1")
    records = Scheduler(store, known, devices, jobs=3, gpus=two).run([*gpu, *cpu])
    assert [r.status for r in records] == ["ok"] * 5
    ran = [r.details for r in records[:4]]
    assert {details["device"] for details in ran} == set(two)
    for device in two:
        spans = sorted(d["span"] for d in ran if d["device"] == device)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    mine = os.sched_getaffinity(0)
    for details, record in zip(ran, records, strict=False):
        assert set(details["cores"]) <= mine
        assert len(details["cores"]) == record.threads == max(1, usable_processors() // 3)


def test_orphans_of_other_containers_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Callable[[dict[str, str]], bool]] = []
    monkeypatch.setattr(processes, "_kill_all", asked.append)
    processes.kill_orphans()
    (orphaned,) = asked
    dead = f"{dead_pid()}:1"
    assert orphaned({"PDEBENCH_RUNNER": f"{machine()}:{dead}"})
    assert not orphaned({"PDEBENCH_RUNNER": f"elsewhere:{dead}"})
    assert not orphaned({"PDEBENCH_RUNNER": f"{machine()}:{os.getpid()}:{born(os.getpid())}"})
    assert not orphaned({})


def test_cells_stay_on_the_gpu_that_was_named(
    fakes: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = registry()
    cells, _ = plan(known, "toy", "launcher[seconds=0.1]", "device", range(2), Budget(max_steps=3))
    monkeypatch.setattr(api, "devices_of", lambda runtime: ("cpu", "cuda:0", "cuda:1", "cuda:2"))
    for asked, used in (("cuda:2", {"cuda:2"}), ("cuda", {"cuda:0", "cuda:1"})):
        devices = {"numpy": "cpu", "device": asked}
        records = api.execute(known, cells, devices, store.root / asked[-1], jobs=2)
        assert {r.details["device"] for r in records} == used, [r.reason for r in records]
    (record,) = api.execute(known, cells[:1], {"device": "cuda"}, store.root / "alone")
    assert record.details["device"] == "cuda:0"


def test_what_was_asked_for_is_run_again_when_the_other_runner_gives_up(
    race: Race, store: Store
) -> None:
    (old,) = race("fake", max_steps=3)
    published = store.folder(old.cell) / "record.json"
    published.write_text(published.read_text().replace(old.started, "2020-01-01T00:00:00+00:00"))
    with Leases(store.root) as theirs:
        assert theirs.take(old.cell)
        gone = threading.Timer(0.3, theirs.release, (old.cell,))
        gone.start()
        (new,) = race("fake", max_steps=3, rerun="all")
        gone.join()
    assert new.started >= old.started


def test_a_cell_that_waits_for_a_gpu_holds_up_no_other(fakes: Path, store: Store) -> None:
    known = registry()
    gpu, _ = plan(known, "toy", "launcher", "device", (0,), Budget(max_steps=3))
    cpu, _ = plan(known, "toy", "fake", "numpy", (0,), Budget(max_steps=3))
    scheduler = Scheduler(store, known, {"numpy": "cpu", "device": "cuda:0"}, jobs=2)
    plain, with_gpu = Slot((0,)), Slot((1,), "cuda:0")
    assert scheduler._next([*gpu, *cpu], [plain]) == (cpu[0], plain)
    assert scheduler._next(cpu, [with_gpu, plain]) == (cpu[0], plain)
    assert scheduler._next(cpu, [with_gpu]) == (cpu[0], with_gpu)
    assert scheduler._next([*gpu, *cpu], [plain, with_gpu]) == (gpu[0], with_gpu)
    assert scheduler._next(gpu, [plain]) is None


def test_holder_titles() -> None:
    holder = module.Holder("m", "host", 12, "3", "t")
    assert holder.title == "process 12 on host"
    assert not replace(holder, machine="elsewhere").dead
