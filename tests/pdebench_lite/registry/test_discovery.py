"""Discovery: a bad plugin is a line, never the end of the program."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.metrics import CORE_METRICS
from pdebench_lite.registry import discovery as plugins
from pdebench_lite.registry.discovery import Plugin, Registry, collect, registry
from pdebench_lite.registry.method import Backend, Method

HEAD = """
from pdebench_lite import hookimpl
from pdebench_lite.registry.method import Backend, Method
from pdebench_lite.problem import Problem, Task
from pdebench_lite.selectors import Settings
"""


def load(**sources: str) -> Registry:
    """Collect modules made of source texts; plugins are named by what stands before the `_`."""

    def importer(name: str, source: str) -> Callable[[], ModuleType]:
        def run() -> ModuleType:
            module = ModuleType(name)
            exec(HEAD + source, module.__dict__)
            return module

        return run

    return collect(
        [(Plugin(k.partition("_")[0], f"mod_{k}"), importer(k, v)) for k, v in sources.items()]
    )


def method(name: str, backend: str = "numpy") -> str:
    """Source of a plugin with one method."""
    return (
        "@hookimpl\ndef pdebench_methods():\n"
        f"    return [Method('{name}', 'other', 'x', {{'{backend}': 'a:b'}})]\n"
    )


BAD = {
    "raise RuntimeError('two\\nlines')": "RuntimeError: two lines",
    "import no_such_module": "ModuleNotFoundError: No module named 'no_such_module'",
    "def f(:": "SyntaxError: ",
    "raise SystemExit(3)": "SystemExit: 3",
    "assert False": "AssertionError",
    "@hookimpl\ndef pdebench_method(): return []": "PluginValidationError: unknown hook",
    "@hookimpl\ndef pdebench_methods(x): return []": "PluginValidationError: ",
    "@hookimpl\ndef pdebench_methods(): return [3]": "returned 3, which is not a method",
    "@hookimpl\ndef pdebench_methods(): return 3": "TypeError: ",
    "@hookimpl\ndef pdebench_problems(): return [Problem(1)]": "TypeError: ",
    "@hookimpl\ndef pdebench_problems(): return [int]": "which is not a problem",
    "@hookimpl\ndef pdebench_metrics(): 1 / 0": "ZeroDivisionError: division by zero",
    """
class T(Task):
    name = "t"
    class Parameters(Settings):
        nu: float = 1.0
class P(Problem):
    name, tasks, Parameters = "p", (T,), T.Parameters
@hookimpl
def pdebench_problems(): return [P]
""": "p and its task t both set ['nu']",
}


@pytest.mark.parametrize("source", BAD)
def test_a_bad_plugin_is_a_line(source: str) -> None:
    known = load(bad=source, good=method("fine"))
    bad, good = known.plugins
    assert BAD[source] in bad.error
    assert "\n" not in bad.error
    assert bad.provides == {}
    assert good.error == ""
    assert known.method("fine").name == "fine"
    with pytest.raises(PdebenchError) as caught:
        known.method("fone")
    assert "did you mean 'fine'?" in str(caught.value)
    assert f"plugin bad failed to load: {bad.error}" in str(caught.value)


def test_a_plugin_without_hooks_is_no_error() -> None:
    (plugin,) = load(empty="").plugins
    assert plugin.error == ""


def test_a_clash_of_names_names_both() -> None:
    known = load(one=method("same"), two=method("same"), three=method("other"))
    with pytest.raises(PdebenchError) as caught:
        known.method("same")
    assert str(caught.value) == (
        "method 'same' is provided by plugin one (mod_one) and plugin two (mod_two); "
        "uninstall one of them"
    )
    assert known.method("other").name == "other"


def test_a_clash_with_the_core() -> None:
    source = "from pdebench_lite import Metric\n@hookimpl\ndef pdebench_metrics():\n"
    known = load(one=source + "    return [Metric('linf', 'x', lambda e: 0.0)]")
    with pytest.raises(PdebenchError, match=r"'linf' is provided by pdebench_lite and plugin one"):
        known.metric("linf")
    assert known.metric("mae") is next(m for m in CORE_METRICS if m.name == "mae")


def test_two_plugins_of_one_name_are_both_loaded_and_named() -> None:
    known = load(same_1=method("a"), same_2=method("b"))
    assert [p.error for p in known.plugins] == [
        "mod_same_2 is named 'same' too; all were loaded",
        "mod_same_1 is named 'same' too; all were loaded",
    ]
    assert {"a", "b"} <= set(known.methods)


def test_a_problem_whose_making_fails_is_one_line() -> None:
    known = load(
        bad="""
