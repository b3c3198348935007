"""Contract: a cell is stale when a file that it reaches by import changes, and never otherwise."""

import importlib
import itertools
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.runner import identity, sources
from pdebench_lite.runner.environment import environment
from pdebench_lite.runner.identity import fingerprint_of
from pdebench_lite.runner.sources import marks_of
from pdebench_lite.runner.states import state_of_record
from pdebench_lite.runner.study import make_cells
from pdebench_lite.store.cell import Budget, Cell
from pdebench_lite.store.marks import changed_marks
from pdebench_lite.store.records import Store

SECONDS = itertools.count(10**9)  # a new one for each test: it never comes again
PLUGIN = {
    "__init__.py": """
        from pdebench_lite import Method, hookimpl

        from pdebench_greenhouse.problem import Toy

        METHODS = [
            Method("rose", "other", "a", {"numpy": "pdebench_greenhouse.rose:solve"}),
            Method("lily", "other", "b", {"numpy": "pdebench_greenhouse.lily:solve"}),
        ]
        PROBLEMS = [Toy]


        @hookimpl
        def pdebench_problems():
            return PROBLEMS


        @hookimpl
        def pdebench_methods():
            return METHODS
        """,
    "problem.py": """
        from pdebench_lite.problem import Domain, Interval, Periodic, Problem, Reference
        from pdebench_lite.tasks import Forward


        class Toy(Problem):
            name, summary, fields, tasks = "greenhouse", "u", ("u",), (Forward,)

            @property
            def domain(self):
                units = {"x": "m", "t": "s"}
                return Domain(Interval(x=(0, 1)), (0, 1), Periodic("x"), units)

            def initial_state(self, points):
                return {"u": 0.0 * points["x"]}

            def reference(self):
                from pdebench_greenhouse import reference

                return Reference(reference.exact, 1e-15)
        """,
    "reference.py": "def exact(points):\n    return {'u': 0.0 * points['x']}\n",
    "shared.py": "SCALE = 1\n",
    "rose.py": "from .shared import SCALE\n\n\ndef solve(view, run): ...\n",
    "lily.py": "def solve(view, run):\n    from pdebench_greenhouse import shared\n",
    "figures.py": "from pdebench_greenhouse import rose\n",
}


def dedent(text: str) -> str:
    """Return a module's text with eight columns less, where it has them."""
    return "".join(line.removeprefix("        ") for line in text.lstrip("\n").splitlines(True))


