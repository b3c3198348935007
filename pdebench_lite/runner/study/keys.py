"""What a study file may say: its keys, their types, and their JSON Schema."""

import itertools
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, Self, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pdebench_lite.errors import PdebenchError
from pdebench_lite.runner.device import DEVICE_PATTERN
from pdebench_lite.runner.study import parse_duration, parse_size
from pdebench_lite.runner.study.yaml_source import Place
from pdebench_lite.selectors import Selector, parse_selector, parse_selectors
from pdebench_lite.store.cell import Dtype

CELL_LIMIT = 100_000
Grid: TypeAlias = dict[str, list[Any]]


@dataclass(frozen=True)
class Choice:
    """One entry of `problem` or `methods`: a selector, and values to try for some settings.

    Attributes:
        selector: name, task and fixed values.
        grid: setting -> values; every combination is meant.
        place: where the entry stands below its key.
    """

    selector: Selector
    grid: Grid
    place: Place = ()

    @property
    def size(self) -> int:
        """Number of selectors that this entry stands for."""
        return math.prod(len(values) for values in self.grid.values())

    def selectors(self) -> Iterator[Selector]:
        """Yield a selector for each point of the grid, the last setting varying fastest."""
        for point in itertools.product(*self.grid.values()):
            values = {**self.selector.values, **dict(zip(self.grid, point, strict=True))}
            yield Selector(self.selector.name, self.selector.task, values)

    def changed(self, grid: Grid) -> "Choice":
        """Return the entry with other values for some settings."""
        kept = {k: v for k, v in self.selector.values.items() if k not in grid}
        selector = Selector(self.selector.name, self.selector.task, kept)
        return Choice(selector, {**self.grid, **grid}, self.place)


# ---- what stands in a file -> what is meant ---------------------------------------------------


def _fail(message: str, place: Place = ()) -> NoReturn:
    raise PydanticCustomError("study", "{message}", {"message": message, "place": place})


def _several(value: Any) -> list[Any]:
    values = value if isinstance(value, list) else [value]
    if not values:
        _fail("an empty list means nothing; leave the key out")
    return values


def _grid(value: Any, place: Place = ()) -> Grid:
    if value is None:
        return {}
    if not isinstance(value, dict):
        _fail(f"{value!r} are not settings; write them as 'key: value' lines", place)
    grid = {k: v if isinstance(v, list) else [v] for k, v in value.items()}
    for key, values in grid.items():
        if not values:
            _fail(f"'{key}' has no value", (*place, key))
    return grid


def _choices(value: Any) -> list[Choice]:
    """Read selectors: a text, a list of texts and mappings, or a mapping selector -> settings."""
    if isinstance(value, list):
        choices = [c for i, entry in enumerate(value) for c in _entry(entry, (i,))]
    else:
        choices = _entry(value, ())
    if not choices:
        _fail("names nothing; write name[key=value,…]")
    return choices


def _entry(entry: Any, place: Place) -> list[Choice]:
    if not isinstance(entry, str | dict):
        _fail(f"{entry!r} is not a selector; write name[key=value,…]", place)
    try:
        if isinstance(entry, str):
            return [Choice(selector, {}, place) for selector in parse_selectors(entry)]
        choices = []
        for text, settings in entry.items():
            here = (*place, text)
            choice = Choice(parse_selector(text), _grid(settings, here), here)
            for key in choice.grid:
                if key in choice.selector.values:
                    _fail(f"'{key}' is given twice", (*here, key))
            choices.append(choice)
        return choices
    except PdebenchError as error:
        _fail(str(error), place)


def _settings(value: Any) -> dict[str, Grid]:
    if not isinstance(value, dict):
        _fail(f"{value!r} are not settings; write 'method:' and its settings below")
    return {name: _grid(settings, (name,)) for name, settings in value.items()}


def _durations(value: Any) -> tuple[float, ...]:
    return tuple(_quantity(v, parse_duration) for v in _several(value))


def _quantity(value: Any, parse: Callable[[str], float]) -> float:
    try:
        return parse(f"{value:.20f}".rstrip("0") if isinstance(value, float) else str(value))
    except PdebenchError as error:
        _fail(str(error))


def _size(value: Any) -> float:
    return _quantity(value, parse_size)


def _whole_numbers(least: int) -> Any:
    def convert(value: Any) -> tuple[int, ...]:
        for number in _several(value):
            if not isinstance(number, int) or isinstance(number, bool) or number < least:
                _fail(f"{number!r} is not a whole number from {least}")
        return tuple(_several(value))

    return convert


