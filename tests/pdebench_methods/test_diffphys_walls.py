"""`diffphys` between walls, for second order in time and with diagnosed fields."""

from functools import partial
from importlib import import_module
from math import inf
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.problem import Axis, Dirichlet, Domain, Interval, Unknown
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import Plugin, collect
from pdebench_lite.seeding import generator
from pdebench_lite.testing.attempt import attempt
from pdebench_methods.host import slices
from pdebench_methods.objectives.diffphys import DiffphysObjective
from pdebench_methods.objectives.diffphys.basis import CellBasis
from pdebench_methods.objectives.diffphys.ends import fixed_ends, lift

TOYS = Path(__file__).parents[1] / "toys"


@pytest.fixture
def known(monkeypatch):
    """The shipped problems, the toys between walls, and this method with both backends."""
    monkeypatch.syspath_prepend(str(TOYS))
    names = (
        *("pdebench_methods", "pdebench_torch", "pdebench_jax"),
        *("pdebench_classical", "pdebench_problems", "pdebench_walls"),
    )
    return collect([(Plugin(n, n), partial(import_module, n)) for n in names])


class NumpyTools:
    """Rollouts in NumPy; Jacobians by central differences of all perturbed parameters at once."""

    compiles = False

    def repeat(self, step, state, n):
        for k in range(n):
            state = step(state, k)
        return state

    def frames(self, step, state, n, count):
        return [self.repeat(step, state, n * (i + 1)) for i in range(count)]

    def flat_objective(self, objective, parameters, data):
        places = {name: where for name, (where, _) in slices(parameters).items()}

        def residuals(x):
            with np.errstate(all="ignore"):  # a trial too far away is told by its misfit
                return objective.residuals({n: x[..., at] for n, at in places.items()}, data)

        def linearise(x):
            h = 1e-6 * np.eye(x.size)
            return residuals(x), ((residuals(x + h) - residuals(x - h)) / 2e-6).T

        return SimpleNamespace(residuals=residuals, linearise=linearise)


def objective(known, problem: str, method: str) -> DiffphysObjective:
    task, (described, config) = known.task(problem), known.configured(method)
    support = described.supports(task, config)
    assert support.ok, support.reason
    run = SimpleNamespace(
        time_left=inf, config=config, dtype="float64", rng=lambda p: generator("m", p)
    )
    return DiffphysObjective(View(task, lambda p: generator("d", p)), run, NumpyTools())


def scores(known, problem: str, method: str) -> dict[str, float | None]:
    """Search by Gauss–Newton in NumPy, and score what was found."""
    it = objective(known, problem, method)
    current, memo = it.initial(), {}
    while (stage := it.next_stage(current, memo)) is not None:
        search = it.gauss_newton(current, stage.inputs)
        search.advance(100)
        current = search.parameters()
    task = known.task(problem)
    evaluation = task.evaluate(it.solution(current, memo), "final")
    wanted = {"rel_l2", "initial_rel_l2", "coefficient_rel_l2"}
    return {m.name: m.compute(evaluation) for m in known.metrics_for(task) if m.name in wanted}


