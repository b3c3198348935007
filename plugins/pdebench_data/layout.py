"""The layout of PDEBench's one-dimensional HDF5 files, read and written.

Takamoto et al. 2022, arXiv:2210.07182. As the project's own programs write and read it for the
advection and the Burgers equation:

- `tensor` (instances, times, cells), float32;
- `x-coordinate` (cells,): cell centres, equally spaced, of a periodic axis;
- `t-coordinate` (times,), or one longer: published files hold one time that has no frame;
- attribute `beta` or `Nu` of the file: a coefficient that all its instances share.

Where a coefficient differs between instances, it is a further dataset of its name, (instances,),
which programs that know nothing of it leave alone.
"""

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pdebench_data.hdf5_files import dataset, opened
from pdebench_lite.errors import PdebenchError, some
from pdebench_lite.files import write_whole
from pdebench_lite.tasks import Ensemble
from pdebench_lite.text import counted

if TYPE_CHECKING:
    import h5py

_TENSOR, _X, _T = "tensor", "x-coordinate", "t-coordinate"
_BLOCK = 2**24  # bytes that are read at once; more where one row of chunks has more


@dataclass(frozen=True)
class Layout:
    """What a file holds.

    Attributes:
        path: the file.
        instances: how many.
        x: cell centres, (cells,).
        t: times of the frames, (times,).
        dtype: of the numbers.
        coefficients: names of what differs between instances in addition to their states.
    """

    path: Path
    instances: int
    x: np.ndarray
    t: np.ndarray
    dtype: np.dtype
    coefficients: tuple[str, ...]


def read_layout(path: str | os.PathLike[str]) -> Layout:
    """Read what a file holds, without its tensor.

    Raises:
        PdebenchError: the file cannot be read, is not laid out as above, or lacks something that
            HDF5 would fill in; the message says what was found.
    """
    try:
        where = Path(path).expanduser()
    except RuntimeError:
        raise PdebenchError(f"'{path}': there is no home folder of that name") from None
    with opened(where) as file:
        parts: dict[str, Any] = {name: dataset(file, where, name) for name in (_TENSOR, _X, _T)}
        for name, part in parts.items():
            if part is None:
                raise PdebenchError(
                    f"'{where}' has no dataset '{name}', as PDEBench's 1-D files have; it holds: "
                    f"{some(file) or 'nothing'}"
                )
        tensor = parts.pop(_TENSOR)
        shape: tuple[int, ...] = tensor.shape or ()
        dtype = tensor.dtype
        if len(shape) != 3 or dtype.kind != "f" or min(shape) < 1:
            raise PdebenchError(
                f"'{where}': tensor is {dtype} of shape {shape}, not floats of shape "
                "(instances, times, cells)"
            )
        x, t = (_axis(where, name, part, max(shape) + 1) for name, part in parts.items())
        _check_axes(where, shape, x, t)
        others = {
            name: dataset(file, where, name) for name in file if name not in (_TENSOR, _X, _T)
        }
        coefficients = [name for name, part in others.items() if _is_coefficient(part, shape[0])]
        return Layout(where, shape[0], x, t[: shape[1]], dtype, tuple(coefficients))


def _is_coefficient(values: "h5py.Dataset | None", instances: int) -> bool:
    return values is not None and values.shape == (instances,) and values.dtype.kind == "f"


def _axis(where: Path, name: str, values: "h5py.Dataset", most: int) -> np.ndarray:
    if values.dtype.kind not in "fiu" or not 0 < (values.size or 0) <= most:
        raise PdebenchError(
            f"'{where}': {name} is {values.dtype} of shape {values.shape}, not numbers along one "
            "axis"
        )
    found = np.asarray(_numbers(where, values, ...), np.float64).ravel()
    bad = np.flatnonzero(~np.isfinite(found))
    if bad.size:
        raise PdebenchError(
            f"'{where}': {name}[{bad[0]}] is {found[bad[0]]}; write the file again with a number "
            "there"
        )
    return found


def _check_axes(where: Path, shape: tuple[int, ...], x: np.ndarray, t: np.ndarray) -> None:
    _, times, cells = shape
    if x.size != cells:
        raise PdebenchError(f"'{where}': x-coordinate has {x.size} values for {cells} cells")
    if t.size not in (times, times + 1):
        raise PdebenchError(f"'{where}': t-coordinate has {t.size} values for {times} frames")
    if times < 2 or cells < 4:
        raise PdebenchError(f"'{where}': {times} frames of {cells} cells; at least 2 of 4 needed")
    steps = np.diff(x)
    if not np.all(steps > 0) or np.ptp(steps) > 1e-3 * steps[0]:
        raise PdebenchError(f"'{where}': x-coordinate does not ascend in equal steps")
    if not np.all(np.diff(t) > 0):
        raise PdebenchError(f"'{where}': t-coordinate does not ascend")


def read_instances(
    layout: Layout, chosen: np.ndarray, frames: np.ndarray, field: str, every: int = 1
) -> Ensemble:
    """Read some instances at some frames.

    Args:
        layout: of the file.
        chosen: ascending indices of instances, (n,).
        frames: ascending indices of frames, the first of which is 0.
        field: what the tensor is called.
        every: takes every n-th cell.

    Raises:
        PdebenchError: an instance is not finite, or is 0 at all frames after the first.
    """
    x = layout.x[::every]
    values = np.empty((chosen.size, frames.size, x.size))
    coefficients = _look_through(layout, chosen, frames, every, values)
    axes = {"x": x, "t": layout.t[frames]}
    return Ensemble(axes, {field: np.moveaxis(values, 1, 2)}, coefficients)


