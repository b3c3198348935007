"""Discovery of plugins: one at a time, failures kept, clashes of names refused."""

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache, partial
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

from pdebench_lite.aside import aside
from pdebench_lite.errors import PdebenchError, unknown_name
from pdebench_lite.registry import hooks
from pdebench_lite.registry.command import Command
from pdebench_lite.registry.component import (
    COMPONENTS,
    Component,
    Network,
    Optimizer,
    Sampler,
    Weighting,
)
from pdebench_lite.registry.figure import Figure
from pdebench_lite.registry.method import Backend, Method
from pdebench_lite.registry.quantity import Quantity

if TYPE_CHECKING:  # take long to import, and listing the methods needs none
    from pdebench_lite.metrics import Metric
    from pdebench_lite.problem import Problem, Task
    from pdebench_lite.selectors import Selector, Settings

GROUP = "pdebench_lite"
PLURALS = {
    "problem": "problems",
    "task": "tasks",
    "method": "methods",
    "metric": "metrics",
    "quantity": "quantities",
    "figure": "figures",
    "backend": "backends",
    **{kind: f"{kind}s" for kind in COMPONENTS},
    "command": "commands",
    "claim": "claims",
}
EVERY = tuple(PLURALS)
KINDS = tuple(kind for kind in EVERY if kind not in ("quantity", "figure"))
"""What runs need; reports ask for theirs, which take longer to import."""
# Ours that live in rooms above this one, and come in by the same hooks as a stranger's.
OWN = ("pdebench_lite.report.provided",)
T = TypeVar("T")


@dataclass
class Plugin:
    """One entry point: what it is, and why it failed if it did.

    Attributes:
        name: entry-point name.
        module: module that the entry point names.
        distribution, version: what was installed.
        error: why it is not in use, one line; empty if it is.
        provides: kind of thing -> names.
    """

    name: str
    module: str
    distribution: str = ""
    version: str = ""
    error: str = ""
    provides: dict[str, list[str]] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """How what it provides is said to be its own."""
        return "pdebench_lite" if self.module in OWN else f"plugin {self.name} ({self.module})"


