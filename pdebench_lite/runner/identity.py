"""Fingerprint of a cell: the sources and libraries that its numbers come from."""

from pdebench_lite.plugins import Registry
from pdebench_lite.runner.environment import fingerprint
from pdebench_lite.selectors import Selector
from pdebench_lite.study import Cell


def fingerprint_of(registry: Registry, cell: Cell) -> dict[str, str]:
    """Return the marks of what a cell would be run with now: source hashes and versions.

    Raises:
        PdebenchError: the problem, the method or a setting no longer exists.
    """
    task = registry.task(Selector(cell.problem, cell.task, cell.problem_params))
    method, _ = registry.configured(Selector(cell.method, "", cell.config))
    return fingerprint(
        [
            type(task.problem).__module__,
            type(task).__module__,
            method.Config.__module__,
            method.supports.__module__,
            *method.solvers.values(),
        ]
    )


def changed_marks(then: dict[str, str], now: dict[str, str]) -> str:
    """Say what differs between two fingerprints, such as `torch 2.12 -> 2.13`; empty if nothing."""
    names = [name for name in sorted({*then, *now}) if then.get(name) != now.get(name)]
    return ", ".join(f"{n} {then.get(n, 'none')} -> {now.get(n, 'none')}" for n in names)
