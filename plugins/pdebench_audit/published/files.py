"""Reading published files: named numeric arrays, whatever the format. Nothing is unpickled."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pdebench_audit.published.contents import Contents, contents_of
from pdebench_audit.published.text import read_text
from pdebench_data.hdf5_files import check_dataset, opened
from pdebench_lite.errors import PdebenchError

MOST_BYTES = 4 * 10**9
_UNPICKLED = (
    "would have to be unpickled, which can run any code; write plain arrays where it was made: "
    "np.savez('data.npz', x=x, t=t, u=u)"
)
_REFUSED = (  # first bytes -> what a file is, and what to do
    (b"\x80", f"is a pickle, which {_UNPICKLED}"),
    (b"\x1f\x8b", "is compressed; unpack it: gunzip FILE"),
    (b"BZh", "is compressed; unpack it: bunzip2 FILE"),
    (b"\xfd7zXZ\x00", "is compressed; unpack it: unxz FILE"),
    (b"\x28\xb5\x2f\xfd", "is compressed; unpack it: unzstd FILE"),
    (b"\xd0\xcf\x11\xe0", "is a file of Excel or Word; save the sheet as CSV"),
    (b"%PDF-", "is a PDF; write the numbers as CSV"),
)
_NETCDF_FILL = 9.969209968386869e36  # NetCDF's own mark of a value that was never written


def read_file(path: Path) -> Contents:
    """Read the arrays of a file: NPZ, NPY, MAT, HDF5, NetCDF, Parquet, or a table in text.

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
        others = "".join(f"; '{k}' holds {v}" for k, v in list(contents.left_out.items())[:3])
        raise PdebenchError(f"'{path}' holds no array of numbers{others}")
    return contents


def _check_size(path: Path, size: int) -> None:
    if size > MOST_BYTES:
        raise PdebenchError(f"'{path}' has {size / 1e9:.1f} GB, more than {MOST_BYTES / 1e9:g} GB")


def _reader(head: bytes, path: Path) -> Callable[[Path], Contents]:
    for mark, what in _REFUSED:
        if head.startswith(mark):
            raise PdebenchError(f"'{path}' {what.replace('FILE', path.name)}")
    if head.startswith(b"PK"):
        return _read_zip
    if head.startswith(b"\x93NUMPY"):
        return _read_npy
    if head.startswith(b"\x89HDF\r\n\x1a\n") or (b"MATLAB 7.3" in head):
        return _read_hdf5
    if head.startswith(b"CDF"):
        return _read_netcdf3
    if head.startswith((b"PAR1", b"ARROW1")):
        return _read_frame
    if head.startswith(b"MATLAB") or path.suffix.lower() == ".mat":
        return _read_mat
    return read_text


def _read_zip(path: Path) -> Contents:
    """Read an NPZ; other files are zip archives too, and are named."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if any(name.endswith(".npy") for name in names):
        return _read_npz(path)
    if any(name.endswith("data.pkl") for name in names):
        raise PdebenchError(f"'{path}' is a file of PyTorch, which {_UNPICKLED}")
    if any(name.startswith("xl/") for name in names):
        raise PdebenchError(f"'{path}' is a file of Excel; save the sheet as CSV")
    raise PdebenchError(f"'{path}' is a zip archive without arrays of NumPy; unpack it first")


def _read_frame(path: Path) -> Contents:
    import pandas as pd

    with path.open("rb") as file:
        read = pd.read_parquet if file.read(4) == b"PAR1" else pd.read_feather
    frame = read(path)
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    return contents_of({str(name): column.to_numpy() for name, column in frame.items()})


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
    return contents_of(arrays)


def _read_npy(path: Path) -> Contents:
    return contents_of({path.stem: np.load(path, allow_pickle=False)})


def _read_mat(path: Path) -> Contents:
    from scipy.io import loadmat

    arrays = {k: v for k, v in loadmat(path).items() if not k.startswith("__")}
    return contents_of(arrays)


def _read_netcdf3(path: Path) -> Contents:
    from scipy.io import netcdf_file

    with netcdf_file(path, "r", mmap=False) as file:
        arrays = {k: _unmasked(v.data, vars(v)) for k, v in file.variables.items()}
        dims = {name: tuple(variable.dimensions) for name, variable in file.variables.items()}
    return contents_of(arrays, dims)


def _read_hdf5(path: Path) -> Contents:
    import h5py

    found: dict[str, Any] = {}
    arrays: dict[str, np.ndarray] = {}
    dims: dict[str, tuple[str, ...]] = {}

    def visit(name: str, item: Any) -> None:
        if not isinstance(item, h5py.Dataset) or not item.size:
            return
        if item.dtype.kind in "fiuc":
            found[name] = item
            _check_size(path, sum(values.nbytes for values in found.values()))
        else:
            arrays[name], dims[name] = np.empty(0, item.dtype), ("",)

    with opened(path) as file:
        file.visititems(visit)
        for name, item in found.items():
            check_dataset(item, path, name)
            arrays[name] = _unmasked(item[()], item.attrs)
            dims[name] = tuple(_scale(d) for d in item.dims)
    return contents_of(arrays, {k: v for k, v in dims.items() if all(v)})


def _scale(dimension: Any) -> str:
    """Return the name of the scale that is attached to an axis, as NetCDF-4 does; or nothing."""
    scales = list(dimension.values())
    return scales[0].name.strip("/") if scales else str(dimension.label)


def _unmasked(values: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """Return values as NetCDF's conventions mean them: what was never written is NaN, then scaled.

    Args:
        values: as stored.
        attributes: of the variable: `_FillValue`, `missing_value`, `scale_factor`, `add_offset`.
    """
    marks = [attributes[k] for k in ("_FillValue", "missing_value") if k in attributes]
    missing = np.isin(values, [np.ravel(mark)[0] for mark in marks])
    if values.dtype.kind == "f":
        missing |= values == values.dtype.type(_NETCDF_FILL)
    scale, offset = (attributes.get(k) for k in ("scale_factor", "add_offset"))
    if scale is not None or offset is not None:
        values = values * np.ravel(1.0 if scale is None else scale)[0]
        values = values + np.ravel(0.0 if offset is None else offset)[0]
    return np.where(missing, np.nan, values) if missing.any() else values
