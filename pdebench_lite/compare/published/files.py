"""Reading published files: named numeric arrays, whatever the format. Nothing is unpickled."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pdebench_lite.errors import PdebenchError
from pdebench_lite.hdf5_files import check_dataset, opened

MOST_BYTES = 4 * 10**9
_COMMENTS = ("%", "#", "//")
_TIME = re.compile(r"\bt\s*=\s*([-+]?[\d.]+(?:[eE][-+]?\d+)?)")


@dataclass(frozen=True)
class Contents:
    """What a file holds.

    Attributes:
        arrays: name -> array; axes of length 1 are dropped.
        dims: name -> names of its axes, where the format knows them.
        times: of a table whose columns are moments, those that its header names.
        table: columns of a text file, shape (rows, columns); None for other formats.
    """

    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    dims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    times: tuple[float, ...] = ()
    table: np.ndarray | None = None


def read_file(path: Path) -> Contents:
    """Read the arrays of a file: NPZ, NPY, MAT, HDF5, NetCDF, or a table in text.

    Raises:
        PdebenchError: it cannot be read, holds no numbers, or would have to be unpickled.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(128)
    except OSError as error:
        raise PdebenchError(f"cannot read '{path}': {error.strerror or error}") from None
    _check_size(path, size)
    try:
        contents = _reader(head, path)(path)
    except PdebenchError:
        raise
    except Exception as error:  # a reader of a format raises what it likes on a broken file
        text = " ".join(str(error).split())[:200]
        raise PdebenchError(f"cannot read '{path}': {text or type(error).__name__}") from None
    if not contents.arrays and contents.table is None:
        raise PdebenchError(f"'{path}' holds no array of numbers")
    return contents


def _check_size(path: Path, size: int) -> None:
    if size > MOST_BYTES:
        raise PdebenchError(f"'{path}' has {size / 1e9:.1f} GB, more than {MOST_BYTES / 1e9:g} GB")


def _reader(head: bytes, path: Path) -> Callable[[Path], Contents]:
    if head.startswith(b"PK"):
        return _read_npz
    if head.startswith(b"\x93NUMPY"):
        return _read_npy
    if head.startswith(b"\x89HDF\r\n\x1a\n") or (b"MATLAB 7.3" in head):
        return _read_hdf5
    if head.startswith(b"CDF"):
        return _read_netcdf3
    if head.startswith(b"MATLAB") or path.suffix.lower() == ".mat":
        return _read_mat
    return _read_text


def _numeric(arrays: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Keep arrays of real numbers, without axes of length 1."""
    kept = {}
    for name, values in arrays.items():
        array = np.asarray(values)
        if array.size and array.dtype.kind in "fiu":
            kept[str(name)] = np.squeeze(array).astype(float)
    return kept


def _read_npz(path: Path) -> Contents:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        _check_size(path, sum(entry.file_size for entry in archive.zip.infolist()))
        arrays: dict[str, np.ndarray] = {}
        pickled = []
        for name in archive.files:
            try:
                arrays[name] = archive[name]
            except ValueError:  # an array of objects
                pickled.append(name)
    if pickled and not arrays:
        raise PdebenchError(f"'{path}' holds pickled objects only ({', '.join(pickled)})")
    return Contents(_numeric(arrays))


def _read_npy(path: Path) -> Contents:
    return Contents(_numeric({path.stem: np.load(path, allow_pickle=False)}))


def _read_mat(path: Path) -> Contents:
    from scipy.io import loadmat

    arrays = {k: v for k, v in loadmat(path).items() if not k.startswith("__")}
    return Contents(_numeric(arrays))


def _read_netcdf3(path: Path) -> Contents:
    from scipy.io import netcdf_file

    with netcdf_file(path, "r", mmap=False) as file:
        arrays = {name: variable.data for name, variable in file.variables.items()}
        dims = {name: tuple(variable.dimensions) for name, variable in file.variables.items()}
    return _with_dims(arrays, dims)


def _read_hdf5(path: Path) -> Contents:
    import h5py

    found: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    dims: dict[str, tuple[str, ...]] = {}

    def visit(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and item.size:
            found[name] = item
            _check_size(path, sum(values.nbytes for values in found.values()))

    with opened(path) as file:
        file.visititems(visit)
        for name, item in found.items():
            check_dataset(item, path, name)
            arrays[name] = item[()]
            dims[name] = tuple(_scale(d) for d in item.dims)
    return _with_dims(arrays, {k: v for k, v in dims.items() if all(v)})


def _scale(dimension: Any) -> str:
    """Return the name of the scale that is attached to an axis, as NetCDF-4 does; or nothing."""
    scales = list(dimension.values())
    return scales[0].name.strip("/") if scales else str(dimension.label)


def _with_dims(arrays: Mapping[str, Any], dims: Mapping[str, tuple[str, ...]]) -> Contents:
    kept = _numeric(arrays)
    long = {
        name: tuple(d for d, n in zip(dims[name], np.shape(arrays[name]), strict=True) if n > 1)
        for name in kept
        if name in dims
    }
    return Contents(kept, long)


# ---- text ------------------------------------------------------------------------------------


def _read_text(path: Path) -> Contents:
    """Read a table: comments in %, # or //, one line of names, columns split by , ; or blanks."""
    text = path.read_text(encoding="utf-8", errors="strict")
    rows: list[list[float]] = []
    names: list[str] = []
    header = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith(_COMMENTS):
            header = header if rows else line.lstrip("%#/ \t")
        elif line:
            values = _values(line)
            if values is None and not rows and not names:
                names, header = _words(line), line
            elif values is None or (rows and len(values) != len(rows[0])):
                raise PdebenchError(
                    f"'{path}': line '{line[:60]}' is no row of {len(rows[0]) if rows else 'any'} "
                    "numbers"
                )
            else:
                rows.append(values)
    if not rows:
        return Contents()
    table, width = np.array(rows), len(rows[0])
    times = tuple(float(t) for t in _TIME.findall(header))
    names = names or _words(header)
    named = not times and len(set(names)) == width
    return Contents(dict(zip(names, table.T, strict=True)) if named else {}, {}, times, table)


def _words(line: str) -> list[str]:
    return [word.strip(" \"'") for word in re.split(r"[,;\s]+", line) if word.strip(" \"'")]


def _values(line: str) -> list[float] | None:
    try:
        return [float(word) for word in _words(line)]
    except ValueError:
        return None