@dataclass
class Registry:
    """Everything that plugins provide, by name, and who provides it."""

    plugins: list[Plugin] = field(default_factory=list)
    problems: "dict[str, type[Problem]]" = field(default_factory=dict)
    methods: dict[str, Method] = field(default_factory=dict)
    tasks: "dict[str, type[Task]]" = field(default_factory=dict)
    metrics: "dict[str, Metric]" = field(default_factory=dict)
    quantities: dict[str, Quantity] = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    backends: dict[str, Backend] = field(default_factory=dict)
    optimizers: dict[str, Optimizer] = field(default_factory=dict)
    networks: dict[str, Network] = field(default_factory=dict)
    weightings: dict[str, Weighting] = field(default_factory=dict)
    samplers: dict[str, Sampler] = field(default_factory=dict)
    commands: dict[str, Command] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    owners: dict[tuple[str, str], str] = field(default_factory=dict)
    clashes: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def _table(self, kind: str) -> dict[str, Any]:
        return getattr(self, PLURALS[kind])

    def _add(self, kind: str, item: Any, owner: str) -> None:
        key = (kind, item.name)
        if key in self.owners:
            self.clashes.setdefault(key, [self.owners[key]]).append(owner)
            return
        self._table(kind)[item.name] = item
        self.owners[key] = owner

    def _find(self, kind: str, name: str) -> Any:
        if (kind, name) in self.clashes:
            owners = " and ".join(self.clashes[kind, name])
            raise PdebenchError(f"{kind} '{name}' is provided by {owners}; uninstall one of them")
        table = self._table(kind)
        if name not in table:
            raise self.unknown(kind, name, table)
        return table[name]

    def unknown(self, kind: str, name: str, known: Iterable[str]) -> PdebenchError:
        """Return the error of an unknown name: near names, and plugins that failed to load."""
        failed = [f"plugin {p.name} failed to load: {p.error}" for p in self.plugins if p.error]
        return PdebenchError("; ".join([str(unknown_name(kind, name, known)), *failed]))

    def problem(self, name: str) -> "type[Problem]":
        """Return a problem class, or raise with the nearest name."""
        return self._find("problem", name)

    def method(self, name: str) -> Method:
        """Return a method, or raise with the nearest name."""
        return self._find("method", name)

    def metric(self, name: str) -> "Metric":
        """Return a metric, or raise with the nearest name."""
        return self._find("metric", name)

    def figure(self, name: str) -> Figure:
        """Return a figure, or raise with the nearest name."""
        return self._find("figure", name)

    def backend(self, name: str) -> Backend:
        """Return a backend, or raise with the nearest name."""
        return self._find("backend", name)

    def command(self, name: str) -> Command:
        """Return a verb that a plugin brings, or raise with the nearest name."""
        return self._find("command", name)

    def component(self, kind: str, selector: str) -> "tuple[Any, Settings]":
        """Return the component that `name` or `name[key=value,…]` names, and its settings.

        Args:
            kind: one of `COMPONENTS`.
            selector: as it stands in a setting of a method.

        Raises:
            PdebenchError: unknown name or setting, or a bad value.
        """
        from pdebench_lite.selectors import fill, parse_selector

        chosen = parse_selector(selector)
        found: Component = self._find(kind, chosen.name)
        return found, fill(found.Config, chosen.values, f"{kind} {found.name}")

    def tasks_of(self, problem: "type[Problem]") -> "dict[str, type[Task]]":
        """Return the tasks of a problem by name: its own, then all others that apply to it.

        Raises:
            PdebenchError: no task applies.
        """
        found = {task.name: task for task in problem.tasks}
        reason = ""
        try:
            one = problem(problem.Parameters())
            applying = {t.name: t for t in self.tasks.values() if t.applies(one)}
            default = one.default_task
        except Exception as error:  # it needs parameters, or fails: then it has its own tasks only
            applying, default, reason = {}, "", f" ({_line(error)})"
        found |= {name: task for name, task in applying.items() if name not in found}
        if not found:
            raise PdebenchError(
                f"no task applies to problem {problem.name}{reason}; give it one of its own"
            )
        return dict(sorted(found.items(), key=lambda item: item[0] != default))

    def task(self, selector: "str | Selector") -> "Task":
        """Make the task that a selector names; its values fill problem and task parameters.

        Raises:
            PdebenchError: unknown problem, task or parameter, or a bad value.
        """
        from pdebench_lite.selectors import fill, parse_selector

        chosen = parse_selector(selector) if isinstance(selector, str) else selector
        problem = self.problem(chosen.name)
        tasks = self.tasks_of(problem)
        if chosen.task and chosen.task not in tasks:
            raise unknown_name(f"task of problem {problem.name}:", chosen.task, tasks)
        task = tasks[chosen.task or next(iter(tasks))]
        owner = f"problem {problem.name}:{task.name}"
        mine, its = problem.Parameters.model_fields, task.Parameters.model_fields
        for key in chosen.values:
            if key not in mine and key not in its:
                raise unknown_name(f"parameter of {owner}", key, {*mine, *its})
        mine_filled, its_filled = (
            fill(model, {k: v for k, v in chosen.values.items() if k in model.model_fields}, owner)
            for model in (problem.Parameters, task.Parameters)
        )
        try:
            return task(problem(mine_filled), its_filled)
        except PdebenchError:
            raise
        except Exception as error:  # a stranger's plugin never takes us down
            raise PdebenchError(f"{owner}: {_line(error)}") from error

    def configured(self, selector: "str | Selector") -> "tuple[Method, Settings]":
        """Return the method that a selector names and its configuration.

        Raises:
            PdebenchError: unknown method or setting, or a bad value.
        """
        from pdebench_lite.selectors import fill, parse_selector

        chosen = parse_selector(selector) if isinstance(selector, str) else selector
        if chosen.task:
            raise PdebenchError(
                f"a method has no task: write '{chosen.name}', not ':{chosen.task}'"
            )
        method = self.method(chosen.name)
        return method, fill(method.Config, chosen.values, f"method {method.name}")

    def metrics_for(self, task: "Task") -> "list[Metric]":
        """Return the metrics of a task: ranked, then reported, then others that apply."""
        order = {name: i for i, name in enumerate((*task.ranked, *task.reported))}
        fitting = [m for m in self.metrics.values() if m.name in order or m.applies(task)]
        return sorted(fitting, key=lambda m: (order.get(m.name, len(order)), m.name))

    def missing(self, backend: str) -> list[str]:
        """Return the distributions that a backend needs and this environment lacks."""
        return [name for name in self.backend(backend).requires if not _installed(name)]

    def remedy(self, backend: str) -> str:
        """Say what a backend lacks here and what to type; empty if it can be used."""
        missing = self.missing(backend)
        if not missing:
            return ""
        extra = self.backend(backend).extra
        what = f"pdebench-lite[{extra}]" if extra else " ".join(missing)
        return (
            f"backend '{backend}' needs {', '.join(missing)}, not installed here; "
            f'type: pip install "{what}"'
        )

    def installed_backends(self) -> list[str]:
        """Return the names of the backends that can be used here."""
        return [name for name in self.backends if not self.missing(name)]


