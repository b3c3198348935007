"""The two random streams of a cell: what was measured, and what a method draws."""

from collections.abc import Callable

import numpy as np

from pdebench_lite.data_files import nameless
from pdebench_lite.seeding import generator
from pdebench_lite.store.cell import Cell


def data_stream(cell: Cell) -> Callable[[str], np.random.Generator]:
    """Return purpose -> generator, the same for every method and backend."""
    identity = (cell.problem, cell.task, nameless(cell.problem_params), cell.seed)
    return lambda purpose: generator("data", identity, purpose)


def method_stream(cell: Cell) -> Callable[[str], np.random.Generator]:
    """Return purpose -> generator of the method, the same for every backend."""
    identity = (cell.problem, cell.task, nameless(cell.problem_params), cell.seed, cell.method)
    return lambda purpose: generator("method", identity, purpose)
