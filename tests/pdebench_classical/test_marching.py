"""The marched solvers: their figures, their order, and queries that add no error."""

from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from pdebench_classical import _trajectory
from pdebench_classical._trajectory import Trajectory
from pdebench_lite.errors import NotGivenError, UnsupportedError
from pdebench_lite.numerics import Grid, diffuse_spectral
from pdebench_lite.problem import Box, Domain, Periodic, Scheme
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import Plugin, collect, registry
from pdebench_lite.tasks.field import flatten
from pdebench_lite.testing.attempt import attempt

TOYS = Path(__file__).parents[1] / "toys"


@pytest.fixture
def error(solved):
    """Return a function: (method, problem) -> relative L2 error."""

    def rel_l2(method, problem="burgers:forward[nu=0.05]", purpose="history"):
        return solved(method, problem, "rel_l2", purpose=purpose)[1]["rel_l2"]

    return rel_l2


@pytest.mark.parametrize(("cells", "published"), [(512, 4.0e-4), (1024, 1.6e-6)])
def test_the_figures_that_others_report(cells, published, error):
    """Fourier with the 2/3 rule, ETDRK4: ν = 0.01/π, 256 × 101 points."""
    found = error(f"etdrk4[cells={cells}]", "burgers:forward", "final")
    assert found == pytest.approx(published, rel=0.05)


@pytest.mark.parametrize(
    ("method", "sizes", "order"),
    [("muscl", (64, 128), 2), ("semilagrangian", (128, 256), 1), ("etdrk4", (32, 64), 4)],
)
def test_refinement_pays_as_the_order_says(method, sizes, order, error):
    coarse, fine = (error(f"{method}[cells={n}]") for n in sizes)
    assert np.log2(coarse / fine) > 0.8 * order


def test_a_moving_shock_tells_the_conservative_solver_from_the_other(error):
    moving = "burgers:forward[ic=random]"
    assert error("muscl[cells=256]", moving) < 0.04 < 0.1 < error("semilagrangian", moving)


@pytest.fixture
def toys():
    """The toys, and a method that marches a problem's own step."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOYS))
        names = ("pdebench_classical", "pdebench_toys")
        yield collect([(Plugin(name, name), partial(import_module, name)) for name in names])


def test_a_system_is_marched_as_it_is(toys):
    done = attempt(toys, "waves:forward", "march[cells=64]", "numpy", 10**6)
    assert done.metrics["rel_l2"] < 1e-3


def test_a_missing_coefficient_is_named(toys):
    """`heat` gives its initial state and seeks k: what is missing is k, for a plugin's step too."""
    description, config = toys.configured("march")
    answer = description.supports(toys.task("heat"), config)
    assert (answer.ok, answer.reason) == (False, "heat does not give k, which a march needs")
    view = View(toys.task("heat"), lambda purpose: np.random.default_rng(0))
    grid = view.domain.grid(16)
    state = view.initial_state(grid.points())
    with pytest.raises(NotGivenError, match="heat does not give the coefficient k"):
        view.solver().step(state, {}, 0.0, 0.1, grid)
    assert view.solver().step(state, {"k": 0.5}, 0.0, 0.1, grid)["u"].shape == (16,)


@pytest.mark.parametrize(
    ("problem", "method", "bound"),
    [
        ("wave", "march[cells=256]", 2e-4),
        ("wave", "march[cells=256,scheme=fd2]", 2e-2),
        ("navier-stokes", "march[cells=32]", 1e-6),
        ("navier-stokes", "march[cells=32,scheme=imex,steps=400]", 1e-4),
    ],
)
def test_any_evolution_is_marched(error, problem, method, bound):
    """Walls, second order in time, a plane with an auxiliary field: nothing is special."""
    assert error(method, problem) < bound


def test_a_grid_is_answered_as_its_points_are():
    view = View(registry().task("navier-stokes"), lambda purpose: np.random.default_rng(0))
    grid = view.domain.grid(16)
    march = Trajectory(
        view.domain, view.solver("etdrk4"), grid, view.start(grid.points()), 0.125, 8, view.fields
    )
    for _ in range(8):
        march.advance()
    axes = {"x": np.linspace(0, 6, 5), "y": np.linspace(0, 6, 4), "t": np.linspace(0, 1, 3)}
    grid, points = march.on_grid(axes), march.predict(flatten(axes))
    for name in ("w", "psi"):
        np.testing.assert_allclose(np.ravel(grid[name]), points[name], atol=1e-12)


@pytest.mark.parametrize("kept", [1 << 23, 300])
def test_queries_between_steps_and_of_states_that_were_not_kept(kept, monkeypatch):
    """Heat on a plane, an exact scheme: any point and time is right, whatever was thinned."""
    monkeypatch.setattr(_trajectory, "_KEPT", kept)
    square = Box(x=(0, 2 * np.pi), y=(0, 2 * np.pi))
    domain, nu = Domain(square, (1, 2), Periodic("x", "y")), 0.3
    grid = domain.grid((8, 10))
    taken = []

    def step(state, unknowns, t, dt, grid: Grid):
        taken.append((t, dt))
        return {"u": diffuse_spectral(state["u"], nu, dt, grid)}

    scheme = Scheme(step, lambda *_: np.inf, trigonometric=True)

    def exact(x, y, t):
        return np.exp(-5 * nu * (t - 1)) * np.cos(2 * x) * np.sin(y) + np.exp(nu - nu * t) * np.cos(
            x
        )

    at = grid.points()
    march = Trajectory(domain, scheme, grid, {"u": exact(at["x"], at["y"], 1.0)}, 0.1, 10, ("u",))
    for _ in range(10):
        march.advance()
    assert taken == [(pytest.approx(1 + 0.1 * k), 0.1) for k in range(10)]
    points = domain.sample(np.random.default_rng(0), 40)
    points["t"][:3] = 1.0, 1.3, 2.0
    found = march.predict(points)["u"]
    np.testing.assert_allclose(found, exact(*points.values()), atol=1e-13)


def test_steps_beyond_the_bound_are_refused(error):
    with pytest.raises(UnsupportedError, match=r"steps=10 .* stability bound .* use steps=256"):
        error("etdrk4[steps=10]", "burgers:forward")


@pytest.mark.parametrize(
    ("method", "problem", "reason"),
    [
        ("muscl", "burgers", "does not give its initial state"),
        ("muscl", "advection-density", "has no scheme 'muscl'"),
        ("linear-regression", "burgers", "not about functions of one variable"),
        ("leastsquares", "advection-density", "asks for u, a function; leastsquares finds numbers"),
        ("adjoint", "burgers:viscosity", "also asks for nu; adjoint finds initial states"),
    ],
)
def test_refusals_say_why(method, problem, reason):
    known = registry()
    description, config = known.configured(method)
    answer = description.supports(known.task(problem), config)
    assert not answer.ok
    assert reason in answer.reason
