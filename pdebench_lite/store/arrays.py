"""Arrays on disk: npz of any names, without pickles; and files that outlast a power cut."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write arrays as npz, of any names and without pickles.

    Raises:
        ValueError: an array holds Python objects.
    """
    with zipfile.ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asanyarray(values), allow_pickle=False)


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read every array of an npz.

    Raises:
        OSError, ValueError, zipfile.BadZipFile: the file is missing, damaged, or holds pickles.
    """
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def synchronise(path: Path) -> None:
    """Wait until a file or a folder's entries are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