class T(Task):
    name, ranked, reference_bound = "t", (), 0.0
    faces = frozenset()
    def evaluate(self, *args): ...
class P(Problem):
    name, tasks, domain = "p", (T,), None
    def __init__(self, parameters): raise KeyError("a\\nb")
    def reference(self): ...
@hookimpl
def pdebench_problems(): return [P]
"""
    )
    with pytest.raises(PdebenchError, match=r"^problem p:t: KeyError: "):
        known.task("p")


@pytest.mark.parametrize("made", ["raise KeyError('a\\nb')", "pass"])
def test_a_problem_without_tasks_is_one_line(made: str) -> None:
    known = load(
        bad=f"""
class P(Problem):
    name, domain = "p", None
    def __init__(self, parameters): {made}
@hookimpl
def pdebench_problems(): return [P]
"""
    )
    with pytest.raises(PdebenchError, match=r"^no task applies to problem p.*; give it one of its"):
        known.task("p")


def test_backends() -> None:
    known = Registry()
    for name, needs in (("here", ("pydantic", "pytest-timeout")), ("gone", ("no-such-library",))):
        known._add("backend", Backend(name, needs, name, ""), "me")
    assert known.installed_backends() == ["here"]
    assert known.missing("gone") == ["no-such-library"]


# ---- what is really installed ----------------------------------------------------------------


def test_built_ins_come_in_by_the_same_door() -> None:
    registry.cache_clear()
    known = registry()
    names = {p.name: p for p in known.plugins if p.distribution == "pdebench-lite"}
    assert {"methods", "torch", "jax", "classical", "problems"} <= set(names)
    assert [p.error for p in names.values()] == [""] * len(names)
    assert {"burgers", "advection-density"} <= set(known.problems)
    assert {"mlp", "pinn", "diffphys", "etdrk4"} <= set(known.methods)
    ours, *others = (p.name for p in known.plugins)
    assert ours == "report", "what is ours comes first, so that a stranger's column comes last"
    assert others == sorted(others)


def test_a_strangers_plugin_is_found(fakes: Path) -> None:
    known = registry()
    (mine,) = [p for p in known.plugins if p.name == "fakes"]
    assert (mine.distribution, mine.version, mine.error) == ("pdebench-fakes", "1.2", "")
    assert mine.provides["problem"] == ["toy"]
    task = known.task("toy")
    names = [m.name for m in known.metrics_for(task)]
    assert names[0] == "rel_l2"
    assert names[-1] == "spread", "others that apply come last, by name"
    assert {m.name for m in CORE_METRICS if m.applies(task)} <= set(names)
    assert {"linf", "mae", "rel_h1"} <= set(names)


def test_configured(fakes: Path) -> None:
    known = registry()
    method, config = known.configured("fake[act=sleep,seconds=1]")
    assert isinstance(method, Method)
    values: Any = config
    assert (values.act, values.seconds) == ("sleep", 1.0)


def test_a_missing_backend_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    known = plugins.registry()
    assert known.remedy("numpy") == ""
    monkeypatch.setattr(plugins, "_installed", lambda name: name != "torch")
    assert 'type: pip install "pdebench-lite[torch]"' in known.remedy("torch")
    assert known.remedy("jax") == ""


@pytest.mark.parametrize(
    ("name", "reason"),
    [("absent:Settings", "ModuleNotFoundError"), ("json:Absent", "AttributeError"), ("", "ValueE")],
)
def test_settings_that_cannot_be_imported_are_one_line(name: str, reason: str) -> None:
    known = load(a=method("late").replace("'a:b'}", f"'a:b'}}, Config='{name}'"))
    with pytest.raises(PdebenchError, match=rf"method late: Config='{name}' .*{reason}"):
        known.configured("late")


def test_settings_may_be_named_and_are_imported_when_read() -> None:
    known = load(a=method("late").replace("'a:b'}", "'a:b'}, Config='json:JSONDecoder'"))
    assert known.methods["late"].Config.__name__ == "JSONDecoder"
