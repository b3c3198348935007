"""Rescoring: metrics of finished records from their saved fields, without training anything."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np

from pdebench_lite.errors import DivergedError, PdebenchError
from pdebench_lite.metrics import Metric
from pdebench_lite.problem import Arrays, Carried, Observation, Task
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.identity import fingerprint
from pdebench_lite.runner.streams import data_stream
from pdebench_lite.selectors import Selector
from pdebench_lite.store.leases import Leases
from pdebench_lite.store.records import FIELDS, Record, Store, load_fields
from pdebench_lite.tasks.field import FieldEvaluation, FieldTask
from pdebench_lite.version import VERSION

NOTE = "rescored"  # of a record's details: metric -> who computed it, when, and what stood there
AGREEMENT = 1e-9  # relative; sums in another order differ by less
Outcome: TypeAlias = Literal["written", "agrees", "differs", "replaced", "none", "impossible"]


class _NotStoredError(Exception):
    """A metric asks for something that the saved fields do not hold."""


@dataclass(frozen=True)
class Score:
    """What became of one metric of one record.

    Attributes:
        metric: its name.
        outcome: `written`: the record had no value; `agrees`: it had this one; `differs`: it has
            another, which stays; `replaced`: it had another; `none`: the metric has no value for
            this record; `impossible`: see `why`.
        value: what was computed; None if nothing was.
        before: what the record held.
        why: why there is no value.
    """

    metric: str
    outcome: Outcome
    value: float | None = None
    before: float | None = None
    why: str = ""


@dataclass(frozen=True)
class Rescored:
    """What became of one record; `skipped` says why nothing was tried."""

    record: Record
    scores: tuple[Score, ...] = ()
    skipped: str = ""


def rescore(
    store: Store,
    known: Registry,
    records: Iterable[Record],
    metrics: Sequence[str] = (),
    replace: bool = False,
) -> Iterator[Rescored]:
    """Compute metrics of records from their saved fields and write them into the records.

    Truth, found unknowns, carried fields and observations are those that were saved. A metric that
    asks for the solution between the points of the saved grid cannot be computed from them.

    Args:
        store: the results folder.
        known: where tasks and metrics are looked up.
        records: which records.
        metrics: names; by default those of its task for which a record has no value.
        replace: whether a value that differs takes the place of the one that stands there.

    Raises:
        PdebenchError: no such metric, or a record cannot be written.
    """
    chosen = [known.metric(name) for name in metrics]
    leases = Leases(store.root)
    tasks = _Tasks(known)
    for record in records:
        try:
            evaluation = stored_evaluation(store, tasks, record)
        except PdebenchError as error:
            yield Rescored(record, skipped=str(error))
            continue
        if holder := leases.holder(record.cell):
            yield Rescored(record, skipped=f"{holder.title} works on it")
            continue
        wanted = chosen or [
            metric
            for metric in known.metrics_for(evaluation.task)
            if record.metrics.get(metric.name) is None
        ]
        tried = [_score(metric, evaluation, record, replace) for metric in wanted]
        scores = tuple(s for s in tried if chosen or s.outcome != "none")
        changed = {s.metric: s for s in scores if s.outcome in ("written", "replaced")}
        if changed and not store.amend(record, _with_scores(record, changed, known)):
            yield Rescored(record, skipped="it was written by another process meanwhile")
            continue
        yield Rescored(record, scores)


class _Tasks:
    """Looks tasks up; records of one task that follow each other share its reference."""

    def __init__(self, known: Registry) -> None:
        self._known = known
        self._last: tuple[Selector, Task] | None = None

    def of(self, record: Record) -> Task:
        """Return the task of a record, or raise if it does not exist here."""
        selector = Selector(record.problem, record.task, record.problem_params)
        if self._last is None or self._last[0] != selector:
            self._last = selector, self._known.task(selector)
        return self._last[1]


def _score(metric: Metric, evaluation: FieldEvaluation, record: Record, replace: bool) -> Score:
    before = record.metrics.get(metric.name)
    try:
        if not metric.applies(evaluation.task):
            raise _NotStoredError(f"it has no meaning for {evaluation.task.label}")
        value = metric.compute(evaluation)
    except (_NotStoredError, DivergedError) as error:
        return Score(metric.name, "impossible", None, before, str(error))
    except KeyError as error:
        why = f"it asks for {error}, which is not among the saved fields"
        return Score(metric.name, "impossible", None, before, why)
    except Exception as error:  # a stranger's plugin never takes us down
        text = " ".join(str(error).split())[:200]
        why = f"it failed: {type(error).__name__}: {text}"
        return Score(metric.name, "impossible", None, before, why)
    if value is None:
        return Score(metric.name, "none", None, before)
    number = float(value)
    if not math.isfinite(number):
        return Score(metric.name, "impossible", None, before, f"it is {number}")
    if before is None:
        return Score(metric.name, "written", number)
    if math.isclose(number, before, rel_tol=AGREEMENT, abs_tol=np.finfo(float).tiny):
        return Score(metric.name, "agrees", number, before)
    return Score(metric.name, "replaced" if replace else "differs", number, before)


def _with_scores(record: Record, changed: Mapping[str, Score], known: Registry) -> Record:
    """Return the record with values and the note of where they come from."""
    earlier = record.details.get(NOTE)
    note: dict[str, Any] = dict(earlier) if isinstance(earlier, dict) else {}
    for name, score in changed.items():
        module = _module_of(known, name)
        note[name] = {
            "plugin": module,
            "fingerprint": fingerprint([module, known.metric(name).compute.__module__]),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            **({} if score.before is None else {"before": score.before}),
        }
    values = {name: score.value for name, score in changed.items()}
    return record.model_copy(
        update={
            "version": VERSION,
            "metrics": {**record.metrics, **values},
            "details": {**record.details, NOTE: note},
        }
    )


def _module_of(known: Registry, metric: str) -> str:
    """Return the module of the plugin that provides a metric."""
    for plugin in known.plugins:
        if metric in plugin.provides.get("metric", ()):
            return plugin.module
    return "pdebench_lite"


# ---- an evaluation from what is on the disk --------------------------------------------------


@dataclass(frozen=True)
class StoredEvaluation(FieldEvaluation):
    """An evaluation whose solution is known on the saved grid only.

    Attributes:
        stored_carried: the found unknowns carried forward, as saved.
    """

    stored_carried: Carried | None = field(default=None)

    @property
    def carried(self) -> Carried | None:
        """The found unknowns carried forward, as saved; without the paths of the carrying."""
        return self.stored_carried


def stored_evaluation(store: Store, tasks: _Tasks, record: Record) -> StoredEvaluation:
    """Return what metrics are computed from, as it was when a record was made.

    Args:
        store: the results folder.
        tasks: where the task is looked up.
        record: an `ok` record of a task that asks for fields.

    Raises:
        PdebenchError: the record has no fields, they cannot be read or are not those of its task,
            or the task does not exist here.
    """
    folder = store.folder(record.cell)
    if record.status != "ok":
        raise PdebenchError(f"{record.status} records have no fields")
    if not (folder / FIELDS).is_file():
        raise PdebenchError(f"it has no {FIELDS}")
    task = tasks.of(record)
    if not isinstance(task, FieldTask):
        raise PdebenchError(f"{task.label} asks for no fields on a grid")
    return _evaluation(task, record, _Saved(folder / FIELDS))


class _Saved:
    """The variables of a `fields.nc`, as float64 arrays."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._dataset = load_fields(path.parent)
        except Exception as error:  # HDF5 has many ways to complain of a damaged file
            text = " ".join(str(error).split())[:200]
            raise PdebenchError(f"{path} cannot be read: {text}") from None

    def __contains__(self, name: str) -> bool:
        return name in self._dataset

    def get(self, name: str, axes: Iterable[str]) -> np.ndarray:
        """Return a variable over these axes; on those that it does not have, of length one.

        Raises:
            PdebenchError: there is no such variable, or it has other axes too.
        """
        wanted = list(axes)
        if name not in self._dataset:
            raise PdebenchError(f"{self._path} lacks '{name}'")
        variable = self._dataset[name]
        if odd := set(map(str, variable.dims)) - set(wanted):
            raise PdebenchError(f"{self._path}: '{name}' has the axis '{min(odd)}'")
        ordered = variable.transpose(*(axis for axis in wanted if axis in variable.dims))
        index = tuple(slice(None) if axis in variable.dims else None for axis in wanted)
        return np.asarray(ordered.values, float)[index]


