"""Study files: grids, overrides, seeds and budgets; the line of every error; the schema."""

import itertools
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.runner.study import file as study_file
from pdebench_lite.runner.study import keys as study_keys
from pdebench_lite.runner.study import make_cells
from pdebench_lite.runner.study.file import study_of
from pdebench_lite.runner.study.keys import json_schema
from pdebench_lite.runner.study.yaml_source import parse, read
from pdebench_lite.store.cell import Budget, Cell

STUDIES = sorted((Path(__file__).parents[4] / "results" / "studies").glob("*.yaml"))


@pytest.fixture
def known(fakes: Path) -> Registry:
    """What is installed, the fakes included."""
    return registry()


def cells(known: Registry, text: str, **given: Any) -> list[Cell]:
    """The cells of a study."""
    keys = {key.replace("_", "-"): value for key, value in given.items()}
    return study_of(parse(text, "s.yaml"), keys).plan(known)[0]


def error(known: Registry, text: str, **given: Any) -> str:
    """The one line that a study is refused with."""
    with pytest.raises(PdebenchError) as caught:
        cells(known, text, **given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def titles(found: list[Cell]) -> list[str]:
    """What people call the cells."""
    return [cell.title for cell in found]


# ---- what is meant ---------------------------------------------------------------------------


def test_the_plain_form_is_what_the_command_line_says(known: Registry) -> None:
    text = """
problem: toy,toy:reconstruction[points=8]
methods: fake,twin[act=improving]
backend: numpy
max-steps: 5
target-error: 1e-2
seeds: 2
"""
    budget = Budget(max_steps=5, target_error=0.01)
    expected = make_cells(
        known, "toy,toy:reconstruction[points=8]", "fake,twin[act=improving]", ["numpy"],
        range(2), budget,
    )  # fmt: skip
    assert cells(known, text) == expected
    assert len(expected) == 8


def test_lists_and_mappings_are_other_ways_to_write_it(known: Registry) -> None:
    plain = cells(known, "problem: toy,toy[c=2]\nmethods: fake,twin[act=sleep]\n")
    for text in (
        "problem: [toy, 'toy[c=2]']\nmethods: [fake, 'twin[act=sleep]']\n",
        "problem:\n  - toy\n  - toy[c=2]\nmethods:\n  - fake\n  - twin: {act: sleep}\n",
        "problem:\n  toy:\n    c: [1, 2]\nmethods:\n  fake:\n  twin:\n    act: sleep\n",
    ):
        assert cells(known, text) == plain


def test_grids(known: Registry) -> None:
    text = """
problem:
  - toy:
      c: [1, 2]
methods:
  - fake[act=improving]:
      seconds: [0.5, 1e-1]
      megabytes: [1, 2]
  - twin
max-steps: [3, 4]
dtype: [float64, float32]
seed: [7]
"""
    found = cells(known, text)
    assert len(found) == 2 * (2 * 2 + 1) * 2 * 2
    assert {c.budget.max_steps for c in found} == {3, 4}
    assert {c.dtype for c in found} == {"float32", "float64"}
    assert {c.seed for c in found} == {7}
    labels = list(dict.fromkeys(c.label for c in found if c.method == "fake"))
    assert labels == [
        f"fake[act=improving,megabytes={m},seconds={s}]" for s, m in
        itertools.product((0.5, 0.1), (1, 2))
    ]  # fmt: skip


def test_a_list_that_is_one_value_stands_in_a_list(known: Registry) -> None:
    def grid(text: str) -> list[Any]:
        source = parse(f"problem: toy\nmethods:\n  - pinn:\n      layers: {text}\n", "s")
        (choice,) = study_of(source).file.methods
        return [selector.values["layers"] for selector in choice.selectors()]

    assert grid("[20, 40]") == [20, 40]
    assert grid("[[20, 40]]") == [[20, 40]]
    assert grid("[[20, 40], [30]]") == [[20, 40], [30]]
    assert grid("{a: 1}") == [{"a": 1}]


def test_overrides(known: Registry) -> None:
    text = """
problem: [toy, "toy[c=2]", "toy:reconstruction"]
methods: [fake, twin]
max-time: 30s
seeds: 2
overrides:
  toy:
    max-steps: 9
  toy[c=2]:
    seed: 5
    max-time: 1m
    settings:
      fake: {act: improving, seconds: [1, 2]}
  toy:reconstruction:
    methods: twin
    max-memory: 2GB
"""
    found = cells(known, text)
    assert titles(found) == [
        "toy · fake · numpy · seed 0", "toy · fake · numpy · seed 1",
        "toy · twin · numpy · seed 0", "toy · twin · numpy · seed 1",
        "toy[c=2.0] · fake[act=improving,seconds=1.0] · numpy · seed 5",
        "toy[c=2.0] · fake[act=improving,seconds=2.0] · numpy · seed 5",
        "toy[c=2.0] · twin · numpy · seed 5",
        "toy:reconstruction · twin · numpy · seed 0", "toy:reconstruction · twin · numpy · seed 1",
    ]  # fmt: skip
    assert all(c.budget.max_steps == 9 for c in found), "toy is every task of toy"
    assert [c.budget.max_time for c in found] == [30] * 4 + [60] * 3 + [30] * 2
    assert [c.budget.max_memory for c in found] == [None] * 7 + [2e9] * 2


def test_the_budget_defaults_to_a_minute(known: Registry) -> None:
    (cell,) = cells(known, "problem: toy\nmethods: fake\n")
    assert cell.budget == Budget(max_time=60.0)
    (cell,) = cells(known, "problem: toy\nmethods: fake\nmax-time:\n")
    assert cell.budget == Budget(max_time=60.0), "a key without a value is as if it were not there"


def test_identical_cells_are_merged(known: Registry) -> None:
    text = "problem: [toy, 'toy[c=1]']\nmethods: [fake, 'fake[act=exact]']\nseed: [0, 0]\n"
    assert len(cells(known, text)) == 1


def test_adding_something_changes_no_other_cell(known: Registry) -> None:
    few = cells(known, "problem: toy\nmethods: fake\nmax-steps: 3\n")
    many = cells(
        known,
        "problem: [toy:reconstruction, toy]\nmethods: [twin, fake: {seconds: [0, 1]}]\n"
        "max-steps: 3\nseeds: 4\noverrides: {toy:reconstruction: {seeds: 2}}\n",
    )
    assert few[0] in many


OPTIONS = "problem: toy\nmethods: [fake, twin]\nmax-time: 30s\nseeds: 3\n" + (
    "overrides:\n  toy:\n    max-time: 1m\n    seed: 8\n    settings: {fake: {seconds: 1}}\n"
)


def test_options_take_the_place_of_keys_everywhere(known: Registry) -> None:
    found = cells(known, OPTIONS, max_time="2s", seeds=1)
    assert [(c.seed, c.budget.max_time) for c in found] == [(0, 2.0)] * 2
    assert found[0].label == "fake[seconds=1.0]"
    found = cells(known, OPTIONS, seed=[3])
    assert {(c.seed, c.budget.max_time) for c in found} == {(3, 60.0)}


# ---- errors ----------------------------------------------------------------------------------

ERRORS = {
    "empty": ("", "s.yaml:1: no study; it begins with 'problem:' and 'methods:'"),
    "a list": ("- toy\n", "s.yaml:1: no study"),
    "missing": ("\nproblem: toy\n", "s.yaml:2: 'methods' is missing; write methods: NAME (see"),
    "misspelt": (
        "problem: toy\nmethod: fake\n",
        "s.yaml:2: unknown key 'method'; did you mean 'methods'?",
    ),
    "unknown key": (
        "problem: toy\nmetods: fake\nmethods: fake\n",
        "s.yaml:2: unknown key 'metods'; did you mean 'methods'? (known: backend, device, dtype, ",
    ),
    "underscore": (
        "problem: toy\nmethods: fake\nmax_time: 3s\n",
        "s.yaml:3: unknown key 'max_time'; did you mean 'max-time'?",
    ),
    "of the command": (
        "problem: toy\nmethods: fake\nresults: /tmp/x\n",
        "s.yaml:3: 'results' belongs to the command: pdebench run s.yaml --results",
    ),
    "unknown key below": (
        "problem: toy\nmethods: fake\noverrides:\n  toy:\n    device: cpu\n",
        "s.yaml:5: unknown key 'device' (known: backend, dtype, max-memory, ",
    ),
    "problem": ("problem:\n  - toy\n  - toi\nmethods: fake\n", "s.yaml:3: unknown problem 'toi'"),
    "task": (
        "problem: toy:x\nmethods: fake\n",
        "s.yaml:1: unknown task of problem toy: 'x'",
    ),
    "method": (
        "problem: toy\nmethods:\n  - fake\n  - fakr:\n      act: exact\n",
        "s.yaml:4: unknown method 'fakr'; did you mean 'fake'?",
    ),
    "setting": (
        "problem: toy\nmethods:\n  - fake:\n      seconds: 1\n      akt: [exact, sleep]\n",
        "s.yaml:5: unknown parameter of method fake: 'akt'; did you mean 'act'?",
    ),
    "value": (
        "problem:\n  toy:\n    c: [1, -1]\nmethods: fake\n",
        "s.yaml:3: problem toy:forward: c=-1: input should be greater than 0",
    ),
    "selector": (
        "problem: 'toy[c=1'\nmethods: fake\n",
        "s.yaml:1: problem: bracket not closed in 'toy[c=1'",
    ),
    "no selector": ("problem: [1]\nmethods: fake\n", "s.yaml:1: problem: 1 is not a selector"),
    "given twice": (
        "problem:\n  toy[c=1]:\n    c: 2\nmethods: fake\n",
        "s.yaml:3: problem: 'c' is given twice",
    ),
    "no settings": ("problem: {toy: 3}\nmethods: fake\n", "s.yaml:1: problem: 3 are not settings"),
    "empty grid": (
        "problem: toy\nmethods:\n  fake:\n    act: []\n",
        "s.yaml:4: methods: 'act' has no value",
    ),
    "empty list": ("problem: []\nmethods: fake\n", "s.yaml:1: problem: names nothing"),
    "time": (
        "problem: toy\nmethods: fake\nmax-time: [3s, soon]\n",
        "s.yaml:3: max-time: 'soon' is not a positive duration; write 30s, 2m or 1h",
    ),
    "steps": (
        "problem: toy\nmethods: fake\nmax-steps: 0\n",
        "s.yaml:3: max-steps: 0 is not a whole number from 1",
    ),
    "memory": (
        "problem: toy\nmethods: fake\nmax-memory: 4\n",
        "s.yaml:3: max-memory: '4' is not a positive size; write 500MB, 4GB or 2GiB",
    ),
    "target": (
        "problem: toy\nmethods: fake\ntarget-error: -1\n",
        "s.yaml:3: target-error: -1: input should be greater than 0",
    ),
    "infinite": ("problem: toy\nmethods: fake\ntarget-error: NaN\n", "s.yaml:3: target-error: nan"),
    "seeds": ("problem: toy\nmethods: fake\nseeds: true\n", "s.yaml:3: seeds: True: input should"),
    "seed": (
        "problem: toy\nmethods: fake\nseed: [1, -1]\n",
        "s.yaml:3: seed: -1 is not a whole number from 0",
    ),
    "both": (
        "problem: toy\nmethods: fake\nseed: 1\nseeds: 2\n",
        "s.yaml:3: give seeds or seed, not both",
    ),
    "dtype": (
        "problem: toy\nmethods: fake\ndtype: [float64, half]\n",
        "s.yaml:3: dtype: 'half': input should be 'float32' or 'float64'",
    ),
    "device": (
        "problem: toy\nmethods: fake\ndevice: gpu\n",
        "s.yaml:3: device: no device 'gpu'; write auto, cpu, cuda or cuda:N",
    ),
    "backend": (
        "problem: toy\nmethods: fake\nbackend: [numpy, nunpy]\n",
        "s.yaml:3: unknown backend 'nunpy'; did you mean 'numpy'?",
    ),
    "backend's name": ("problem: toy\nmethods: fake\nbackend: [3]\n", "s.yaml:3: backend: 3 is no"),
    "not installed": (
        "problem: toy\nmethods: haunted\n",
        "s.yaml:2: backend 'ghost' needs no-such",
    ),
    "override of nothing": (
        "problem: toy\nmethods: fake\noverrides:\n  toy[c=3]:\n    seeds: 2\n",
        "s.yaml:4: 'toy[c=3]' is none of the problems of this study",
    ),
    "override's selector": (
        "problem: toy\nmethods: fake\noverrides:\n  'toy[c':\n    seeds: 2\n",
        "s.yaml:4: 'toy[c' does not end with ']'",
    ),
    "override's method": (
        "problem: toy\nmethods: fake\noverrides:\n  toy:\n    settings:\n      twin: {act: x}\n",
        "s.yaml:6: unknown method 'twin' (known: fake)",
    ),
    "override's value": (
        "problem: toy\nmethods: fake\noverrides:\n  toy:\n    settings: {fake: {seconds: x}}\n",
        "s.yaml:2: method fake: seconds='x': input should be a valid number",
    ),
    "overrides": ("problem: toy\nmethods: fake\noverrides: [1]\n", "s.yaml:3: overrides: [1]:"),
}


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_are_one_line_with_file_and_line(known: Registry, kind: str) -> None:
    text, message = ERRORS[kind]
    assert error(known, text).startswith(message)


def test_an_option_is_not_blamed_on_the_file(known: Registry) -> None:
    text = "problem: toy\nmethods: fake\n"
    assert error(known, text, methods="fakr").startswith("unknown method 'fakr'")
    assert error(known, text, device="gpu").startswith("no device 'gpu'")
    assert error(known, text, dtype="half").startswith("dtype: 'half': input should be")


def test_grids_cannot_blow_up(known: Registry) -> None:
    grid = "[" + ", ".join(str(i) for i in range(1000)) + "]"
    for text in (
        f"problem: toy\nmethods:\n  fake:\n    seconds: {grid}\n    megabytes: {grid}\n",
        f"problem:\n  toy:\n    c: {grid}\n    d: {grid}\nmethods: fake\n",
        f"problem: toy\nmethods: fake\nmax-steps: {grid.replace('0,', '1,', 1)}\nseeds: 1000\n",
    ):
        assert error(known, text) == (
            "s.yaml: over 100000 cells; split the study into several files"
        )


# ---- schema ----------------------------------------------------------------------------------


def test_the_schema_is_sound_and_names_every_key() -> None:
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    keys = set(schema["properties"])
    assert keys == {"problem", "methods", "backend", "max-time", "max-steps", "target-error",
                    "max-memory", "seeds", "seed", "dtype", "device", "overrides"}  # fmt: skip
    assert schema["required"] == ["problem", "methods"]


def test_every_key_is_an_option_of_the_command() -> None:
    from pdebench_lite.cli import application, commands_for

    (run,) = [c for c in application(commands_for(["run"])).registered_commands if c.name == "run"]
    assert run.callback is not None
    options = {name.replace("_", "-") for name in run.callback.__annotations__}
    assert set(json_schema()["properties"]) - {"overrides"} <= options
    assert set(study_file._OF_THE_COMMAND) - {"json"} <= options


@pytest.mark.parametrize("kind", ERRORS)
def test_what_the_schema_lets_through_is_only_refused_for_names_and_values(kind: str) -> None:
    """The schema knows shapes; a file that it refuses is refused here too."""
    text, _ = ERRORS[kind]
    validator = jsonschema.Draft202012Validator(json_schema())
    if not validator.is_valid(yaml.safe_load(text)):
        with pytest.raises(PdebenchError):
            study_of(parse(text, "s.yaml"))


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_shipped_studies_are_sound(path: Path) -> None:
    source = read(path)
    jsonschema.validate(source.data, json_schema())
    found, devices = study_of(source, {"device": "cpu"}).plan(registry())
    assert found
    assert set(devices.values()) == {"cpu"}


def test_the_ranked_row_is_held_out() -> None:
    assert {path.stem for path in STUDIES} >= {"demo", "smoke", "burgers-random"}
    (path,) = [p for p in STUDIES if p.stem == "burgers-random"]
    found, _ = study_of(read(path), {"device": "cpu"}).plan(registry())
    assert {c.problem_params["instance"] for c in found} == {5, 6, 7, 8, 9}
    assert {(c.problem_params["ic"], c.problem_params["noise"]) for c in found} == {
        ("random", 0.01)
    }


# ---- any file --------------------------------------------------------------------------------

KEYS = [*json_schema()["properties"], "act", "c", "fake", "toy", "settings", "x"]
WORDS = st.sampled_from(
    ["toy", "toy[c=2]", "toy:reconstruction", "fake", "twin[act=sleep]", "numpy", "all", "30s",
     "4GB", "float32", "cpu", "", "[", "a,b", "\x1b[31m"]
)  # fmt: skip
ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 5) | st.floats() | WORDS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | WORDS, inner, max_size=3)
    ),
    max_leaves=10,
)
STUDY = st.fixed_dictionaries(
    {"problem": WORDS | ANY, "methods": WORDS | ANY},
    optional={key: ANY for key in KEYS if key not in ("problem", "methods")},
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(STUDY)
def test_any_study_is_planned_or_refused_in_one_line(known: Registry, data: Any) -> None:
    text = yaml.safe_dump(data, allow_unicode=False)
    try:
        found = cells(known, text)
    except PdebenchError as refusal:
        assert "\n" not in str(refusal)  # noqa: PT017
        assert str(refusal).startswith("s.yaml:")  # noqa: PT017
        return
    assert len({c.hash for c in found}) == len(found) > 0


GRID = st.dictionaries(
    st.sampled_from(["seconds", "error"]),
    st.lists(st.floats(0, 9, allow_nan=False), min_size=1, max_size=3, unique=True),
    max_size=2,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(GRID, st.integers(1, 3), st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True))
def test_a_grid_is_the_product_of_its_lists(
    known: Registry, grid: dict[str, list[float]], seeds: int, steps: list[int]
) -> None:
    data = {"problem": "toy", "methods": {"fake": grid}, "seeds": seeds, "max-steps": steps}
    found = cells(known, yaml.safe_dump(data))
    expected = {
        (tuple(zip(grid, point, strict=True)), seed, n)
        for point in itertools.product(*grid.values())
        for seed in range(seeds)
        for n in steps
    }
    assert {
        (tuple((k, c.config[k]) for k in grid), c.seed, c.budget.max_steps) for c in found
    } == expected
    assert len(found) == len(expected)


def test_the_limit_of_cells_is_what_seeds_may_be() -> None:
    assert json_schema()["properties"]["seeds"]["anyOf"][0]["maximum"] == study_keys.CELL_LIMIT
