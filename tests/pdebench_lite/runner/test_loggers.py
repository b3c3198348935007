"""Loggers: every backend's history arrives, once; a logger that fails does not fail the cell."""

import csv
import importlib.util
import socket
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite import load_history
from pdebench_lite.cli import main
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import execute, plan
from pdebench_lite.runner.listener import Listener
from pdebench_lite.runner.loggers import KINDS, Curves, Several, check, open_logger
from pdebench_lite.runner.watch import Watch
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.records import Record

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Lightning and the loggers
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


class Memory:
    """A logger that remembers, and fails where it is told to."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.settings: dict[str, Any] = {}
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.ended = ""

    def log_hyperparams(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        if self.fails:
            raise OSError(f"disk\n{self.fails}")
        self.rows.append((step, metrics))

    def save(self) -> None:
        pass

    def finalize(self, status: str) -> None:
        self.ended = status


def run(results: Path, methods: str, listener: Listener, backend: str = "all") -> list[Record]:
    known = registry()
    cells, devices = plan(known, "toy", methods, backend, budget=Budget(max_steps=20))
    return execute(known, cells, devices, results, listener=listener)


def test_the_history_arrives_once_and_whole(fakes: Path, tmp_path: Path) -> None:
    made: dict[str, Memory] = {}

    def remember(kind: str, folder: Path, cell: Cell) -> Memory:
        return made.setdefault(cell.config["act"], Memory())

    said: list[str] = []
    curves = Curves("csv", tmp_path / "logs", tmp_path / "r", said.append, remember)
    with curves:
        good, bad = run(tmp_path / "r", "fake[act=improving],fake[act=raise]", curves)
    for record in (good, bad):
        logger = made[record.config["act"]]
        history = load_history(tmp_path / "r" / record.cell)
        rows = [row for row in logger.rows if "charged_s" in row[1]]
        assert [step for step, _ in rows] == history["step"].tolist()
        for name in ("charged_s", "loss", "rel_l2"):
            expected = [v for v in history[name].tolist() if v == v]
            assert [row[name] for _, row in rows if name in row] == expected
        assert logger.settings["config/act"] == record.config["act"]
        assert logger.settings["budget/max_steps"] == 20
    assert made["improving"].rows[-1][1]["final/rel_l2"] == good.metrics["rel_l2"]
    assert (made["improving"].ended, made["raise"].ended) == ("success", "failed")
    assert said == []


def test_a_cell_with_a_record_is_written_afterwards_and_once(fakes: Path, tmp_path: Path) -> None:
    made: list[Memory] = []

    def remember(kind: str, folder: Path, cell: Cell) -> Memory:
        made.append(Memory())
        return made[-1]

    def curves() -> Curves:
        return Curves("csv", tmp_path / "logs", tmp_path / "r", pytest.fail, remember)

    (first,) = run(tmp_path / "r", "fake[act=improving]", Listener())
    for _ in range(2):
        with curves() as ear:
            run(tmp_path / "r", "fake[act=improving]", ear)
    (logger,) = made
    history = load_history(tmp_path / "r" / first.cell)
    assert [step for step, row in logger.rows if "charged_s" in row] == history["step"].tolist()
    assert logger.rows[-1][1]["final/rel_l2"] == first.metrics["rel_l2"]
    assert logger.ended == "success"
    again = first.model_copy(update={"started": "2001-01-01T00:00:00+00:00"})
    with curves() as ear:
        ear.reuse(CELL, again)
    assert len(made) == 2, "another record of the same cell is another run"


def test_a_logger_that_fails_is_given_up_and_the_cell_goes_on(fakes: Path, tmp_path: Path) -> None:
    said: list[str] = []
    curves = Curves("csv", tmp_path, tmp_path / "r", said.append, lambda *_: Memory("is full"))
    with curves:
        (record,) = run(tmp_path / "r", "fake", curves)
    assert record.status == "ok"
    assert said == [
        "--logger csv is given up for toy · fake · numpy · seed 0: OSError: disk is full"
    ]


CELL = Cell(
    problem="toy", task="forward", problem_params={}, problem_label="../toy|é", method="fake",
    family="other", config={"width": 3}, label="fake", backend="jax", dtype="float64",
    device="cpu", budget=Budget(max_time=10.0), seed=0,
)  # fmt: skip


def test_live_rows_are_written_when_they_come(tmp_path: Path) -> None:
    logger = Memory()
    with Curves("csv", tmp_path, tmp_path / "r", print, lambda *_: logger) as curves:
        curves.start(CELL)
        watch = Watch()
        for step in range(3):
            watch.take({"kind": "history", "step": step, "loss": None, "rel_l2": 0.5})
            curves.progress(CELL, watch)
            curves.progress(CELL, watch)
            assert [s for s, _ in logger.rows] == list(range(step + 1))
        assert logger.rows[0] == (0, {"rel_l2": 0.5})
    assert logger.ended == "failed", "it was interrupted"


def test_csv_by_lightning(tmp_path: Path) -> None:
    """The same file for a torch cell and a JAX cell; a second run has a file of its own."""
    texts = []
    for backend in ("torch", "jax"):
        cell = CELL.model_copy(update={"backend": backend})
        folder = tmp_path / backend
        for _ in range(2):
            said: list[str] = []
            with Curves("csv", folder, tmp_path / "r", said.append) as curves:
                curves.start(cell)
                watch = Watch()
                watch.history = [{"step": 0, "loss": 0.5}, {"step": 1, "loss": None, "mae": 0.25}]
                curves.progress(cell, watch)
            assert said == []
        files = sorted(folder.rglob("metrics.csv"))
        assert [file.parent.name for file in files] == [cell.hash, f"{cell.hash}-2"]
        texts.append([file.read_text() for file in files])
        with files[0].open() as file:
            rows = list(csv.DictReader(file))
        assert [row["step"] for row in rows] == ["0", "1"]
        assert (rows[0]["loss"], rows[1]["mae"]) == ("0.5", "0.25")
    assert texts[0] == texts[1]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "csv"])
def test_each_logger_that_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Everything is written below the folder, without the network."""
    try:
        check(kind)
    except PdebenchError as error:
        pytest.skip(str(error))

    def refuse(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in ("127.0.0.1", "localhost", "::1"):
            raise AssertionError(f"asked for {address}")
        connect(self, address)

    connect = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    with Curves(kind, tmp_path / "logs", tmp_path / "r", said.append) as curves:
        curves.start(CELL)
        watch = Watch()
        watch.history = [{"step": 0, "loss": 0.5}, {"step": 1, "loss": 0.25}]
        curves.progress(CELL, watch)
    assert said == []
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]
    assert any(path.is_file() for path in (tmp_path / "logs").rglob("*"))


