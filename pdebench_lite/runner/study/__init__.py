"""Studies: from selectors, or a YAML file, to the cells that are to be run."""

from pdebench_lite.runner.study.cells import (
    DEFAULT_MAX_TIME,
    cross,
    make_cell,
    make_cells,
    merged,
    parse_duration,
    parse_size,
)
from pdebench_lite.store.cell import Budget, Cell, Dtype

__all__ = [
    "DEFAULT_MAX_TIME",
    "Budget",
    "Cell",
    "Dtype",
    "cross",
    "make_cell",
    "make_cells",
    "merged",
    "parse_duration",
    "parse_size",
]
