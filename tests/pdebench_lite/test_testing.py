"""The contract suites can fail: each mistake below is caught by the check that is meant for it."""

import subprocess
import sys
from collections.abc import Mapping
from importlib import import_module
from math import pi
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from pdebench_lite import (
    Domain,
    Method,
    Metric,
    Problem,
    Reference,
    Scheme,
    Settings,
    hookimpl,
)
from pdebench_lite.errors import PdebenchError
from pdebench_lite.numerics import array_namespace, diffuse_spectral
from pdebench_lite.problem import (
    Box,
    Carried,
    Dirichlet,
    Evolution,
    Interval,
    Observation,
    Periodic,
)
from pdebench_lite.registry.discovery import Plugin, collect
from pdebench_lite.registry.method import Support
from pdebench_lite.tasks import FieldTask, Forward, Reconstruction
from pdebench_lite.testing import MethodDescriptionContract, MetricContract, ProblemContract
from pdebench_lite.testing._derivatives import named_derivatives
from pdebench_lite.testing._libraries import library


class Sound(Problem):
    """u_t = k u_xx, 2π-periodic; u = e^{−kt} sin x. Keeps the contract."""

    class Parameters(Settings):
        pass

    name = "sound"
    summary = "u_t = k u_xx"
    citation = "@misc{toy, title = {A toy}}"
    fields = ("u",)
    coefficients: Mapping[str, tuple[str, ...]] = {"k": ()}
    needs = ("u_t", "u_xx", "k")
    tasks = (Reconstruction, Forward)
    domain = Domain(Interval(x=(0, 2 * pi)), (0, 1), Periodic("x"))

    def coefficient_values(self):
        return {"k": 0.5}

    def initial_state(self, points):
        return {"u": array_namespace(points["x"]).sin(points["x"])}

    def residual(self, d):
        return {"heat": d["u_t"] - d["k"] * d["u_xx"]}

    def solver(self):
        return Evolution(own={"step": Scheme(self.step, lambda *_: np.inf)})

    def step(self, state, unknowns, t, dt, grid):
        return {"u": diffuse_spectral(state["u"], unknowns["k"], dt, grid)}

    def reference(self):
        def evaluate(points):
            k = np.full(points["x"].shape, 0.5)
            return {"u": np.exp(-0.5 * points["t"]) * np.sin(points["x"]), "k": k}

        return Reference(evaluate, 1e-14, "exact")


class WrongSign(Sound):
    def residual(self, d):
        return {"heat": d["u_t"] + d["k"] * d["u_xx"]}


class WrongShape(Sound):
    def residual(self, d):
        return {"heat": np.mean(np.asarray(d["u_t"] - d["k"] * d["u_xx"]))}


class DetachedResidual(Sound):
    def residual(self, d):
        detached = getattr(d["u_xx"], "detach", lambda: d["u_xx"])()
        return {"heat": d["u_t"] - d["k"] * detached}


class WrongStart(Sound):
    def initial_state(self, points):
        return {"u": 1.001 * array_namespace(points["x"]).sin(points["x"])}


class NumpyStart(Sound):
    def initial_state(self, points):
        return {"u": np.sin(points["x"])}


class WrongStep(Sound):
    def step(self, state, unknowns, t, dt, grid):
        return {"u": diffuse_spectral(state["u"], unknowns["k"], 1.01 * dt, grid)}


class WrongOrder(Sound):
    def solver(self):
        def euler(state, unknowns, t, dt, grid):
            return {"u": (1.0 - unknowns["k"] * dt) * state["u"]}

        return Evolution(own={"euler": Scheme(euler, lambda *_: 1.0, order=2)})


class NumpyStep(Sound):
    def step(self, state, unknowns, t, dt, grid):
        return {"u": np.float64(1.0) * np.asarray(state["u"])}


class UnbatchedStep(Sound):
    def step(self, state, unknowns, t, dt, grid):
        xp = array_namespace(state["u"])
        return {"u": state["u"] - xp.mean(state["u"]) * dt}


class NumpyCoefficient(Sound):
    def coefficient_values(self):
        return {"k": np.float64(0.5)}


class NoBound(Sound):
    def reference(self):
        return Reference(super().reference().evaluate, 0.0, "exact")


