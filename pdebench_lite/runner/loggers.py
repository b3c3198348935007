"""Loggers: the histories of cells in the loggers of Lightning, while they run, on every backend.

The journal of a cell is the one source. Torch and JAX cells write the same events, and the parent
hands them on, so nothing of this stands in a training loop or on its clock.
"""

import importlib
import importlib.util
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from pdebench_lite.errors import PdebenchError, unknown_name
from pdebench_lite.runner.listener import Listener
from pdebench_lite.runner.watch import Watch
from pdebench_lite.store.cell import Cell
from pdebench_lite.store.records import HISTORY, Record, Store, load_history

OPENER = "pdebench_torch.loggers:open_logger"  # Lightning is torch's, which the core never imports
_LIGHTNING = ("pytorch_lightning",)
_NEEDS: dict[str, tuple[tuple[str, ...], str]] = {  # modules of which one is needed, what to type
    "csv": (_LIGHTNING, "pip install pytorch-lightning"),
    "tensorboard": (("tensorboard", "tensorboardX"), "pip install tensorboard"),
    "mlflow": (("mlflow",), "pip install mlflow"),
    "wandb": (("wandb",), "pip install wandb"),
}
KINDS = tuple(_NEEDS)


def check(kind: str) -> None:
    """Check that a kind of logger can be used here.

    Raises:
        PdebenchError: there is no such kind, or a package that it needs is not installed.
    """
    if kind not in _NEEDS:
        raise unknown_name("logger", kind, KINDS)
    for modules, command in (_NEEDS["csv"], _NEEDS[kind]):
        if not any(importlib.util.find_spec(name) for name in modules):
            raise PdebenchError(
                f"--logger {kind} needs {modules[0]}, not installed; type: {command}"
            )


def open_logger(kind: str, folder: Path, cell: Cell) -> Any:
    """Open a logger of Lightning for one cell, which writes below a folder and nowhere else.

    Args:
        kind: `csv`, `tensorboard`, `mlflow` (a local store) or `wandb` (offline).
        folder: where logs go.
        cell: names the run.

    Raises:
        PdebenchError: see `check`.
    """
    check(kind)
    module, _, function = OPENER.partition(":")
    return getattr(importlib.import_module(module), function)(kind, folder, cell)