def _evaluation(task: FieldTask, record: Record, saved: _Saved) -> StoredEvaluation:
    names = task.problem.domain.names
    axes = {name: saved.get(name, (name,)) for name in names}
    shape = tuple(axis.size for axis in axes.values())

    def whole(variable: str) -> np.ndarray:
        return np.broadcast_to(saved.get(variable, names), shape)

    fields = {name: whole(name) for name in task.problem.field_names}
    truth = {name: whole(f"{name}_reference") for name in task.problem.field_names}
    for unknown in task.unknowns:
        if unknown.kind == "coefficient":
            truth[unknown.name] = whole(f"{unknown.name}_true")
    carried = None
    if all(f"{name}_carried" in saved for name in task.problem.field_names):
        paths = {name: whole(f"{name}_carried") for name in task.problem.field_names}
        bound = math.inf if record.carried_bound is None else record.carried_bound
        carried = Carried(paths, bound)

    def functions(kind: str) -> dict[str, Callable[[Arrays], np.ndarray]]:
        return {
            u.name: _one({a: axes[a] for a in u.axes}, saved.get(f"{u.name}_{kind}", u.axes))
            for u in task.unknowns
            if kind == "found" or f"{u.name}_{kind}" in saved
        }

    solution = Solution(
        predict=_on_saved_points(axes, fields),
        unknowns=functions("found"),
        deviations=functions("deviation"),
    )
    return StoredEvaluation(
        task=task,
        purpose="final",
        axes=axes,
        truth=truth,
        fields=fields,
        solution=solution,
        observations=_observations(task, record, saved),
        stored_carried=carried,
    )


