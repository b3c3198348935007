"""Checkpoints: the state of an unfinished cell, npz plus JSON, from which it goes on.

The JSON names the npz and holds its checksum, and is renamed into place last: a checkpoint is whole
or it does not exist.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pdebench_lite.store.arrays import load_arrays, save_arrays, synchronise

CHECKPOINT = "checkpoint.json"


@dataclass(frozen=True)
class Checkpoint:
    """State at a step boundary.

    Attributes:
        arrays: the method's arrays: parameters, optimiser state, points, …
        meta: the method's JSON values.
        harness: what the harness needs to go on: counters, clock, schedule.
    """

    arrays: Mapping[str, np.ndarray]
    meta: Mapping[str, Any]
    harness: Mapping[str, Any] = field(default_factory=dict)


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint of a workspace by another, atomically.

    Raises:
        ValueError: an array holds Python objects, or `meta` is not JSON.
    """
    before = set(folder.glob("checkpoint-*.npz"))
    step = int(checkpoint.harness.get("steps", 0))
    arrays = folder / f"checkpoint-{step}.npz"
    partial = folder / "partial.npz"
    try:
        save_arrays(partial, checkpoint.arrays)
        synchronise(partial)
    except OSError:  # what is cut off would take room that nobody has
        partial.unlink(missing_ok=True)
        raise
    digest = hashlib.sha256(partial.read_bytes()).hexdigest()
    os.replace(partial, arrays)
    state = {
        "arrays": arrays.name,
        "sha256": digest,
        "meta": dict(checkpoint.meta),
        "harness": dict(checkpoint.harness),
    }
    text = folder / "partial.json"
    text.write_text(json.dumps(state, allow_nan=False), encoding="utf-8")
    synchronise(text)
    os.replace(text, folder / CHECKPOINT)
    for old in before - {arrays}:
        old.unlink(missing_ok=True)


def read_checkpoint(folder: Path) -> Checkpoint | None:
    """Return the checkpoint of a workspace; None if there is none, or it is damaged."""
    try:
        state = json.loads((folder / CHECKPOINT).read_text(encoding="utf-8"))
        path = folder / Path(state["arrays"]).name
        if hashlib.sha256(path.read_bytes()).hexdigest() != state["sha256"]:
            return None
        return Checkpoint(load_arrays(path), state["meta"], state["harness"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile):
        return None


def discard_checkpoint(folder: Path) -> None:
    """Remove the checkpoint of a workspace: its cell has ended."""
    for path in (folder / CHECKPOINT, *folder.glob("checkpoint-*.npz"), *folder.glob("partial.*")):
        path.unlink(missing_ok=True)
