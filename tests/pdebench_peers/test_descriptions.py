"""What holds without any of the libraries: descriptions, refusals in one line, recipes."""

import importlib.metadata
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_lite.testing import MethodDescriptionContract
from pdebench_methods.pinn import PinnSettings
from pdebench_peers._statement import Statement
from pdebench_peers.settings import Recipe

PEERS = ("deepxde", "jinns", "pina", "phiflow")
HARD = Recipe(hidden=(4,), points=10, hard=True, alpha0=100.0)
SOFT = Recipe(hidden=(4,), points=10)


class TestDeepxde(MethodDescriptionContract):
    selector = "deepxde"


class TestJinns(MethodDescriptionContract):
    selector = "jinns"


class TestPina(MethodDescriptionContract):
    selector = "pina"


class TestPhiflow(MethodDescriptionContract):
    selector = "phiflow"


def absent(distribution):
    raise importlib.metadata.PackageNotFoundError(distribution)


@pytest.mark.parametrize("peer", PEERS)
def test_a_peer_that_is_not_installed_says_what_to_type(peer, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", absent)
    method, config = registry().configured(peer)
    answer = method.supports(registry().task("burgers:forward"), config)
    assert not answer.ok
    assert answer.reason.lower().startswith(f"{peer} needs ")
    assert 'pip install "pdebench-lite[peers]"' in answer.reason
    assert "\n" not in answer.reason


def test_listing_imports_no_peer():
    script = (
        "import sys, pdebench_peers; pdebench_peers.pdebench_methods();"
        "print([m for m in ('deepxde', 'jinns', 'pina', 'phi', 'torch', 'jax', 'lightning')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    ("peer", "problem", "reason"),
    [
        ("deepxde", "advection-density", "seeks a function, u;"),
        ("jinns", "advection-density", "seeks a function, u;"),
        ("pina", "advection-density", "seeks a function, u;"),
        ("phiflow", "advection-density", "Burgers' step"),
        ("phiflow", "burgers:forward", "seeks no initial state"),
    ],
)
def test_tasks_that_a_peer_refuses(peer, problem, reason, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda distribution: "1")
    method, config = registry().configured(peer)
    answer = method.supports(registry().task(problem), config)
    assert not answer.ok
    assert reason in answer.reason


@pytest.mark.parametrize(
    ("peer", "problem"),
    [(p, "burgers:forward") for p in PEERS[:3]]
    + [(p, "burgers:viscosity") for p in PEERS[:3]]
    + [(p, "burgers") for p in PEERS],
)
def test_tasks_that_a_peer_takes(peer, problem, monkeypatch):
    monkeypatch.setattr(importlib.metadata, "version", lambda distribution: "1")
    method, config = registry().configured(peer)
    assert method.supports(registry().task(problem), config).ok


def test_matched_is_the_recipe_of_pinn():
    _, config = registry().configured("deepxde[preset=matched]")
    ours, recipe = PinnSettings(), config.recipe(())
    assert recipe.hidden == (ours.width,) * ours.depth
    assert (recipe.points, recipe.alpha0, recipe.hard) == (ours.points, ours.alpha0, True)


def test_what_is_set_replaces_what_the_preset_says():
    _, documented = registry().configured("deepxde")
    _, config = registry().configured("deepxde[width=7,points=50]")
    assert config.recipe(()) == replace(documented.recipe(()), hidden=(7, 7, 7), points=50)


@pytest.mark.parametrize("peer", PEERS[:3])
def test_a_number_is_sought_by_a_recipe_of_its_own(peer):
    _, documented = registry().configured(peer)
    _, matched = registry().configured(f"{peer}[preset=matched]")
    seeking, function, none = (
        registry().task(name).unknowns
        for name in ("burgers:viscosity", "burgers", "burgers:forward")
    )
    assert documented.recipe(seeking) != documented.recipe(none) == documented.recipe(function)
    assert matched.recipe(seeking) == matched.recipe(none)


def view(problem):
    return View(registry().task(problem), lambda purpose: generator("data", purpose))


def test_a_statement_hands_the_residual_named_derivatives():
    """For u = x t the residual of Burgers' equation is x + x t²."""
    statement = Statement(view("burgers:forward[nu=0.5]"), ("t", "x"), SOFT)
    columns = np.random.default_rng(0).random((5, 2))
    t, x = columns.T
    known = {"": x * t, "t": x, "x": t, "xx": np.zeros(5)}
    (found,) = statement.residuals(columns, lambda field, suffix: known[suffix], {})
    np.testing.assert_allclose(found, x + x * t**2)
    assert statement.count == 1


def test_a_positive_coefficient_is_trained_by_its_logarithm():
    """As `pinn` does it; the libraries' own recipes train the number itself."""
    itself = Statement(view("burgers:viscosity"), ("t", "x"), SOFT)
    assert itself.start == itself.coefficients({"nu": 0.03}) == {"nu": 0.03}
    statement = Statement(view("burgers:viscosity"), ("t", "x"), HARD)
    assert statement.start == {"nu": 0.0}, "at the guess, 0.03"
    raw = {"nu": np.log(2.0)}
    assert statement.coefficients(raw)["nu"] == pytest.approx(0.06)
    only_diffusion = lambda field, suffix: np.full(5, float(suffix == "xx"))  # noqa: E731
    (found,) = statement.residuals(np.zeros((5, 2)), only_diffusion, raw)
    np.testing.assert_allclose(found, -0.06)


def test_soft_statements_see_the_initial_state_and_hard_ones_the_ansatz():
    seen = {}
    for name, recipe in (("soft", SOFT), ("hard", HARD)):
        v = view("burgers:forward")
        statement = Statement(v, v.domain.names, recipe)
        x = np.linspace(-1.0, 1.0, 5)
        columns = np.stack([x, np.zeros(5)], -1)
        if name == "soft":
            np.testing.assert_allclose(statement.initial(columns)[:, 0], -np.sin(np.pi * x))
            assert statement.inputs == 2
        else:
            u = statement.imposed(columns, np.ones((5, 1)))[:, 0]
            np.testing.assert_allclose(u, -np.sin(np.pi * x), atol=1e-15)
            assert statement.inputs == 3
        seen[name] = set(v.sees)
    assert "initial_state" in seen["soft"] - seen["hard"]
    assert {"ansatz", "embedding"} <= seen["hard"] - seen["soft"]


def test_observations_weigh_as_in_pinn_where_matched():
    v = view("burgers")
    (seen,) = Statement(v, v.domain.names, HARD).observed()
    assert (seen.field, seen.points.shape, seen.values.shape) == (0, (128, 2), (128, 1))
    assert seen.weight == pytest.approx(100.0 / np.mean(seen.values**2))
    (plain,) = Statement(view("burgers"), v.domain.names, SOFT).observed()
    assert plain.weight == 1.0


def test_derivatives_are_taken_axis_after_axis_and_once():
    taken = []

    def along(lower, axis):
        taken.append((lower, axis))
        return f"{lower}_{axis}"

    statement = Statement(view("burgers:forward"), ("x", "t"), SOFT)
    derivative = statement.one_by_one(lambda field: f"u{field}", along)
    assert [derivative(0, axes) for axes in ("xx", "x", "", "t")] == [
        "u0_x_x",
        "u0_x",
        "u0",
        "u0_t",
    ]
    assert taken == [("u0", "x"), ("u0_x", "x"), ("u0", "t")]
    assert statement.sizes == [2, 4, 1]
