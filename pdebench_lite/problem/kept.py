"""Arrays that take long to compute, kept on disk by what they were computed from.

Numbers only, never pickled, under `PDEBENCH_CACHE`, else `~/.cache/pdebench-lite`.
"""

import hashlib
import inspect
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pdebench_lite.problem.problem import Problem

State = dict[str, np.ndarray]
_FORMAT = 1  # of the files; another one is another name


def kept(problem: "Problem", inputs: Mapping[str, Any], compute: Callable[[], State]) -> State:
    """Return arrays from disk, or compute and keep them.

    Args:
        problem: whose statement, parameters and source code, the arrays depend on.
        inputs: JSON values that they depend on as well.
        compute: makes them.
    """
    everything = {
        "format": _FORMAT, "problem": problem.name,
        "parameters": problem.parameters.model_dump(mode="json"),
        **inputs, "code": _code(problem),
    }  # fmt: skip
    key = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:24]
    path = _folder() / f"{problem.name}-{key}.npz"
    stored = _read(path)
    if stored is None:
        stored = compute()
        _write(path, stored)
    return stored


def _code(problem: "Problem") -> str:
    """Return a hash of the source that states the problem: another statement, another file."""
    return hashlib.sha256(inspect.getsource(type(problem)).encode()).hexdigest()[:16]


def _folder() -> Path:
    given = os.environ.get("PDEBENCH_CACHE")
    return Path(given) if given else Path.home() / ".cache" / "pdebench-lite"


def _read(path: Path) -> State | None:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, KeyError):
        return None


def _write(path: Path, stored: State) -> None:
    """Keep a file for the next time; where nothing can be written it is computed again."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.savez(file, **stored)  # type: ignore[arg-type]
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
