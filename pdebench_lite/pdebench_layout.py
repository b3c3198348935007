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
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pdebench_lite.errors import PdebenchError
from pdebench_lite.files import write_whole
from pdebench_lite.tasks import Ensemble

if TYPE_CHECKING:
    import h5py

_TENSOR, _X, _T = "tensor", "x-coordinate", "t-coordinate"


@dataclass(frozen=True)
class Layout:
    """What a file holds.

    Attributes:
        path: the file.
        instances: how many.
        x: cell centres, (cells,).
        t: times of the frames, (times,).
        dtype: of the numbers.
        coefficients: names of what differs between instances beside their states.
    """

    path: Path
    instances: int
    x: np.ndarray
    t: np.ndarray
    dtype: np.dtype
    coefficients: tuple[str, ...]


@contextmanager
def _opened(path: Path) -> Iterator["h5py.File"]:
    import h5py

    if not path.is_file():
        raise PdebenchError(f"there is no file '{path}'; give path=FILE.hdf5")
    try:
        file = h5py.File(path, "r")
    except OSError:
        raise PdebenchError(f"'{path}' is no HDF5 file, or is cut off") from None
    with file:
        yield file


def read_layout(path: str) -> Layout:
    """Read what a file holds, without its tensor.

    Raises:
        PdebenchError: the file is absent, is no HDF5 file, or is not laid out as above; the
            message says what was found.
    """
    import h5py

    where = Path(path).expanduser()
    with _opened(where) as file:
        for name in (_TENSOR, _X, _T):
            if not isinstance(file.get(name), h5py.Dataset):
                held = ", ".join(sorted(file)) or "nothing"
                raise PdebenchError(
                    f"'{where}' has no dataset '{name}', as PDEBench's 1-D files have; it holds: "
                    f"{held}"
                )
        shape, dtype = file[_TENSOR].shape, file[_TENSOR].dtype
        if len(shape) != 3 or dtype.kind != "f" or min(shape) < 1:
            raise PdebenchError(
                f"'{where}': tensor is {dtype} of shape {shape}, not floats of shape "
                "(instances, times, cells)"
            )
        x, t = (np.asarray(file[name][()], np.float64).ravel() for name in (_X, _T))
        _check_axes(where, shape, x, t)
        others = [name for name in file if name not in (_TENSOR, _X, _T)]
        coefficients = [name for name in others if _is_coefficient(file[name], shape[0])]
        return Layout(where, shape[0], x, t[: shape[1]], dtype, tuple(coefficients))


def _is_coefficient(values: object, instances: int) -> bool:
    shape, dtype = getattr(values, "shape", None), getattr(values, "dtype", None)
    return shape == (instances,) and dtype is not None and dtype.kind == "f"


def _check_axes(where: Path, shape: tuple[int, ...], x: np.ndarray, t: np.ndarray) -> None:
    _, times, cells = shape
    if x.size != cells:
        raise PdebenchError(f"'{where}': x-coordinate has {x.size} values for {cells} cells")
    if t.size not in (times, times + 1):
        raise PdebenchError(f"'{where}': t-coordinate has {t.size} values for {times} frames")
    if times < 2 or cells < 4:
        raise PdebenchError(f"'{where}': {times} frames of {cells} cells; at least 2 of 4 needed")
    steps = np.diff(x)
    if not (np.isfinite(x).all() and np.all(steps > 0)) or np.ptp(steps) > 1e-3 * steps[0]:
        raise PdebenchError(f"'{where}': x-coordinate does not ascend in equal steps")
    if not (np.isfinite(t).all() and np.all(np.diff(t) > 0)):
        raise PdebenchError(f"'{where}': t-coordinate does not ascend")


def read_instances(layout: Layout, chosen: np.ndarray, frames: np.ndarray, field: str) -> Ensemble:
    """Read some instances at some frames.

    Args:
        layout: of the file.
        chosen: ascending indices of instances, (n,).
        frames: ascending indices of frames, the first of which is 0.
        field: what the tensor is called.

    Raises:
        PdebenchError: numbers that are not finite.
    """
    with _opened(layout.path) as file:
        tensor = np.asarray(file[_TENSOR][chosen][:, frames], np.float64)
        coefficients = {k: np.asarray(file[k][chosen], np.float64) for k in layout.coefficients}
    if not np.isfinite(tensor).all():
        bad = int(chosen[~np.isfinite(tensor).all(axis=(1, 2))][0])
        raise PdebenchError(f"'{layout.path}': instance {bad} holds numbers that are not finite")
    axes = {"x": layout.x, "t": layout.t[frames]}
    return Ensemble(axes, {field: np.moveaxis(tensor, 1, 2)}, coefficients)


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
