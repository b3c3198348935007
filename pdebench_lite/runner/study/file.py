"""Study files: the keys of `pdebench run` in YAML, with grids and overrides per problem."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pydantic import ValidationError

from pdebench_lite.data_files import DataFile, each, nameless
from pdebench_lite.errors import PdebenchError, unknown_name
from pdebench_lite.problem import Task
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.device import devices_for
from pdebench_lite.runner.study.cells import cross, merged
from pdebench_lite.runner.study.keys import CELL_LIMIT, Choice, Grid, Keys, Override, StudyFile
from pdebench_lite.runner.study.yaml_source import Place, Source, read
from pdebench_lite.selectors import Selector, parse_selector
from pdebench_lite.store.cell import Budget, Cell

P = ParamSpec("P")
T = TypeVar("T")
_OF_THE_COMMAND = ("results", "rerun", "jobs", "quiet", "json", "dry-run")


@dataclass(frozen=True)
class Study:
    """A study file that was read: what it says, and on which lines."""

    file: StudyFile
    source: Source

    def plan(self, known: Registry) -> tuple[list[Cell], dict[str, str]]:
        """Return the cells of the study and the device of each backend.

        Raises:
            PdebenchError: something that the file names does not exist or is not installed, an
                override applies to nothing, or there are too many cells.
        """
        self._count(choice.size for choice in self.file.problem)
        legs = [
            _Leg.of(self, known, choice, selector)
            for choice in self.file.problem
            for selector in choice.selectors()
        ]
        self._check_overrides(legs)
        self._count(leg.size for leg in legs)
        named = sorted({name for leg in legs for name in leg.backends} - {"all"})
        devices = self.check(("device",), devices_for, known, self.file.device, named)
        return merged(cell for leg in legs for cell in leg.cells(known, devices)), devices

    def check(self, place: Place, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function; an error names the line of a place in the file."""
        try:
            return call(*args, **kwargs)
        except PdebenchError as error:
            raise self.source.error(self._within(place, str(error)), str(error)) from None

    def _within(self, place: Place, message: str) -> Place:
        """Return the place of the setting that a message speaks of, if it stands below."""
        below = [p for p in self.source.lines if p[:-1] == place and p != place]
        named = [p for p in below if f"'{p[-1]}'" in message or f" {p[-1]}=" in message]
        return named[0] if named else place

    def applies(self, key: str, task: Task) -> bool:
        """Say whether an override applies to a task: name, task and values, those it names."""
        selector = self.check(("overrides", key), parse_selector, key)
        settings = task.settings
        return (
            selector.name == task.problem.name
            and selector.task in ("", task.name)
            and all(k in settings and _means(settings[k], v) for k, v in selector.values.items())
        )

    def _count(self, sizes: Iterable[int]) -> None:
        if sum(sizes) > CELL_LIMIT:
            raise PdebenchError(
                f"{self.source.name}: over {CELL_LIMIT} cells; split the study into several files"
            )

    def _check_overrides(self, legs: "list[_Leg]") -> None:
        for key, override in self.file.overrides.items():
            mine = [leg for leg in legs if key in leg.overrides]
            if not mine:
                message = f"'{key}' is none of the problems of this study"
                raise self.source.error(("overrides", key), message)
            methods = {choice.selector.name for leg in mine for choice, _ in leg.methods}
            for name in override.settings:
                if name not in methods:
                    place = ("overrides", key, "settings", name)
                    raise self.source.error(place, str(unknown_name("method", name, methods)))


def _means(setting: Any, value: Any) -> bool:
    """Say whether a value that was typed is that of a setting, for a data file by its contents."""
    if not any(each(setting)):
        return bool(setting == value)
    try:
        return bool(nameless(setting) == DataFile.of(value).digest)
    except ValueError:
        return False


