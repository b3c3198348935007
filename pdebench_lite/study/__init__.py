"""Studies: from selectors, or a YAML file, to the cells that are to be run."""

from pdebench_lite.study.cells import (
    DEFAULT_MAX_TIME,
    Budget,
    Cell,
    Dtype,
    cross,
    make_cell,
    make_cells,
    merged,
    parse_duration,
    parse_size,
)

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
