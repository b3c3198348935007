"""What the parent writes next to the record: history, fields, a log of bounded length."""

from pathlib import Path
from typing import Any

import numpy as np

from pdebench_lite.store.cell import Cell
from pdebench_lite.store.records import FIELDS, HISTORY

LOG_LIMIT = 4_000_000  # bytes


def shorten(log: Path) -> None:
    """Keep beginning and end of a log that has grown beyond measure; its writers append."""
    size = log.stat().st_size
    if size > LOG_LIMIT:
        with log.open("r+b") as file:
            file.seek(size - LOG_LIMIT // 4)
            end = file.read(LOG_LIMIT // 4)
            file.truncate(LOG_LIMIT // 2)
        with log.open("ab") as file:
            file.write(b"\n[... output left out: the log has over %d bytes ...]\n" % LOG_LIMIT)
            file.write(end)


def write_history(workspace: Path, history: list[dict[str, Any]]) -> None:
    """Write the history as Parquet; columns that were never set stay null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    first = ["step", "evaluations", "charged_s", "loss", "peak_host_mb"]
    names = [*first, *sorted({k for row in history for k in row} - set(first))]
    kinds = {"step": pa.int64(), "evaluations": pa.int64()}
    columns = {
        name: pa.array([row.get(name) for row in history], type=kinds.get(name, pa.float64()))
        for name in names
    }
    pq.write_table(pa.table(columns), workspace / HISTORY)


def write_fields(workspace: Path, arrays: Path, layout: dict[str, Any], cell: Cell) -> None:
    """Write the arrays that the child left as NetCDF with named dimensions and units."""
    if not layout:
        return
    import xarray as xr

    with np.load(arrays, allow_pickle=False) as stored:
        variables = {name: (dims, stored[name], attrs) for name, (dims, attrs) in layout.items()}
    coords = {name: v for name, v in variables.items() if v[0] == [name]}
    data = {name: v for name, v in variables.items() if name not in coords}
    about = {
        "cell": cell.hash,
        "problem": cell.problem_label,
        "method": cell.label,
        "backend": cell.backend,
        "seed": cell.seed,
    }
    dataset = xr.Dataset(data, coords, about)
    compressed = {name: {"zlib": True, "complevel": 4} for name in data}
    # By way of memory: on a full disk HDF5 brings the whole process down.
    written = dataset.to_netcdf(None, engine="h5netcdf", encoding=compressed)
    (workspace / FIELDS).write_bytes(written)
