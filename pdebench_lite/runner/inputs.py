"""What cells will read, looked through before any of them is run."""

import json
from collections.abc import Iterable

from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.streams import data_stream
from pdebench_lite.selectors import Selector
from pdebench_lite.store.cell import Cell


def check_inputs(registry: Registry, cells: Iterable[Cell]) -> None:
    """Let each task look through the data of its cells; see `Task.check`.

    Args:
        registry: where problems are looked up.
        cells: those that will be run.

    Raises:
        PdebenchError: a file holds something that cannot be used.
    """
    seeds: dict[str, dict[int, Cell]] = {}
    for cell in cells:
        key = json.dumps([cell.problem, cell.task, cell.problem_params], sort_keys=True)
        seeds.setdefault(key, {}).setdefault(cell.seed, cell)
    for alike in seeds.values():
        cell = next(iter(alike.values()))
        task = registry.task(Selector(cell.problem, cell.task, cell.problem_params))
        task.check([data_stream(one) for one in alike.values()])
