"""Fingerprint of a cell: the sources and libraries that its numbers come from."""

import importlib.metadata
from collections.abc import Iterable
from functools import lru_cache
from time import monotonic

from pdebench_lite.errors import unknown_name
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.sources import CHILD, marks_of
from pdebench_lite.store.cell import Cell


def fingerprint_of(registry: Registry, cell: Cell) -> dict[str, str]:
    """Return the marks of what a cell would be run with now: source hashes and versions.

    Sources and libraries of other backends do not count: what changes there changes no number here.
    The contents of data files count in the cell itself.

    Raises:
        PdebenchError: the problem, its task, the method or the backend no longer exists.
    """
    problem, method = registry.problem(cell.problem), registry.method(cell.method)
    backend = registry.backend(cell.backend)
    tasks = registry.tasks_of(problem)
    if cell.task not in tasks:
        raise unknown_name(f"task of problem {cell.problem}:", cell.task, tasks)
    modules = [
        problem.__module__,
        tasks[cell.task].__module__,
        method.Config.__module__,
        method.supports.__module__,
        *method.Config.code_paths(cell.config, cell.backend),
    ]
    if cell.backend in method.solvers:
        modules += [method.solvers[cell.backend], backend.runtime]
    return fingerprint(modules, (*backend.requires, *method.requires))


def fingerprint(modules: Iterable[str], libraries: Iterable[str] = ()) -> dict[str, str]:
    """Return hashes of the sources that modules and a cell's child reach; versions of libraries.

    Args:
        modules: names such as `package.module` or `package.module:function`.
        libraries: distributions whose versions count, besides those of NumPy and SciPy.
    """
    libraries = ("numpy", "scipy", *libraries)
    marks = marks_of((CHILD, *modules), libraries)
    for library in libraries:
        if version := _version(library, int(monotonic())):
            marks[library] = version
    return marks


@lru_cache(maxsize=256)
def _version(library: str, _: int) -> str:
    """Return the version of a library, looked up once a second: that takes milliseconds."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ""
