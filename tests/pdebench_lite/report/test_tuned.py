"""What default settings were tuned on is said in lists, tables and conditions."""

from dataclasses import replace

import pytest

from pdebench_lite.analysis import Source, compare, wording
from pdebench_lite.registry.discovery import registry
from pdebench_lite.registry.method import Tuning
from pdebench_lite.report import catalogue
from pdebench_lite.report.comparison import render_comparison

TUNED = Tuning(("burgers:forward", "burgers[ic=random]"), 42, "instances 0–4")
WORDS = "42 trials on burgers:forward, burgers[ic=random] (instances 0–4)"


@pytest.fixture
def stated(monkeypatch):
    methods = registry().methods
    monkeypatch.setitem(methods, "pinn", replace(methods["pinn"], tuned=TUNED))
    monkeypatch.setitem(methods, "mlp", replace(methods["mlp"], tuned=None))


def test_words():
    assert str(TUNED) == WORDS
    assert str(Tuning(("burgers",), 3)) == "3 trials on burgers"
    assert str(Tuning(("burgers",), 1)) == "1 trial on burgers"


@pytest.mark.usefixtures("stated")
def test_lists_say_it():
    entries = {e["name"]: e["tuned"] for e in catalogue.methods(registry(), details=False)}
    assert (entries["pinn"], entries["mlp"]) == (WORDS, "")
    assert wording.tuning("pinn") == WORDS
    assert wording.tuning("not-installed-here") == ""


PARTS = (
    Tuning(("burgers", "burgers[ic=random]"), 3, "states 0–4"),
    Tuning(("burgers:forward",), 1, "the sine"),
    Tuning(("advection-density",), 5),
)


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        ("", "3 trials on burgers, burgers[ic=random] (states 0–4) and 1 trial on burgers:forward "
             "(the sine) and 5 trials on advection-density"),
        ("burgers[ic=random,noise=0.01]",
         "3 trials on burgers, burgers[ic=random] (states 0–4) and 6 on other tasks"),
        ("burgers:forward[nu=0.02]", "1 trial on burgers:forward (the sine) and 8 on other tasks"),
        ("burgers:viscosity",
         "9 trials on burgers, burgers[ic=random], burgers:forward, advection-density"),
    ],
)  # fmt: skip
def test_trials_on_other_tasks_are_only_counted(problem, words, monkeypatch):
    methods = registry().methods
    monkeypatch.setitem(methods, "pinn", replace(methods["pinn"], tuned=PARTS))
    assert wording.tuning("pinn", problem) == words
    entries = {e["name"]: e["tuned"] for e in catalogue.methods(registry(), details=False)}
    assert entries["pinn"] == wording.tuning("pinn")


@pytest.mark.usefixtures("stated")
def test_comparisons_say_it(store):
    text = render_comparison(compare([Source(store)]), "md", only=["final", "conditions"])
    plain = text.replace("\\", "")
    assert f"pinn: {WORDS}" in plain
    assert "mlp: not stated" in plain
    (head,) = [line for line in plain.splitlines() if "defaults tuned" in line]
    rows = [line for line in plain.splitlines() if WORDS in line and line.startswith("| pinn")]
    assert head
    assert rows


def test_what_many_methods_state_is_said_in_full(store, monkeypatch):
    methods = registry().methods
    for name in ("pinn", "diffphys"):
        tuning = Tuning(("burgers",), 42, name + " on instances " + ", ".join(map(str, range(90))))
        monkeypatch.setitem(methods, name, replace(methods[name], tuned=tuning))
    plain = render_comparison(compare([Source(store)]), "md", only=["final"]).replace("\\", "")
    (line,) = [line for line in plain.splitlines() if line.startswith("Default settings")]
    assert all(f"{name} on instances 0, 1" in line for name in ("pinn", "diffphys"))
    assert line.count("88, 89)") == 2