def test_what_is_missing_is_said_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PdebenchError, match="unknown logger 'tensorbord'; did you mean"):
        check("tensorbord")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for kind in KINDS:
        with pytest.raises(PdebenchError, match=f"--logger {kind} needs .* type: pip install"):
            open_logger(kind, Path("nowhere"), CELL)
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: name == "pytorch_lightning" or None
    )
    with pytest.raises(PdebenchError, match="needs wandb, not installed; type: pip install wandb"):
        check("wandb")


def test_several_listeners_hear_everything() -> None:
    heard: list[str] = []

    class Ear(Listener):
        def __getattribute__(self, name: str) -> Any:
            return lambda *_: heard.append(name)

    names = ("begin", "reuse", "start", "wait", "leave", "progress", "finish")
    several = Several(Ear(), Ear())
    assert {n for n in vars(Listener) if not n.startswith("_")} == set(names)
    for name in names:
        arguments = 1 if name == "begin" else 2 if name in ("reuse", "wait", "finish") else 1
        getattr(several, name)(*[None] * (2 if name == "progress" else arguments))
    assert heard == [name for name in names for _ in range(2)]


def test_the_command(fakes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["run", "--problem", "toy", "--methods", "fake", "--max-steps", "3"]
    words += ["--results", str(tmp_path / "results" / "runs"), "--quiet"]
    assert main([*words, "--logger", "csv"]) == 0
    (file,) = (tmp_path / "results" / "logs").rglob("metrics.csv")
    with file.open() as text:
        assert "final/rel_l2" in next(csv.reader(text))
    assert main([*words, "--logger", "cvs"]) == 2
    assert "unknown logger 'cvs'; did you mean 'csv'?" in capsys.readouterr().err