@pytest.fixture
def tick(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that lets a second pass, after which files are looked at again."""
    now = [next(SECONDS)]
    for module in (sources, identity):
        monkeypatch.setattr(module, "monotonic", lambda: now[0])

    def advance() -> None:
        now[0] = next(SECONDS)
        importlib.invalidate_caches()

    return advance


@pytest.fixture
def package(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    distribution: Callable[..., None],
    tick: Callable[[], None],
) -> Iterator[Path]:
    """A plugin of one problem and two methods, installed with nothing else; its package."""
    site = tmp_path / "site-packages"
    distribution(site, "pdebench-greenhouse", {"greenhouse": "pdebench_greenhouse"}, {})
    folder = site / "pdebench_greenhouse"
    folder.mkdir()
    for name, text in PLUGIN.items():
        (folder / name).write_text(dedent(text))
    monkeypatch.syspath_prepend(str(site))
    tick()
    registry.cache_clear()
    sources._distributed_with.cache_clear()
    yield folder
    registry.cache_clear()
    sources._distributed_with.cache_clear()
    for name in [name for name in sys.modules if name.startswith("pdebench_greenhouse")]:
        del sys.modules[name]


def cells_of(known: Registry) -> dict[str, Cell]:
    """Return a cell of each method."""
    cells = make_cells(
        known, "greenhouse", "rose,lily", ["numpy"], (0,), Budget(max_steps=1), "float64",
        lambda name: "cpu",
    )  # fmt: skip
    return {cell.method: cell for cell in cells}


@pytest.mark.parametrize(
    ("file", "text", "stale"),
    [
        ("rose.py", PLUGIN["rose.py"] + "# edited\n", {"rose"}),
        ("lily.py", PLUGIN["lily.py"] + "# edited\n", {"lily"}),
        ("shared.py", "SCALE = 2\n", {"rose", "lily"}),
        ("problem.py", dedent(PLUGIN["problem.py"]) + "# edited\n", {"rose", "lily"}),
        ("reference.py", "def exact(points): ...\n", {"rose", "lily"}),
        ("figures.py", "import nothing\n", set()),
        ("tulip.py", "def solve(view, run): ...\n", set()),
        ("cli/report.py", "x = 1\n", set()),
    ],
)
def test_only_cells_that_reach_a_file_become_stale(
    package: Path, tick: Callable[[], None], file: str, text: str, stale: set[str]
) -> None:
    known = registry()
    cells = cells_of(known)
    before = {name: fingerprint_of(known, cell) for name, cell in cells.items()}
    (package / file).parent.mkdir(exist_ok=True)
    (package / file).write_text(text)
    tick()
    changed = {n: changed_marks(before[n], fingerprint_of(known, c)) for n, c in cells.items()}
    assert {name for name, said in changed.items() if said} == stale
    for name in stale:
        assert changed[name] == f"pdebench_greenhouse/{file} changed"


def test_a_method_that_is_added_to_a_plugin_makes_no_other_stale(
    package: Path, tick: Callable[[], None]
) -> None:
    """Its file, and its line in the list that the hook returns."""
    known = registry()
    before = {name: fingerprint_of(known, cell) for name, cell in cells_of(known).items()}
    (package / "tulip.py").write_text("def solve(view, run): ...\n")
    init = package / "__init__.py"
    more = '    Method("tulip", "other", "c", {"numpy": "pdebench_greenhouse.tulip:solve"}),\n]\nPR'
    init.write_text(init.read_text().replace("]\nPR", more))
    tick()
    assert "tulip" in init.read_text()
    now = {name: fingerprint_of(known, cell) for name, cell in cells_of(known).items()}
    assert now == before


def test_what_a_package_does_when_it_is_imported_counts(
    package: Path, tick: Callable[[], None]
) -> None:
    known = registry()
    before = {name: fingerprint_of(known, cell) for name, cell in cells_of(known).items()}
    init = package / "__init__.py"
    init.write_text(init.read_text() + "\nimport numpy\n\nnumpy.seterr(all='raise')\n")
    tick()
    now = {name: fingerprint_of(known, cell) for name, cell in cells_of(known).items()}
    for name in now:
        assert changed_marks(before[name], now[name]) == "pdebench_greenhouse/__init__.py changed"


# ---- ways to import --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reached"),
    [
        ("import own.part", {"part"}),
        ("import own.sub.deep as d", {"sub/__init__", "sub/deep"}),
        ("from own import part", {"part"}),
        ("from . import part", {"part"}),
        ("from .sub.deep import value", {"sub/__init__", "sub/deep"}),
        ("from .sub import *", {"sub/__init__", "sub/deep"}),
        ("def f():\n    def g():\n        from .part import value", {"part"}),
        ("class A:\n    from .part import value", {"part"}),
        ("try:\n    import own.part\nexcept ImportError:\n    pass", {"part"}),
        ("import importlib\nimportlib.import_module('own.part')", {"part"}),
        ("from importlib import import_module\nimport_module('.part', 'own')", {"part"}),
        ("import importlib\nimportlib.import_module(f'own.sub.{name}')",
         {"sub/__init__", "sub/deep"}),
        ("import importlib\nimportlib.import_module(name)", {"part", "sub/__init__", "sub/deep"}),
        ("exec(open('part.py').read())", {"part", "sub/__init__", "sub/deep"}),
        ("model.eval()", set()),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import own.part", set()),
        ("import numpy, json, own.absent, own", set()),
        ("from .... import beyond", set()),
        ("not python", set()),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["regular", "namespace", "zip"])
def test_ways_to_import(
    kind: str,
    text: str,
    reached: set[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    tick: Callable[[], None],
) -> None:
    files = {"root": text, "part": "value = 1", "sub/__init__": "", "sub/deep": "value = 1"}
    files |= {"__init__": ""} if kind != "namespace" else {}
    place = tmp_path / "place"
    for name, contents in files.items():
        path = place / f"own/{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(contents)
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "own.zip", "w") as archive:
            for path in place.rglob("*.py"):
                archive.write(path, path.relative_to(place))
        place = tmp_path / "own.zip"
    monkeypatch.syspath_prepend(str(place))
    tick()
    always = {"root"} | ({"__init__"} if kind != "namespace" else set())
    found = marks_of(["own.root:solve"])
    assert set(found) == {f"own/{name}.py" for name in always | reached}
    assert all(len(digest) == 12 for digest in found.values())
    assert "own" not in sys.modules


def test_a_file_of_ones_own_and_its_neighbours_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tick: Callable[[], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_file.py").write_text("import own_layers\nimport numpy\n")
    (tmp_path / "own_layers.py").write_text("value = 1\n")
    (tmp_path / "another.py").touch()
    before = marks_of(["own_file:Net"])
    assert set(before) == {"own_file.py", "own_layers.py"}
    (tmp_path / "own_layers.py").write_text("value = 20\n")
    tick()
    assert marks_of(["own_file:Net"])["own_layers.py"] != before["own_layers.py"]
    assert marks_of(["absent_file:Net"]) == {}


def test_what_was_installed_beside_a_plugin_is_a_library(
    package: Path, tick: Callable[[], None]
) -> None:
    """Its version counts, if the method asks for that; its thousand files are not read."""
    (package.parent / "beside").mkdir()
    (package.parent / "beside" / "__init__.py").write_text("value = 1\n")
    (package / "rose.py").write_text("import beside\n")
    tick()
    assert set(marks_of(["pdebench_greenhouse.rose"])) == {
        "pdebench_greenhouse/__init__.py", "pdebench_greenhouse/rose.py"
    }  # fmt: skip


def test_sources_that_are_edited_while_we_run_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tick: Callable[[], None]
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    source = tmp_path / "edited_package" / "__init__.py"
    source.parent.mkdir()
    (source.parent / ".#__init__.py").symlink_to("somebody@elsewhere.1234")  # an editor's lock
    marks = []
    for text in ("x = 1\n", "x = 20\n", "x = 1\n"):
        source.write_text(text)
        tick()
        marks.append(marks_of(["edited_package"])["edited_package/__init__.py"])
    assert marks[0] == marks[2] != marks[1], "contents count, not times"


def test_of_the_core_only_what_computes_counts() -> None:
    found = marks_of([sources.CHILD])
    for part in ("problem/view", "runner/child", "metrics/errors", "tasks/field", "measure/clock"):
        assert f"pdebench_lite/{part}.py" in found
    apart = ("report", "cli", "analysis", "registry", "store/records", "runner/execute", "version")
    begin = tuple(f"pdebench_lite/{part}" for part in apart)
    assert not [name for name in found if name.startswith(begin)]


def test_a_problem_reaches_no_other_problem() -> None:
    found = marks_of(["pdebench_problems.regression"])
    assert "pdebench_problems/regression.py" in found
    assert "pdebench_problems/burgers.py" not in found


# ---- records of earlier versions -------------------------------------------------------------


def test_a_shipped_record_is_stale_in_one_short_line() -> None:
    environment.cache_clear()
    results = Path(__file__).parents[3] / "results" / "reference"
    record = next(r for r in Store(results).load().records if r.method == "mlp")
    state = state_of_record(record, record.identity, registry())
    assert state.kind == "stale"
    assert "pdebench_methods" in state.note
    assert state.note.endswith("marked as a whole, by an earlier version")