@dataclass(frozen=True)
class _Leg:
    """The part of a study that belongs to one task, overrides applied.

    Attributes:
        overrides: keys of the overrides that apply.
        methods: entries, and where each stands in the file.
    """

    study: Study
    task: Task
    overrides: tuple[str, ...]
    methods: list[tuple[Choice, Place]]
    budgets: list[Budget]
    backends: tuple[str, ...]
    seeds: tuple[int, ...]
    dtypes: tuple[Any, ...]

    @classmethod
    def of(cls, study: Study, known: Registry, choice: Choice, selector: Selector) -> "_Leg":
        """Make the leg of one selector."""
        file = study.file
        task = study.check(("problem", *choice.place), known.task, selector)
        applying = [key for key in file.overrides if study.applies(key, task)]
        layers: list[Keys] = [file, *(file.overrides[k] for k in applying)]

        def last(*names: str) -> Any:
            """Return what the last layer that says it says."""
            said = [getattr(layer, name) for layer in layers for name in names]
            return next((value for value in reversed(said) if value is not None), None)

        grids: dict[str, Grid] = {}
        methods = [(c, ("methods", *c.place)) for c in file.methods]
        for key in applying:
            override = file.overrides[key]
            if override.methods is not None:
                methods = [(c, ("overrides", key, "methods", *c.place)) for c in override.methods]
            for name, grid in override.settings.items():
                grids[name] = {**grids.get(name, {}), **grid}
        seeds, backends = last("seed", "seeds"), last("backend") or ()
        for name in backends:
            if name != "all":
                study.check(("backend",), known.backend, name)
        return cls(
            study,
            task,
            tuple(applying),
            [(c.changed(grids.get(c.selector.name, {})), place) for c, place in methods],
            [
                Budget(
                    max_time=seconds,
                    max_steps=steps,
                    target_error=last("target_error"),
                    max_memory=last("max_memory"),
                )
                for seconds in last("max_time") or (None,)
                for steps in last("max_steps") or (None,)
            ],
            backends,
            tuple(range(seeds)) if isinstance(seeds, int) else seeds or (0,),
            last("dtype") or ("float64",),
        )

    @property
    def size(self) -> int:
        """Number of cells per backend."""
        configured = sum(choice.size for choice, _ in self.methods)
        return configured * len(self.budgets) * len(self.seeds) * len(self.dtypes)

    def cells(self, known: Registry, devices: Mapping[str, str]) -> list[Cell]:
        """Return the cells of the leg; errors name the line of the method's entry."""
        kinds = {name: device.partition(":")[0] for name, device in devices.items()}
        cells: list[Cell] = []
        for choice, place in self.methods:
            for selector, budget, dtype in product(choice.selectors(), self.budgets, self.dtypes):
                chosen = [self.study.check(place, known.configured, selector)]
                cells += self.study.check(
                    place, cross, known, [self.task], chosen, self.backends, self.seeds, budget,
                    dtype, kinds.__getitem__,
                )  # fmt: skip
        return cells


def load_study(path: Path, given: Mapping[str, Any] | None = None) -> Study:
    """Read a study file.

    Args:
        path: the file.
        given: keys of the command line, which take the place of those of the file, everywhere.

    Raises:
        PdebenchError: it cannot be read or is not a study; one line that names file and line.
    """
    return study_of(read(path), given)


def study_of(source: Source, given: Mapping[str, Any] | None = None) -> Study:
    """Check what was read; see `load_study`."""
    data = source.data
    if not isinstance(data, dict):
        raise source.error((), "no study; it begins with 'problem:' and 'methods:'")
    if given:
        data = _replaced(data, given)
        source = replace(source, given=frozenset(given))
    try:
        return Study(StudyFile.model_validate(data), source)
    except ValidationError as error:
        # A misspelt key leaves its own missing: the misspelling is what to say.
        found = sorted(error.errors(), key=lambda one: one["type"] == "missing")
        raise _located(source, found[0]) from None


def _replaced(data: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the data with keys of the command line in place of their own."""
    gone = {*given, *({"seed", "seeds"} if {"seed", "seeds"} & {*given} else ())}
    kept = {key: value for key, value in data.items() if key not in gone}
    overrides = data.get("overrides")
    if isinstance(overrides, dict):
        kept["overrides"] = {
            name: {k: v for k, v in override.items() if k not in gone}
            if isinstance(override, dict)
            else override
            for name, override in overrides.items()
        }
    return {**kept, **given}


def _located(source: Source, error: Mapping[str, Any]) -> PdebenchError:
    """Return one error of pydantic as a line that says where in the file it is."""
    place = tuple(error["loc"])
    key = next((part for part in reversed(place) if isinstance(part, str)), "")
    if error["type"] == "extra_forbidden":
        if key in _OF_THE_COMMAND:
            message = f"'{key}' belongs to the command: pdebench run {source.name} --{key}"
        else:
            model = Override if place[0] == "overrides" else StudyFile
            keys = [field.alias or name for name, field in model.model_fields.items()]
            message = str(unknown_name("key", key, keys))
        return source.error(place, message)
    if error["type"] == "missing":
        listed = f"pdebench list {key.removesuffix('s')}s"
        return source.error(place[:-1], f"'{key}' is missing; write {key}: NAME (see: {listed})")
    if error["type"] == "study":
        prefix = "" if not place or place[0] in source.given else f"{key}: "
        return source.error((*place, *error["ctx"]["place"]), prefix + error["msg"])
    message = error["msg"][0].lower() + error["msg"][1:]
    return source.error(place, f"{key}: {error['input']!r}: {message}")
