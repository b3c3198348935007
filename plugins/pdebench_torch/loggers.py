"""Lightning's loggers, opened for one cell; the core hands them the curves of every backend."""

from pathlib import Path
from typing import Any

from pytorch_lightning import loggers

from pdebench_lite.store.cell import Cell

PROJECT = "pdebench-lite"


def open_logger(kind: str, folder: Path, cell: Cell) -> Any:
    """Open a logger that writes below a folder and nowhere else.

    Args:
        kind: `csv`, `tensorboard`, `mlflow` (a local store) or `wandb` (offline).
        folder: where logs go.
        cell: names the run.
    """
    name = f"{cell.method}-{cell.backend}-{cell.seed}"
    if kind == "csv":
        return loggers.CSVLogger(folder, name="csv", version=_unused(folder / "csv", cell.hash))
    if kind == "tensorboard":
        version = _unused(folder / "tensorboard", cell.hash)
        return loggers.TensorBoardLogger(
            folder, name="tensorboard", version=version, default_hp_metric=False
        )
    if kind == "mlflow":
        folder.mkdir(parents=True, exist_ok=True)
        return loggers.MLFlowLogger(
            experiment_name=cell.problem_label,
            run_name=name,
            tracking_uri=f"sqlite:///{folder.resolve() / 'mlflow.db'}",
            artifact_location=(folder.resolve() / "mlflow").as_uri(),
        )
    folder.mkdir(parents=True, exist_ok=True)
    return loggers.WandbLogger(
        name=name, save_dir=folder, project=PROJECT, group=cell.problem_label, offline=True
    )


def _unused(folder: Path, name: str) -> str:
    """Return a name that is not in a folder: a cell that is run again has a log of its own."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    number = 2
    while name in names:
        name = f"{name.partition('-')[0]}-{number}"
        number += 1
    return name
