"""The classical solver in every comparison: its work–precision curve, or how to add one."""

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path

from pdebench_lite.analysis.entrants import Contest, Entrant
from pdebench_lite.analysis.remark import Remark
from pdebench_lite.analysis.statistics import median
from pdebench_lite.analysis.wording import clean
from pdebench_lite.data_files import each
from pdebench_lite.errors import PdebenchError
from pdebench_lite.problem import Task
from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.selectors import Selector, canonical

_RESOLUTIONS = ("cells", "points", "resolution", "modes")
_HALVINGS = (4, 2, 1)
_CELLS = {1: 512, 2: 128, 3: 32}  # by space axes, for a method whose default follows the problem
_MOST = 3  # problems that a command names


@dataclass(frozen=True)
class Curve:
    """The work–precision curve of one classical method on one backend.

    Attributes:
        entrants: its configurations, cheapest first.
    """

    entrants: Sequence[Entrant]

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.entrants[0].record.method

    def points(self) -> list[tuple[float, float]]:
        """Return (charged seconds, final error) of each configuration, medians over its seeds."""
        return [(_seconds(entrant), _error(entrant)) for entrant in self.entrants]

    def cheapest(self, error: float) -> Entrant | None:
        """Return the cheapest configuration whose final error is not above `error`."""
        fitting = [e for e in self.entrants if _error(e) <= error and _seconds(e) < inf]
        return min(fitting, key=_seconds, default=None)

    def best_within(self, seconds: float) -> Entrant | None:
        """Return the configuration with the smallest final error that ends within a time."""
        fitting = [e for e in self.entrants if _seconds(e) <= seconds and _error(e) < inf]
        return min(fitting, key=_error, default=None)


def _seconds(entrant: Entrant) -> float:
    return float(median([outcome.time for outcome in entrant.outcomes]))


def _error(entrant: Entrant) -> float:
    return float(median([outcome.final for outcome in entrant.outcomes]))


def curves(entrants: Iterable[Entrant]) -> list[Curve]:
    """Gather the configurations of each classical method into its curve."""
    groups: dict[tuple[str, ...], list[Entrant]] = {}
    for entrant in entrants:
        if entrant.classical and not entrant.targeted:
            k = entrant.key
            key = (entrant.record.method, k.backend, k.dtype, k.device, k.machine, k.source)
            groups.setdefault(key, []).append(entrant)
    return [Curve(sorted(group, key=_seconds)) for group in groups.values()]


def advice(contest: Contest, results: Path, labels: Sequence[str] = ()) -> Remark | None:
    """Say what a comparison lacks of its classical solver, and the command that adds it.

    Args:
        contest: the comparison.
        results: folder that the command writes to.
        labels: problems that lack it alike; by default those of the contest.

    Returns:
        None where nothing is lacking.
    """
    found = curves([*contest.entrants, *contest.left_out])
    if any(len(curve.entrants) > 1 for curve in found):
        return None
    lack = (
        f"only one resolution of {clean(found[0].method)}: no work–precision curve"
        if found
        else "no classical solver among these records, so they cannot tell what learning is worth"
    )
    record = next(iter([*contest.records, *contest.refused]))
    if any(each(record.problem_params)):  # a data file may be elsewhere, and tables are to be alike
        return Remark(lack)
    try:
        known = registry()
        task = known.task(Selector(record.problem, record.task, record.problem_params))
        selectors, reasons = _classical(known, task)
    except PdebenchError:
        return Remark(f"{lack}; the problem is not installed here")
    if not selectors:
        why = f" ({'; '.join(reasons)})" if reasons else ""
        return Remark(
            clean(f"{lack}; no classical method that is installed supports the problem{why}")
        )
    labels = labels or contest.problem_labels or [contest.label]
    many = len(labels) > _MOST
    named = ",".join(labels[:1] if many else labels)
    words = ["pdebench", "run", "--problem", named, "--methods", ",".join(selectors)]
    budgets = {r.budget.max_time for r in contest.records}
    if len(budgets) == 1 and (seconds := budgets.pop()) is not None:
        words += ["--max-time", f"{seconds:g}s"]
    words += ["--results", str(results)]
    where = f", here to the first of {len(labels)} problems" if many else ""
    return Remark(f"{lack}; add it{where}", clean(shlex.join(words)))


def _classical(known: Registry, task: Task) -> tuple[list[str], list[str]]:
    """Return selectors of the classical methods that support a task, and why others do not."""
    selectors, reasons = [], []
    for method in known.methods.values():
        if method.family != "classical":
            continue
        try:
            support = method.supports(task, method.Config())
        except Exception as error:  # a stranger's plugin never takes us down
            reasons.append(f"{method.name}: {type(error).__name__}")
            continue
        if not support.ok:
            reasons.append(f"{method.name}: {support.reason}")
            continue
        defaults = method.Config().model_dump()
        name = next((n for n in _RESOLUTIONS if isinstance(defaults.get(n), int)), None)
        if name is None:
            selectors.append(method.name)
        else:
            finest = defaults[name] or _CELLS[min(max(len(task.problem.domain.space), 1), 3)]
            counts = [max(finest // k, 8) for k in _HALVINGS]
            selectors += [canonical(method.name, {name: n}) for n in counts]
    return selectors, reasons