class Curves(Listener):
    """Hands the history of every cell of a study to a logger; use as a context manager.

    That of a cell which has a record already is taken from there, once: a list in the folder names
    the records that were written. A logger that fails is given up, in one line, and the cell goes
    on.

    Args:
        kind: see `open_logger`.
        folder: where logs go.
        results: the results folder.
        complain: hears, in one line each, of loggers that failed.
        open: opens the logger of a cell.
    """

    def __init__(
        self,
        kind: str,
        folder: Path,
        results: Path,
        complain: Callable[[str], None],
        open: Callable[[str, Path, Cell], Any] = open_logger,
    ) -> None:
        self._kind, self._folder, self._store = kind, folder, Store(results)
        self._complain, self._open = complain, open
        self._loggers: dict[str, Any] = {}
        self._sent: dict[str, int] = {}  # rows of the history of each cell
        self._cells: dict[str, Cell] = {}
        for name in ("pytorch_lightning", "mlflow", "alembic"):  # they tell of every file they make
            logging.getLogger(name).setLevel(logging.ERROR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for cell in list(self._cells.values()):
            self._close(cell, "failed")  # Lightning and MLflow share no word for interrupted

    def reuse(self, cell: Cell, record: Record) -> None:
        """Write the history of a cell that was run before, unless that has been done."""
        if _mark(record) not in self._written():
            self.start(cell)
            self.finish(cell, record)

    def start(self, cell: Cell) -> None:
        """Open the logger of a cell and write its settings."""
        self._sent[cell.hash], self._cells[cell.hash] = 0, cell
        try:
            self._loggers[cell.hash] = self._open(self._kind, self._folder, cell)
        except PdebenchError:
            raise
        except Exception as error:
            self._give_up(cell, error)
        self._use(cell, lambda logger: logger.log_hyperparams(_settings(cell)))

    def progress(self, cell: Cell, watch: Watch) -> None:
        """Write what is new in the history of a cell."""
        self._write(cell, list(watch.history))

    def finish(self, cell: Cell, record: Record) -> None:
        """Write what is left of the history, and the final score."""
        folder = self._store.folder(cell.hash)
        if (folder / HISTORY).is_file():
            self._write(cell, load_history(folder).to_dict("records"))
        if scores := _numbers({f"final/{name}": v for name, v in record.metrics.items()}):
            step = record.steps or 0
            self._use(cell, lambda logger: logger.log_metrics(scores, step=step))
        sound = cell.hash in self._loggers
        self._close(cell, "failed" if record.failed else "success")
        if sound:
            self._note(cell, record)

    @property
    def _list(self) -> Path:
        return self._folder / f"{self._kind}-records.txt"

    def _written(self) -> set[str]:
        """Return the marks of the records whose histories are in the loggers."""
        try:
            return set(self._list.read_text(encoding="utf-8").splitlines())
        except OSError:
            return set()

    def _note(self, cell: Cell, record: Record) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._list.open("a", encoding="utf-8") as file:
                file.write(f"{_mark(record)}\n")
        except OSError as error:
            self._give_up(cell, error)

    def _write(self, cell: Cell, history: Sequence[Mapping[Any, Any]]) -> None:
        """Write the rows of a history that were not written before."""
        new = history[self._sent[cell.hash] :]
        self._sent[cell.hash] += len(new)

        def write(logger: Any) -> None:
            for row in new:
                values = _numbers({name: v for name, v in row.items() if name != "step"})
                logger.log_metrics(values, step=int(row["step"]))
            logger.save()

        if new:
            self._use(cell, write)

    def _close(self, cell: Cell, status: str) -> None:
        self._use(cell, lambda logger: logger.finalize(status))
        self._loggers.pop(cell.hash, None)
        self._cells.pop(cell.hash, None)

    def _use(self, cell: Cell, act: Callable[[Any], object]) -> None:
        """Do something with the logger of a cell, unless it was given up."""
        if cell.hash in self._loggers:
            try:
                act(self._loggers[cell.hash])
            except Exception as error:  # a full disk, another version: never the cell's fault
                self._give_up(cell, error)

    def _give_up(self, cell: Cell, error: Exception) -> None:
        self._loggers.pop(cell.hash, None)
        text = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        self._complain(f"--logger {self._kind} is given up for {cell.title}: {text}")


def _mark(record: Record) -> str:
    return f"{record.cell} {record.started}"


def _settings(cell: Cell) -> dict[str, Any]:
    """Return what a cell is, flat: `method`, `config/width`, `budget/max_time`, …."""
    settings: dict[str, Any] = {}
    for name, value in cell.model_dump(mode="json").items():
        nested = value if isinstance(value, Mapping) else None
        settings |= (
            {name: value} if nested is None else {f"{name}/{k}": v for k, v in nested.items()}
        )
    return {**settings, "cell": cell.hash}


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """Return the values that are there; what was not measured is left out."""
    found = {name: float(v) for name, v in values.items() if v is not None}
    return {name: value for name, value in found.items() if math.isfinite(value)}


class Several(Listener):
    """Several listeners as one; each hears everything, in the order given.

    Args:
        listeners: who hears.
    """

    def __init__(self, *listeners: Listener) -> None:
        self._listeners = listeners

    def begin(self, cells: list[Cell]) -> None:
        """Tell all which cells the study has."""
        for listener in self._listeners:
            listener.begin(cells)

    def reuse(self, cell: Cell, record: Record) -> None:
        """Tell all that a cell has a record already."""
        for listener in self._listeners:
            listener.reuse(cell, record)

    def start(self, cell: Cell) -> None:
        """Tell all that a cell begins."""
        for listener in self._listeners:
            listener.start(cell)

    def wait(self, cell: Cell, holder: str) -> None:
        """Tell all that another runner works on a cell."""
        for listener in self._listeners:
            listener.wait(cell, holder)

    def leave(self, holders: Mapping[str, int]) -> None:
        """Tell all what is left to other runners."""
        for listener in self._listeners:
            listener.leave(holders)

    def progress(self, cell: Cell, watch: Watch) -> None:
        """Tell all how a cell goes."""
        for listener in self._listeners:
            listener.progress(cell, watch)

    def finish(self, cell: Cell, record: Record) -> None:
        """Tell all that a cell has a record."""
        for listener in self._listeners:
            listener.finish(cell, record)