class NotPeriodic(Sound):
    domain = Domain(Interval(x=(0, 6)), (0, 1), Periodic("x"))


class WrongCarry(Sound):
    def carry(self, found, axes, tolerance):
        x, t = np.meshgrid(axes["x"], axes["t"], indexing="ij")
        return Carried({"u": np.exp(-0.6 * t) * np.sin(x)}, 1e-9)


class Moody(Reconstruction):
    calls = 0

    def observations(self, rng: np.random.Generator) -> tuple[Observation, ...]:
        Moody.calls += 1
        (seen,) = super().observations(rng)
        return (Observation("u", seen.points, seen.values + Moody.calls),)


class Irreproducible(Sound):
    tasks = (Moody,)


class Underscored(Sound):
    fields = ("u_1",)


class Uncited(Sound):
    citation = "Fourier 1822"


class Undescribed(Sound):
    class Parameters(Settings):
        nu: float = 1.0


class WrongAnsatz(Forward):
    def ansatz(self, outputs, points):
        return outputs


class Cheating(Sound):
    tasks = (WrongAnsatz,)


class ByBoundary(FieldTask):
    """Its ansatz vanishes where u does."""

    name = "by-boundary"
    summary = "find u"
    gives = frozenset({"ansatz"})

    def ansatz(self, outputs, points):
        return {"u": points["x"] * (1.0 - points["x"]) * outputs["u"]}


class OffTheBoundary(ByBoundary):
    def ansatz(self, outputs, points):
        return {"u": points["x"] * outputs["u"]}


class Steady(Sound):
    """u_xx = −π² sin πx on [0, 1], zero at its ends; no time."""

    coefficients: Mapping[str, tuple[str, ...]] = {}
    needs = ("u_xx",)
    tasks = (ByBoundary,)
    domain = Domain(Interval(x=(0, 1)), boundary=Dirichlet(0.0))

    def coefficient_values(self):
        return {}


class SteadyCheating(Steady):
    tasks = (OffTheBoundary,)


CHECKS = {
    "test_reference_satisfies_the_equation": (WrongSign,),
    "test_residual_on": (WrongShape,),
    "test_gradients_of_the_residual_on": (DetachedResidual,),
    "test_reference_starts_at_the_initial_state": (WrongStart,),
    "test_initial_state_on": (NumpyStart,),
    "test_schemes_converge": (WrongStep, WrongOrder),
    "test_steps_on": (NumpyStep, UnbatchedStep),
    "test_coefficients_are_the_reference_s": (NumpyCoefficient,),
    "test_reference_is_certified": (NoBound,),
    "test_reference_meets_the_conditions": (NotPeriodic,),
    "test_carrying_the_truth_returns_it": (WrongCarry,),
    "test_the_truth_scores_best": (WrongCarry,),
    "test_observations": (Irreproducible,),
    "test_metadata": (Underscored, Uncited),
    "test_parameters": (Undescribed,),
    "test_ansatz_on": (Cheating, SteadyCheating),
}


def check(name: str, kind: type[Problem], lib: str = "torch") -> None:
    """Call one check of the contract on a problem."""
    problem = kind(kind.Parameters())
    method = getattr(ProblemContract(), name)
    wanted = method.__code__.co_varnames[1 : method.__code__.co_argcount]
    with library(lib) as opened:
        offered: dict[str, Any] = {
            "problem": problem,
            "reference": problem.reference(),
            "tasks": [task(problem, task.Parameters()) for task in kind.tasks],
            "known": collect([]),
            "lib": opened,
        }
        method(**{k: offered[k] for k in wanted})


@pytest.mark.parametrize("name", sorted(set(CHECKS) - {"test_carrying_the_truth_returns_it"}))
def test_a_sound_problem_passes(name):
    check(name, Sound)


def test_a_sound_ansatz_of_a_steady_problem_passes():
    check("test_ansatz_on", Steady)


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, kinds in CHECKS.items() for kind in kinds]
)
def test_a_mistake_is_caught(name, kind):
    mistakes = (AssertionError, TypeError, AttributeError, DeprecationWarning, PdebenchError)
    with pytest.raises(mistakes):
        check(name, kind)


