"""From records back to study files: the fewest full crosses that give exactly these cells."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.study import parse_size
from pdebench_lite.selectors import canonical
from pdebench_lite.store.cell import Cell

ALL = "all"
_SCALARS = ("device", "target_error", "max_memory")  # one for a whole study file
_CROSSED = ("seed", "backend", "methods", "dtype", "problem", "max_steps", "max_time")
Cross = dict[str, tuple[Any, ...]]


def study_files(cells: Iterable[Cell], known: Registry) -> list[str]:
    """Return study files that together stand for these cells and no others.

    Args:
        cells: the cells, such as those of some records.
        known: tells which selectors are written short, and which backends a method has.
    """
    crosses = [_cross_of(cell, known) for cell in cells]
    crosses = _joined(crosses, "seed")
    crosses = [_named_all(cross, known) for cross in _joined(crosses, "backend")]
    for name in _CROSSED[2:]:
        crosses = _joined(crosses, name)
    return [_written(cross) for cross in crosses]


def _cross_of(cell: Cell, known: Registry) -> Cross:
    budget = cell.budget
    values: dict[str, Any] = {
        "problem": _problem(cell, known),
        "methods": _method(cell, known),
        "backend": cell.backend,
        "seed": cell.seed,
        "dtype": cell.dtype,
        "device": cell.device,
        "max_time": budget.max_time,
        "max_steps": budget.max_steps,
        "target_error": budget.target_error,
        "max_memory": budget.max_memory,
    }
    return {name: (value,) for name, value in values.items()} | {"method": (cell.method,)}


def _problem(cell: Cell, known: Registry) -> str:
    """Return the label if it means the same today, else a selector that names every parameter."""
    try:
        task = known.task(cell.problem_label)
        same = (task.problem.name, task.name, task.settings)
        if same == (cell.problem, cell.task, cell.problem_params):
            return cell.problem_label
    except PdebenchError:
        pass
    return canonical(f"{cell.problem}:{cell.task}", cell.problem_params)


def _method(cell: Cell, known: Registry) -> str:
    try:
        method, config = known.configured(cell.label)
        if (method.name, config.model_dump(mode="json")) == (cell.method, cell.config):
            return cell.label
    except PdebenchError:
        pass
    return canonical(cell.method, cell.config)


def _joined(crosses: Sequence[Cross], name: str) -> list[Cross]:
    """Join crosses that differ in one key only; the order of first appearance is kept."""
    groups: dict[Any, Cross] = {}
    for cross in crosses:
        rest = {k: v for k, v in cross.items() if k not in (name, "method")}
        if name == "backend":  # a method at a time: each has its own backends
            rest["method"] = cross["method"]
        key = tuple((k, frozenset(v)) for k, v in rest.items())
        if key in groups:
            there = groups[key]
            for which in (name, "method"):
                there[which] = tuple(dict.fromkeys((*there[which], *cross[which])))
        else:
            groups[key] = dict(cross)
    return list(groups.values())


def _named_all(cross: Cross, known: Registry) -> Cross:
    """Write `all` where the backends are all that the method has."""
    try:
        solvers = set(known.method(cross["method"][0]).solvers) & set(known.backends)
    except PdebenchError:
        return cross
    return {**cross, "backend": (ALL,)} if set(cross["backend"]) == solvers else cross


# ---- a cross as a file -----------------------------------------------------------------------


def _written(cross: Mapping[str, tuple[Any, ...]]) -> str:
    keys: dict[str, Any] = {}
    for name in ("problem", "methods", "backend", *_SCALARS, "dtype", "max_time", "max_steps"):
        values = [value for value in cross[name] if value is not None]
        if values:
            keys[name.replace("_", "-")] = values[0] if name in _SCALARS else values
    if "max-memory" in keys:
        keys["max-memory"] = _size(keys["max-memory"])
    seeds = sorted(cross["seed"])
    keys |= {"seeds": len(seeds)} if seeds == list(range(len(seeds))) else {"seed": seeds}
    return yaml.safe_dump(keys, sort_keys=False, allow_unicode=True, width=100)


def _size(size: float) -> str:
    """Write a number of bytes so that it is read back as itself, as short as can be."""
    units = ("TB", "TiB", "GB", "GiB", "MB", "MiB", "KB", "KiB")
    numbers = {
        unit: f"{size / parse_size(f'1{unit}'):.12f}".rstrip("0").rstrip(".") for unit in units
    }
    texts = [f"{number}{unit}" for unit, number in numbers.items() if number != "0"]
    exact = [text for text in texts if parse_size(text) == size]
    return min(exact, key=len, default=f"{size / 1e3:.17f}KB")
