"""Fingerprint of a cell: the sources and libraries that its numbers come from."""

from pdebench_lite import own_code
from pdebench_lite.errors import unknown_name
from pdebench_lite.plugins import Registry
from pdebench_lite.runner.environment import fingerprint
from pdebench_lite.study import Cell


def fingerprint_of(registry: Registry, cell: Cell) -> dict[str, str]:
    """Return the marks of what a cell would be run with now: source hashes and versions.

    Sources and libraries of other backends do not count: what changes there changes no number here.
    The contents of data files count in the cell itself.

    Raises:
        PdebenchError: the problem, its task, the method or the backend no longer exists.
    """
    problem, method = registry.problem(cell.problem), registry.method(cell.method)
    tasks = {task.name: task for task in problem.tasks}
    if cell.task not in tasks:
        raise unknown_name(f"task of problem {cell.problem}:", cell.task, tasks)
    modules = [
        problem.__module__,
        tasks[cell.task].__module__,
        method.Config.__module__,
        method.supports.__module__,
    ]
    if cell.backend in method.solvers:
        modules.append(method.solvers[cell.backend])
    marks = fingerprint(modules, (*registry.backend(cell.backend).requires, *method.requires))
    return marks | dict(own_code.mark(path) for path in method.Config.code_paths(cell.config))


def changed_marks(then: dict[str, str], now: dict[str, str]) -> str:
    """Say what differs between two fingerprints, such as `torch 2.12 -> 2.13`; empty if nothing."""
    names = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    return ", ".join(f"{n} {then.get(n, 'none')} -> {now.get(n, 'none')}" for n in names)