def _names(value: Any) -> tuple[str, ...]:
    for name in _several(value):
        if not isinstance(name, str):
            _fail(f"{name!r} is not a name")
    names = [part.strip() for name in _several(value) for part in name.split(",")]
    if not all(names):
        _fail("a name is empty")
    return tuple(names)


def _device(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(DEVICE_PATTERN, value):
        _fail(f"no device '{value}'; write auto, cpu, cuda or cuda:N")
    return value


def _one_or_more(schema: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [schema, {"type": "array", "items": schema, "minItems": 1}]})


_SETTINGS_SCHEMA: dict[str, Any] = {
    "type": ["object", "null"],
    "description": "a list is a grid; a list that is one value stands in a list: [[20, 20]]",
}
_BY_SELECTOR = {"type": "object", "minProperties": 1, "additionalProperties": _SETTINGS_SCHEMA}
_TIME = {"type": ["string", "number"], "examples": ["30s", "2m", "1h"]}
_NAME = {"type": "string"}
Choices: TypeAlias = Annotated[
    list[Choice],
    BeforeValidator(_choices),
    WithJsonSchema(
        {
            "anyOf": [
                _NAME,
                _BY_SELECTOR,
                {"type": "array", "items": {"anyOf": [_NAME, _BY_SELECTOR]}, "minItems": 1},
            ]
        }
    ),
]
Durations: TypeAlias = Annotated[
    tuple[float, ...], BeforeValidator(_durations), _one_or_more(_TIME)
]
Size: TypeAlias = Annotated[
    float, BeforeValidator(_size), WithJsonSchema({"type": "string", "examples": ["500MB", "4GB"]})
]
Steps: TypeAlias = Annotated[
    tuple[int, ...],
    BeforeValidator(_whole_numbers(1)),
    _one_or_more({"type": "integer", "minimum": 1}),
]
Seeds: TypeAlias = Annotated[
    tuple[int, ...],
    BeforeValidator(_whole_numbers(0)),
    _one_or_more({"type": "integer", "minimum": 0}),
]
Names: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(_names), _one_or_more(_NAME)]
Dtypes: TypeAlias = Annotated[
    tuple[Dtype, ...],
    BeforeValidator(lambda value: tuple(_several(value))),
    _one_or_more({"enum": ["float32", "float64"]}),
]


Device: TypeAlias = Annotated[
    str,
    BeforeValidator(_device),
    WithJsonSchema({"type": "string", "pattern": DEVICE_PATTERN, "default": "auto"}),
]


class Keys(BaseModel):
    """What a study says for all its problems and may say otherwise for one."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        arbitrary_types_allowed=True,
        alias_generator=lambda name: name.replace("_", "-"),
    )

    backend: Names | None = Field(None, description="torch, jax, numpy, or all (the default)")
    max_time: Durations | None = Field(None, description="charged time of a cell; a list is a grid")
    max_steps: Steps | None = Field(None, description="optimiser steps; a list is a grid")
    target_error: float | None = Field(None, gt=0, description="stop at this headline error")
    max_memory: Size | None = Field(None, description="memory of a cell")
    seeds: int | None = Field(None, ge=1, le=CELL_LIMIT, strict=True, description="seeds 0 … N-1")
    seed: Seeds | None = Field(None, description="these seeds, instead of `seeds`")
    dtype: Dtypes | None = Field(None, description="float64 by default; a list is a grid")

    @model_validator(mode="after")
    def _one_way_to_name_seeds(self) -> Self:
        if self.seeds is not None and self.seed is not None:
            _fail("give seeds or seed, not both", ("seed",))
        return self


class Override(Keys):
    """What is different for one problem."""

    methods: Choices | None = Field(None, description="these methods instead")
    settings: Annotated[
        dict[str, Grid],
        BeforeValidator(_settings),
        WithJsonSchema({"type": "object", "additionalProperties": _SETTINGS_SCHEMA}),
    ] = Field(default_factory=dict, description="method -> settings that replace its own")


class StudyFile(Keys):
    """A study of pdebench-lite: problems × methods × backends × seeds, and their budgets."""

    problem: Choices = Field(description="problems: name[:task][key=value,…]")
    methods: Choices = Field(description="methods: name[key=value,…]")
    device: Device = Field("auto", description="auto, cpu, cuda or cuda:N")
    overrides: dict[str, Override] = Field(
        default_factory=dict,
        description="selector of a problem (without a task: of all its tasks) -> what differs",
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of study files."""
    schema = StudyFile.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
