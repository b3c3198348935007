"""Planning and running a study: what the command line and `pdebench_lite.run` share."""

import math
import os
from collections.abc import Iterable, Mapping
from typing import Any

from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.device import devices_for, devices_of
from pdebench_lite.runner.inputs import check_inputs
from pdebench_lite.runner.listener import Listener
from pdebench_lite.runner.schedule import Scheduler
from pdebench_lite.runner.states import RERUN
from pdebench_lite.runner.study import make_cells, parse_duration, parse_size
from pdebench_lite.store.cell import Budget, Cell, Dtype
from pdebench_lite.store.records import RECORD, Record, Store

DEFAULT_RESULTS = "results/runs"


def plan(
    known: Registry,
    problem: str,
    methods: str,
    backend: str = "all",
    seeds: Iterable[int] = (0,),
    budget: Budget | None = None,
    device: str = "auto",
    dtype: Dtype = "float64",
) -> tuple[list[Cell], dict[str, str]]:
    """Return the cells of a study and the device of each backend.

    Raises:
        PdebenchError: anything that was asked for does not exist or is not installed.
    """
    backends = [b.strip() for b in backend.split(",") if b.strip()]
    for name in backends:
        if name != "all":
            known.backend(name)
    devices = devices_for(known, device, backends)
    cells = make_cells(
        known, problem, methods, backends, seeds, budget, dtype,
        lambda name: devices[name].partition(":")[0],
    )  # fmt: skip
    return cells, devices


def execute(
    known: Registry,
    cells: list[Cell],
    devices: dict[str, str],
    results: str | os.PathLike[str] = DEFAULT_RESULTS,
    rerun: frozenset[str] = frozenset(),
    listener: Listener | None = None,
    jobs: int = 1,
    wait: bool = True,
) -> list[Record]:
    """Run the cells that have no record yet; returns the records of all, in order.

    Args:
        known: where methods and problems are looked up.
        cells: the cells.
        devices: backend -> device.
        results: results folder; several runners may share it.
        rerun: which cells with a record are run again: of `failed`, `stale`, `all`.
        listener: hears of the progress.
        jobs: cells at a time; the processors are divided between them.
        wait: for cells that other runners have; else they are left to them, and have no record.

    Raises:
        PdebenchError: a file that a cell would read cannot be used, or the results folder cannot be
            written.
    """
    store = Store(results)
    check_inputs(known, (c for c in cells if rerun or not (store.folder(c.hash) / RECORD).exists()))
    gpus = _gpus(known, devices) if jobs > 1 else ()
    scheduler = Scheduler(
        store, known, devices, rerun, listener or Listener(), jobs, gpus, wait
    )  # fmt: skip
    return scheduler.run(cells)


def _gpus(known: Registry, devices: Mapping[str, str]) -> tuple[str, ...]:
    """Return the GPUs that cells may share out among themselves: the one named, or all seen."""
    named = {device for device in devices.values() if device not in ("cpu", "cuda")}
    if named or "cuda" not in devices.values():
        return tuple(sorted(named))
    seen = [devices_of(known.backend(n).runtime) for n, d in devices.items() if d == "cuda"]
    return tuple(device for device in max(seen, key=len) if device != "cpu")


def plain(value: Any) -> Any:
    """Return what a notebook holds as what a study file would say: numbers, texts and lists.

    Args:
        value: a scalar or an array of NumPy, a Series, a path, a tuple, a set, a generator, ….
    """
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [plain(one) for one in value]
    return value


def study_keys(**options: Any) -> dict[str, Any]:
    """Check options of the command line, or of `run`, and return them as keys of a study.

    Args:
        options: those that are None were not given.

    Raises:
        PdebenchError: a limit is not positive and finite, a seed not a whole number from 0, ….
    """
    values = {key: plain(value) for key, value in options.items() if value is not None}
    for key in ("max_steps", "seeds", "jobs"):
        if key in values:
            values[key] = _whole(key, values[key])
    if "target_error" in values:
        values["target_error"] = _float("target_error", values["target_error"])
    limits = dict(values)
    for key, parse in (("max_time", parse_duration), ("max_memory", parse_size)):
        if key in values:
            value = values[key]
            limits[key] = parse(value) if isinstance(value, str) else _float(key, value)
    make_budget(*map(limits.get, ("max_time", "max_steps", "target_error", "max_memory")))
    if isinstance(values.get("max_memory", ""), int | float):  # bytes, exactly
        values["max_memory"] = f"{limits['max_memory'] / 1024:.10f}KiB"
    if values.get("dtype") not in (None, "float32", "float64"):
        raise PdebenchError(f"no dtype '{values['dtype']}'; write float32 or float64")
    if "seeds" in values and "seed" in values:
        raise PdebenchError("give --seeds N or --seed S, not both")
    for key in ("seeds", "jobs"):
        if values.get(key, 1) < 1:
            raise PdebenchError(f"{key}={values[key]} must be at least 1")
    if "seed" in values:
        values["seed"] = _seeds(values["seed"])
    return {key.replace("_", "-"): value for key, value in values.items()}


def _seeds(listed: str | list[Any]) -> list[int]:
    text = listed if isinstance(listed, str) else ",".join(map(str, listed))
    try:
        chosen = [int(name) for name in text.split(",") if name.strip()]
    except ValueError:
        raise PdebenchError(f"'{text}' are not seeds; write --seed 3 or --seed 0,1,2") from None
    if not chosen or min(chosen) < 0:
        raise PdebenchError(f"'{text}' are not seeds; they are whole numbers from 0")
    return chosen


def _whole(key: str, value: Any) -> int:
    number = _float(key, value)
    if not number.is_integer():
        raise PdebenchError(f"{key.replace('_', '-')}={value} is not a whole number")
    return int(number)


def _float(key: str, value: Any) -> float:
    try:
        if isinstance(value, bool):
            raise TypeError
        return float(value)
    except (TypeError, ValueError):
        said = f"{key.replace('_', '-')}={value}"
        raise PdebenchError(f"{said} is not a number; write one, such as 10") from None


def parse_rerun(text: str) -> frozenset[str]:
    """Read which cells are run again, such as `failed,stale`.

    Raises:
        PdebenchError: a word is not one of `failed`, `stale`, `all`.
    """
    words = frozenset(word.strip() for word in text.split(",") if word.strip())
    for word in words - set(RERUN):
        raise PdebenchError(f"no --rerun '{word}'; write failed, stale or all")
    return words


def make_budget(
    max_time: float | None = None,
    max_steps: int | None = None,
    target_error: float | None = None,
    max_memory: float | None = None,
) -> Budget:
    """Check the limits of a cell: charged seconds, steps, headline error, bytes.

    Raises:
        PdebenchError: a limit is not positive and finite.
    """
    limits = {
        "max_time": max_time,
        "max_steps": max_steps,
        "target_error": target_error,
        "max_memory": max_memory,
    }
    for name, value in limits.items():
        if value is not None and not 0 < value < math.inf:
            raise PdebenchError(f"{name.replace('_', '-')}={value} must be positive and finite")
    return Budget.model_validate(limits)