def _one(axes: Mapping[str, np.ndarray], values: np.ndarray) -> Callable[[Arrays], np.ndarray]:
    answer = _on_saved_points(axes, {"": values})
    return lambda points: answer(points)[""]


def _on_saved_points(
    axes: Mapping[str, np.ndarray], values: Mapping[str, np.ndarray]
) -> Callable[[Arrays], dict[str, np.ndarray]]:
    """Return a function on points that knows the nodes of a grid and nothing between them."""

    def answer(points: Arrays) -> dict[str, np.ndarray]:
        index = []
        for name, axis in axes.items():
            where = np.asarray(points[name], float)
            near = np.clip(np.searchsorted(axis, where), 0, axis.size - 1)
            if not np.array_equal(axis[near], where):
                raise _NotStoredError("it asks for the solution at points that were not saved")
            index.append(near)
        return {name: array[tuple(index)] for name, array in values.items()}

    return answer


def _observations(task: FieldTask, record: Record, saved: _Saved) -> tuple[Observation, ...]:
    """Draw the observations again, which also tells their noise, and check them by those saved.

    Raises:
        PdebenchError: they are not the same, so the problem is no longer what it was.
    """
    drawn = task.observations(data_stream(record.identity)("observations"))
    for name in {o.field for o in drawn}:
        mine = [o for o in drawn if o.field == name]
        values = np.concatenate([np.ravel(o.values) for o in mine])
        before = saved.get(f"{name}_observed", (f"{name}_observation",))
        scale = float(np.max(np.abs(before), initial=0.0))
        if values.shape != before.shape or not np.allclose(
            values, before, rtol=0.0, atol=AGREEMENT * scale
        ):
            raise PdebenchError(
                f"the observations of {task.label} are no longer those that were saved: "
                "the problem has changed since; run the cell again"
            )
    return drawn