def test_stencils_differentiate():
    domain = Domain(Box(x=(0, 1), y=(-1, 1)), (0, 2))
    points = domain.sample(np.random.default_rng(0), 20)
    points["x"][:3], points["y"][3:6] = 0.0, 1.0  # at the ends too
    x, y, t = points.values()

    def evaluate(p):
        return {"u": np.exp(p["x"]) * np.sin(p["y"]) * p["t"] ** 2}

    d = named_derivatives(evaluate, domain, points, ("u", "u_xx", "u_xyt", "u_yyy"), 0.03)
    np.testing.assert_allclose(d["u"], np.exp(x) * np.sin(y) * t**2)
    np.testing.assert_allclose(d["u_xx"], np.exp(x) * np.sin(y) * t**2, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(d["u_xyt"], np.exp(x) * np.cos(y) * 2 * t, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(d["u_yyy"], -np.exp(x) * np.cos(y) * t**2, rtol=1e-5, atol=1e-6)


def metric(compute, applies=lambda task: True):
    return Metric("m", "a metric", compute, applies)


@pytest.mark.parametrize(
    ("compute", "passes"),
    [
        (lambda e: float(np.abs(e.fields["u"] - e.truth["u"]).max()), True),
        (lambda e: 1.0, False),  # the truth is not an error
        (lambda e: 0.0, False),  # nothing is wrong for it
        (lambda e: np.abs(e.fields["u"] - e.truth["u"]).max(), False),  # a NumPy number
        (lambda e: float("nan"), False),
    ],
)
def test_metrics_are_checked(compute, passes):
    task = Reconstruction(Sound(Sound.Parameters()), Reconstruction.Parameters())
    if passes:
        MetricContract().test_value(metric(compute), task)
        return
    with pytest.raises(AssertionError):
        MetricContract().test_value(metric(compute), task)


class Described(MethodDescriptionContract):
    selector = "described"


def described(**changes: Any) -> Method:
    values: dict[str, Any] = {
        "name": "described", "family": "other", "summary": "a method",
        "solvers": {"numpy": "pdebench_classical._marching:solve"},
    }  # fmt: skip
    return Method(**{**values, **changes})


class Silent(Settings):
    """Its setting has no description."""

    width: int = 3


@pytest.mark.parametrize(
    ("check_name", "changes"),
    [
        ("test_metadata", {"family": "magic"}),
        ("test_metadata", {"summary": ""}),
        ("test_settings", {"Config": Silent}),
        ("test_solvers_resolve", {"solvers": {"numpy": "nosuch.module"}}),
        ("test_solvers_resolve", {"solvers": {"numpy": "nosuchmodule:solve"}}),
        ("test_solvers_resolve", {"solvers": {"numpy": "pdebench_classical._marching:nosuch"}}),
        ("test_solvers_resolve", {"solvers": {"fortran": "pdebench_classical._marching:solve"}}),
        ("test_supports_gives_reasons", {"supports": lambda task, config: Support(False)}),
    ],
)
def test_descriptions_are_checked(check_name, changes):
    def run(method: Method) -> None:
        module = ModuleType("toy")
        for name, items in (("methods", [method]), ("problems", [Sound])):
            setattr(module, f"pdebench_{name}", hookimpl(_hook(name, items)))
        classical = Plugin("classical", "pdebench_classical")
        known = collect(
            [
                (classical, lambda: import_module("pdebench_classical")),
                (Plugin("toy", "toy"), lambda: module),
            ]
        )
        check = getattr(Described(), check_name)
        check(method) if check_name == "test_metadata" else check(known, method)

    run(described())
    with pytest.raises((AssertionError, PdebenchError, pytest.fail.Exception)):
        run(described(**changes))


def _hook(kind: str, items: list[Any]) -> Any:
    def hook() -> list[Any]:
        return items

    hook.__name__ = f"pdebench_{kind}"
    return hook


def test_pytest_is_asked_for():
    """Without pytest the import says what to type."""
    script = "import sys; sys.modules['pytest'] = None; import pdebench_lite.testing"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("type: pip install pytest")


def test_the_core_does_not_import_pytest():
    modules = "pdebench_lite.runner.api, pdebench_lite.cli"
    script = f"import sys, {modules}; assert 'pytest' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)