GN = "diffphys[optimizer=gauss-newton,coarse_to_fine=false"
CASES = [
    (
        "wave:reconstruction[points=16,noise=0.01]",
        f"{GN},cells=32,modes=6]", "initial_rel_l2", 0.02,
    ),
    pytest.param(
        "even-rod:identify[points=8]",
        f"{GN},cells=8]", "coefficient_rel_l2", 0.03,
        marks=pytest.mark.slow,
    ),
    pytest.param(
        "allen-cahn:reconstruction[ic=smooth,reaction=2,diffusion=0.002,points=32,noise=0.001]",
        f"{GN},cells=64,modes=4]", "initial_rel_l2", 0.02,
        marks=pytest.mark.slow,
    ),
    (
        "navier-stokes:reconstruction[points=12,noise=0.01]",
        f"{GN},cells=12,modes=1]", "initial_rel_l2", 0.01,
    ),
    pytest.param(
        "rod:identify[points=24]", f"{GN},cells=12,modes=2]", "coefficient_rel_l2", 0.1,
        marks=pytest.mark.slow,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("problem", "method", "metric", "bound"), CASES)
def test_what_is_sought_is_found(known, problem, method, metric, bound):
    found = scores(known, problem, method)
    assert found[metric] < bound, found
    assert found["rel_l2"] < 2 * bound


@pytest.mark.slow  # compiles
@pytest.mark.parametrize(("problem", "method", "metric", "bound"), CASES)
def test_both_backends_agree(known, problem, method, metric, bound):
    for backend in ("torch", "jax"):
        pytest.importorskip(backend)
        import_module(known.backend(backend).runtime).prepare("cpu", "float64")
    one, other = (attempt(known, problem, method, b, 6) for b in ("torch", "jax"))
    assert one.metrics[metric] == pytest.approx(other.metrics[metric], rel=1e-6)
    assert one.metrics["rel_l2"] == pytest.approx(other.metrics["rel_l2"], rel=1e-6)


def test_the_rate_that_no_task_asks_for_is_sought_too(known):
    it = objective(known, "wave:reconstruction[points=16]", "diffphys[cells=32,modes=4]")
    assert [u.field for u in it.unknowns] == ["u", "u_t"]
    assert set(it.solution(it.initial(), {}).unknowns) == {"u_initial"}
    times = sorted({float(o.points["t"][0]) for o in it.observations})
    assert times == pytest.approx([0.5 * (5**0.5 - 1) / 2, 0.5])


def test_the_true_start_has_no_misfit(known):
    """Sines between fixed ends are the wave's own functions: nothing is left but rounding."""
    it = objective(known, "wave:reconstruction[points=16]", "diffphys[cells=256,modes=4]")
    start = it.initial()
    x = np.linspace(0.0, 1.0, 101)
    true = np.sin(np.pi * x) + 0.5 * np.sin(4 * np.pi * x)
    start["u_initial"] = np.linalg.lstsq(it.bases["u_initial"].matrix({"x": x}), true)[0]
    assert it.misfit(start) < 1e-10


def test_steps_are_stable_for_coefficients_of_the_guessed_magnitude(known):
    """k is twice its guess, and a step that the guess allows would not be stable."""
    it = objective(known, "even-rod:identify[points=12]", "diffphys[cells=24]")
    at, task = it.discretisation(24), known.task("even-rod:identify")
    scheme = View(task, lambda p: generator("d", p)).solver()
    state = it.known_start(24)
    guess, true = (scheme.max_dt(state, {"k": np.asarray(k)}, at.grid) for k in (0.05, 0.1))
    assert at.dt < true < guess


def test_steps_follow_from_what_was_observed_where_the_start_is_unknown(known):
    """A vorticity that is constant moves nothing, and would allow any step."""
    vortex = "navier-stokes:reconstruction[stream=0,nu=0.001,horizon=10,t_obs=10,points=16]"
    it = objective(known, vortex, "diffphys[cells=64,modes=2]")
    problem, grid = known.task(vortex).problem, it.discretisation(64).grid
    true = it.scheme.max_dt(problem.start(grid.points()), {}, grid)
    assert 0.5 * true < it.discretisation(64).dt < true


def test_an_initial_state_has_the_values_of_its_walls():
    domain = Domain(Interval(x=(0, 2)), (0, 1), Dirichlet(lambda p: 1.0 + p["x"] + p["t"]))
    unknown = Unknown("u_initial", "initial", ("x",), "u")
    assert fixed_ends(domain, unknown) == ("x_lower", "x_upper")
    at = {"x": np.array([0.0, 2.0])}
    np.testing.assert_allclose(lift(domain, unknown)(at), [1.0, 3.0])
    rate = Unknown("u_initial_rate", "initial", ("x",), "u_t")
    assert fixed_ends(domain, rate) == (), "the values move"
    still = Domain(Interval(x=(0, 2)), (0, 1), Dirichlet(1.0))
    assert fixed_ends(still, rate) == ("x_lower", "x_upper")
    assert lift(still, rate) is None


def test_cells_hold_their_value_up_to_a_wall():
    basis = CellBasis((Axis("x", 0.0, 1.0),), 4)
    np.testing.assert_allclose(
        basis.matrix({"x": np.array([0.0, 0.125, 1.0])}), np.eye(4)[[0, 0, 3]], atol=1e-14
    )


def test_what_steps_have_in_common_follows_from_the_known_coefficients_too(known):
    """`shared` of a view is given the unknowns alone, and adds what the task knows."""
    task = known.task("allen-cahn:reconstruction[ic=smooth]")
    scheme = View(task, lambda p: generator("d", p)).solver("etdrk4")
    grid = task.problem.domain.grid(32)
    state = {"u": np.sin(np.pi * grid.centres())}
    sought = {"D": np.asarray(2e-3)}  # one coefficient is sought; r is known to the view alone
    prepared = scheme.prepared(sought, 0.1, grid)
    assert set(prepared) > set(sought), "something is shared"
    np.testing.assert_allclose(
        scheme.step(state, prepared, 0.0, 0.1, grid)["u"],
        scheme.step(state, sought, 0.0, 0.1, grid)["u"],
        atol=1e-14,
    )


def test_a_coefficient_of_time_is_not_rolled_out(known, monkeypatch):
    unknown = Unknown("f", "coefficient", ("x", "t"))
    task, (described, config) = known.task("rod:identify"), known.configured("diffphys")
    monkeypatch.setattr(type(task.problem), "sought", {"f": unknown})
    support = described.supports(task, config)
    assert not support.ok
    assert "f depends on time" in support.reason
