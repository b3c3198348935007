"""From selectors to cells: problems × methods × backends × seeds."""

import re
from collections.abc import Callable, Iterable, Sequence

from pdebench_lite.errors import PdebenchError
from pdebench_lite.problem import Task
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.registry.method import Method
from pdebench_lite.selectors import Settings, canonical, changed, parse_selectors
from pdebench_lite.store.cell import Budget, Cell, Dtype

DEFAULT_MAX_TIME = 60.0


def make_cell(
    task: Task,
    method: Method,
    config: Settings,
    backend: str,
    seed: int,
    budget: Budget,
    dtype: Dtype = "float64",
    device: str = "cpu",
) -> Cell:
    """Describe one cell by plain values."""
    return Cell(
        problem=task.problem.name,
        task=task.name,
        problem_params=task.settings,
        problem_label=task.label,
        method=method.name,
        family=method.family,
        config=config.model_dump(mode="json"),
        label=canonical(method.name, changed(config)),
        backend=backend,
        dtype=dtype,
        device=device,
        budget=budget,
        seed=seed,
    )


def make_cells(
    registry: Registry,
    problems: str,
    methods: str,
    backends: Sequence[str] = (),
    seeds: Iterable[int] = (0,),
    budget: Budget | None = None,
    dtype: Dtype = "float64",
    device: Callable[[str], str] = lambda backend: "cpu",
) -> list[Cell]:
    """Cross problems, methods, backends and seeds; identical cells are merged, order is kept.

    Args:
        registry: where names are looked up.
        problems: comma-separated selectors of problems.
        methods: comma-separated selectors of methods.
        backends: names; empty or `all` means every installed backend that a method has.
        seeds: random seeds.
        budget: limits of each cell; without time and steps, 60 charged seconds.
        dtype: floating-point type of the training.
        device: backend -> device kind, `cpu` or `cuda`.

    Raises:
        PdebenchError: a name is unknown, a value is bad, or a backend is not installed.
    """
    tasks = [registry.task(selector) for selector in parse_selectors(problems)]
    chosen = [registry.configured(selector) for selector in parse_selectors(methods)]
    cells = cross(registry, tasks, chosen, backends, seeds, budget, dtype, device)
    return merged(cells)


def cross(
    registry: Registry,
    tasks: Iterable[Task],
    methods: Iterable[tuple[Method, Settings]],
    backends: Sequence[str] = (),
    seeds: Iterable[int] = (0,),
    budget: Budget | None = None,
    dtype: Dtype = "float64",
    device: Callable[[str], str] = lambda backend: "cpu",
) -> list[Cell]:
    """Return the cells of tasks × configured methods × backends × seeds; see `make_cells`."""
    budget = budget or Budget()
    if budget.max_time is None and budget.max_steps is None:
        budget = budget.model_copy(update={"max_time": DEFAULT_MAX_TIME})
    named = [b for b in backends if b != "all"]
    for backend in named:
        _require(registry, backend)
    seeds, methods = list(seeds), list(methods)
    return [
        make_cell(task, method, config, backend, seed, budget, dtype, device(backend))
        for task in tasks
        for method, config in methods
        for backend in named or _backends_of(registry, method)
        for seed in seeds
    ]


def merged(cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells in order, identical ones once."""
    kept: dict[str, Cell] = {}
    for cell in cells:
        kept.setdefault(cell.hash, cell)
    return list(kept.values())


def _require(registry: Registry, backend: str) -> None:
    remedy = registry.remedy(backend)
    if remedy:
        raise PdebenchError(remedy)


def _backends_of(registry: Registry, method: Method) -> list[str]:
    known = [b for b in method.solvers if b in registry.backends]
    usable = [b for b in known if not registry.missing(b)]
    if not usable:
        for backend in known or method.solvers:
            _require(registry, backend)
        raise PdebenchError(f"method '{method.name}' has no solver")
    return usable


_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "": 1.0}


def parse_duration(text: str) -> float:
    """Read a duration such as `30`, `30s`, `2m` or `1.5h` in seconds.

    Raises:
        PdebenchError: the text is not a positive duration.
    """
    match = re.fullmatch(r"(\d+(?:\.\d*)?|\.\d+)\s*(s|m|min|h|)", text.strip().lower())
    seconds = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < seconds < float("inf"):
        raise PdebenchError(f"'{text}' is not a positive duration; write 30s, 2m or 1h")
    return seconds


_BYTES = {"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
          "kib": 2.0**10, "mib": 2.0**20, "gib": 2.0**30, "tib": 2.0**40}  # fmt: skip


def parse_size(text: str) -> float:
    """Read a size such as `4GB` (10⁹ bytes each), `500MB` or `2GiB` (2³⁰ each) in bytes.

    Raises:
        PdebenchError: the text is not a positive size.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([kmgt]i?b)", text.strip().lower())
    size = float(match[1]) * _BYTES[match[2]] if match else 0.0
    if not 0 < size < float("inf"):
        raise PdebenchError(f"'{text}' is not a positive size; write 500MB, 4GB or 2GiB")
    return size