def _installed(distribution: str) -> bool:
    return importlib.util.find_spec(distribution.replace("-", "_")) is not None


def _entry_points() -> Iterator[importlib.metadata.EntryPoint]:
    found = {(e.name, e.value): e for e in importlib.metadata.entry_points(group=GROUP)}
    return iter(sorted(found.values(), key=lambda e: (e.name, e.value)))


def _check(kind: str, item: Any) -> None:
    expected: dict[str, Callable[[Any], bool]] = {
        "problem": _is_problem,
        "task": _is_task,
        "method": lambda x: isinstance(x, Method),
        "metric": _is_metric,
        "quantity": lambda x: isinstance(x, Quantity),
        "figure": lambda x: isinstance(x, Figure),
        "backend": lambda x: isinstance(x, Backend),
        "command": lambda x: isinstance(x, Command),
        **{k: partial(_is_a, of) for k, of in COMPONENTS.items()},
        "claim": lambda x: isinstance(getattr(x, "name", None), str),
    }
    if not expected[kind](item):
        raise TypeError(f"pdebench_{PLURALS[kind]} returned {item!r}, which is not a {kind}")
    if kind == "problem":
        for task in item.tasks:
            both = set(item.Parameters.model_fields) & set(task.Parameters.model_fields)
            if both:
                raise TypeError(f"{item.name} and its task {task.name} both set {sorted(both)}")


def _is_a(kind: type, item: Any) -> bool:
    return isinstance(item, kind)


def _is_problem(item: Any) -> bool:
    from pdebench_lite.problem import Problem

    return isinstance(item, type) and issubclass(item, Problem)


def _is_task(item: Any) -> bool:
    from pdebench_lite.problem import Task

    return isinstance(item, type) and issubclass(item, Task)


def _is_metric(item: Any) -> bool:
    from pdebench_lite.metrics import Metric

    return isinstance(item, Metric)


def collect(
    modules: list[tuple[Plugin, Callable[[], ModuleType]]], kinds: tuple[str, ...] = KINDS
) -> Registry:
    """Load plugins one at a time and gather what they provide.

    Args:
        modules: pairs of a plugin's description and a function that imports its module.
        kinds: what to ask them for.
    """
    registry = Registry()
    if "task" in kinds:
        from pdebench_lite.tasks import CORE_TASKS

        for task in CORE_TASKS:
            registry._add("task", task, "pdebench_lite")
    if "metric" in kinds:
        from pdebench_lite.metrics import CORE_METRICS

        for metric in CORE_METRICS:
            registry._add("metric", metric, "pdebench_lite")
    for plugin, load in modules:
        registry.plugins.append(plugin)
        try:
            manager = pluggy.PluginManager(hooks.PROJECT)
            manager.add_hookspecs(hooks)
            with aside():
                manager.register(load(), plugin.name)
                manager.check_pending()
                items = {
                    kind: [
                        x for found in getattr(manager.hook, f"pdebench_{many}")() for x in found
                    ]
                    for kind, many in PLURALS.items()
                    if kind in kinds
                }
            for kind, found in items.items():
                for item in found:
                    _check(kind, item)
        except (Exception, SystemExit) as error:  # a stranger's plugin never takes us down
            plugin.error = _line(error)
            continue
        for kind, found in items.items():
            plugin.provides[kind] = [item.name for item in found]
            for item in found:
                registry._add(kind, item, plugin.owner)
    for plugin in registry.plugins:
        others = [p.module for p in registry.plugins if p.name == plugin.name and p is not plugin]
        if others and not plugin.error:
            plugin.error = f"{' and '.join(others)} is named '{plugin.name}' too; all were loaded"
    return registry


def _line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@lru_cache
def registry(kinds: tuple[str, ...] = KINDS) -> Registry:
    """Return the registry of everything installed; discovered once per process.

    Args:
        kinds: what is asked for; fewer kinds import fewer modules.
    """
    modules: list[tuple[Plugin, Callable[[], ModuleType]]] = [
        (Plugin(name.split(".")[1], name, "pdebench-lite"), partial(importlib.import_module, name))
        for name in OWN
    ]
    for point in _entry_points():
        distribution = point.dist
        plugin = Plugin(
            name=point.name,
            module=point.value,
            distribution=distribution.name if distribution else "",
            version=distribution.version if distribution else "",
        )
        modules.append((plugin, point.load))
    return collect(modules, kinds)