def check_instances(layout: Layout, chosen: np.ndarray, frames: np.ndarray, every: int = 1) -> None:
    """Refuse what `read_instances` refuses, and keep no numbers."""
    _look_through(layout, chosen, frames, every)


def _look_through(
    layout: Layout,
    chosen: np.ndarray,
    frames: np.ndarray,
    every: int,
    kept: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    """Check instances and return their coefficients; `kept` takes their values if it is given."""
    squares = np.empty((chosen.size, frames.size))
    with opened(layout.path) as file:
        for where, block in _blocks(layout, file[_TENSOR], chosen, frames):
            block = block[..., ::every].astype(np.float64)
            squares[where] = np.einsum("ijk,ijk->ij", block, block)
            if kept is not None:
                kept[where] = block
        coefficients = {
            k: np.asarray(_numbers(layout.path, file[k], ...), np.float64)[chosen]
            for k in layout.coefficients
        }
    _check_instances(layout.path, chosen, frames, squares)
    for name, values in coefficients.items():
        for i in np.flatnonzero(~np.isfinite(values)):
            raise PdebenchError(
                f"'{layout.path}': dataset '{name}' of instance {chosen[i]} is {values[i]}; "
                f"{_WITHOUT.format(chosen[i])}"
            )
    return coefficients


_WITHOUT = "write a file without it: np.delete(values, {}, axis=0) for each dataset of instances"


def _check_instances(
    path: Path, chosen: np.ndarray, frames: np.ndarray, squares: np.ndarray
) -> None:
    """Refuse instances by the sums of the squares of their values, (instances, frames)."""
    for i, j in np.argwhere(~np.isfinite(squares))[:1]:
        raise PdebenchError(
            f"'{path}': dataset 'tensor' holds numbers that are not finite: instance {chosen[i]} "
            f"at frame {frames[j]}; {_WITHOUT.format(chosen[i])}"
        )
    zero = chosen[~squares[:, 1:].any(axis=1)]
    if zero.size:
        start = squares[np.isin(chosen, zero), 0].any()
        when = "at all frames that are asked" if start else "everywhere (was it never written?)"
        raise PdebenchError(
            f"'{path}': dataset 'tensor' is 0 {when} in {counted(zero.size, 'instance')}: "
            f"{some(zero)}; errors are relative to it, so {_WITHOUT.format([*map(int, zero[:8])])}"
        )


def _blocks(
    layout: Layout, tensor: "h5py.Dataset", chosen: np.ndarray, frames: np.ndarray
) -> Iterator[tuple[tuple[np.ndarray, ...], np.ndarray]]:
    """Yield values of instances at frames, each chunk of the file once.

    Where the file has no chunks, a block is a run of instances that follow each other.

    Yields:
        Places in `chosen` and `frames`, as an open mesh, and values (instances, frames, cells).
    """
    row = layout.x.size * layout.dtype.itemsize
    high, long, _ = tensor.chunks or (max(1, _BLOCK // (row * frames.size)), layout.t.size, 0)
    long *= max(1, _BLOCK // (high * long * row))
    new = np.diff(chosen // high) if tensor.chunks else np.diff(chosen) != 1
    groups = np.split(np.arange(chosen.size), np.flatnonzero(new) + 1)
    if not tensor.chunks:
        groups = [
            part for group in groups for part in np.split(group, range(high, group.size, high))
        ]
    spans = np.split(np.arange(frames.size), np.flatnonzero(np.diff(frames // long)) + 1)
    for group in groups:
        first, last = chosen[group[0]], chosen[group[-1]]
        for span in spans:
            wanted = np.s_[first : last + 1, _slice(frames[span])]
            values = _numbers(layout.path, tensor, wanted)
            yield np.ix_(group, span), values[chosen[group] - first]


def _slice(frames: np.ndarray) -> "slice | np.ndarray":
    """Return ascending indices as a slice where they are equally spaced: much faster in HDF5."""
    steps = np.unique(np.diff(frames))
    if steps.size > 1:
        return frames
    return slice(int(frames[0]), int(frames[-1]) + 1, int(steps[0]) if steps.size else 1)


def _numbers(path: Path, values: "h5py.Dataset", where: Any) -> np.ndarray:
    try:
        return values[where]
    except OSError as error:
        raise PdebenchError(
            f"cannot read dataset '{values.name.strip('/')}' of '{path}': {error}; the file is "
            "damaged: download or copy it again"
        ) from None


def write_instances(path: str, ensemble: Ensemble) -> None:
    """Write instances in this layout; an interrupted write leaves no file of that name.

    Raises:
        PdebenchError: the ensemble is not one field in one dimension, or the file cannot be
            written.
    """
    import h5py

    fields = list(ensemble.fields)
    if len(fields) != 1 or list(ensemble.axes) != ["x", "t"]:
        raise PdebenchError("only families of one field on x and t have this layout")
    where = Path(path).expanduser()
    made = io.BytesIO()  # by way of memory: on a full disk HDF5 brings the whole process down
    with h5py.File(made, "w") as file:
        tensor = np.moveaxis(ensemble.fields[fields[0]], -1, 1)
        file.create_dataset(_TENSOR, data=tensor.astype(np.float32))
        file.create_dataset(_X, data=ensemble.axes["x"])
        file.create_dataset(_T, data=ensemble.axes["t"])
        for name, values in ensemble.coefficients.items():
            file.create_dataset(name, data=values)
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        write_whole(where, made.getvalue())
    except OSError as error:
        raise PdebenchError(f"cannot write '{where}': {error.strerror or error}") from None
