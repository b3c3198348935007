"""Schemes made of a right-hand side, a symbol, a pair of fields, sources of place and time."""

from math import pi

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import (
    Dirichlet,
    Domain,
    Evolution,
    Field,
    Interval,
    Periodic,
    Problem,
    Reference,
)
from pdebench_lite.problem.carrying import rollout
from pdebench_lite.problem.start import rates_at_start, time_scale
from pdebench_lite.problem.view import View
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks import Forward

RING = Domain(Interval(x=(0, 2 * pi)), (0, 1), Periodic("x"))


def end(evolution, domain, scheme, state, cells, steps, unknowns=None, order=1):
    """The state at t = 1 after equal steps, and the cells."""
    grid, chosen = domain.grid(cells), evolution.schemes(domain, order)[scheme]
    state = {k: f(grid.points()) for k, f in state.items()}
    known, dt = unknowns or {}, 1.0 / steps
    for k in range(steps):
        state = chosen.step(state, known, k * dt, dt, grid)
    return state, grid.points()["x"]


# ---- the special case equals the general one ----

BURGERS = Evolution(
    rate=lambda s, c, on: {
        "u": c["nu"] * on.laplacian(s["u"], "u") - s["u"] * on.d(s["u"], "x", "u")
    },
    symbol=lambda k, c: {"u": -c["nu"] * k["x"] ** 2},
    nonlinear=lambda s, c, on: {"u": -0.5 * on.d(s["u"] * s["u"], "x")},
)


def test_every_scheme_has_the_same_limit():
    start = {"u": lambda p: np.sin(p["x"])}
    exact, _ = end(BURGERS, RING, "etdrk4", start, 128, 800, {"nu": 0.2})
    bounds = {"etdrk4": 1e-8, "spectral": 1e-8, "imex": 2e-5, "fd4": 1e-5, "fd2": 3e-3}
    for scheme, bound in bounds.items():
        found, _ = end(BURGERS, RING, scheme, start, 128, 400, {"nu": 0.2})
        assert np.abs(found["u"] - exact["u"]).max() < bound, scheme


def test_steps_within_the_stated_limit_are_stable():
    grid = RING.grid(64)
    for name, scheme in BURGERS.schemes(RING).items():
        state = {"u": np.sin(grid.points()["x"])}
        limit = scheme.max_dt(state, {"nu": 0.2}, grid)
        times = np.linspace(0.0, 1.0, 5)
        states = rollout(scheme, state, {"nu": 0.2}, times, grid, 1.0)
        assert np.abs(states["u"]).max() < 1.01, name
        assert 0 < limit < np.inf, name


def test_a_pair_of_fields_is_one_complex_field():
    """i h_t + ½ h_xx + |h|² h = 0, a plane wave: h = a e^{i(x − (½ − a²)t)}, by symbol alone."""
    a = 0.7
    schroedinger = Evolution(
        symbol=lambda k, c: {"u": -0.5j * k["x"] ** 2},
        nonlinear=lambda s, c, on: {
            "u": -(s["u"] ** 2 + s["v"] ** 2) * s["v"],
            "v": (s["u"] ** 2 + s["v"] ** 2) * s["u"],
        },
        degree=3,
        pairs=(("u", "v"),),
    )
    start = {"u": lambda p: a * np.cos(p["x"]), "v": lambda p: a * np.sin(p["x"])}
    found, x = end(schroedinger, RING, "etdrk4", start, 32, 100)
    exact = a * np.exp(1j * (x - (0.5 - a**2)))
    np.testing.assert_allclose(found["u"] + 1j * found["v"], exact, atol=1e-8)


def test_second_order_in_time_needs_only_the_acceleration():
    wave = Evolution(rate=lambda s, c, on: {"u": on.laplacian(s["u"], "u")})
    walls = Domain(Interval(x=(0, pi)), (0, 1), Dirichlet(0.0))
    start = {"u": lambda p: np.sin(2 * p["x"]), "u_t": lambda p: np.sin(p["x"])}
    found, x = end(wave, walls, "fd4", start, 64, 200, order=2)
    exact = np.sin(2 * x) * np.cos(2) + np.sin(x) * np.sin(1)
    np.testing.assert_allclose(found["u"], exact, atol=2e-5)


def test_constant_coefficients_are_needed_where_a_symbol_is():
    with pytest.raises(PdebenchError, match="etdrk4 needs constant coefficients; nu is not"):
        end(BURGERS, RING, "etdrk4", {"u": lambda p: p["x"]}, 8, 1, {"nu": lambda t: t})


# ---- sources and coefficients of place and time, through a view ----


class Driven(Problem):
    """u_t = k u_xx + f(x, t) between walls that move: u = sin x e^{-t} + t."""

    class Parameters(Settings):
        """None."""

    name = "driven"
    fields = (Field("u"),)
    coefficients = {"k": (), "f": ("x", "t")}  # noqa: RUF012 - as a stranger would write it
    needs = ("u_t", "u_xx", "k", "f")
    tasks = (Forward,)
    domain = Domain(Interval(x=(0, pi)), (0, 1), Dirichlet(lambda p: 1.0 * p["t"]))

    def coefficient_values(self):
        """Half the decay is diffusion; the source is the rest."""

        def source(p):
            xp = array_namespace(p["x"])
            return 1.0 - 0.5 * xp.sin(p["x"]) * array_namespace(p["t"]).exp(-p["t"])

        return {"k": 0.5, "f": source}

    def initial_state(self, points):
        return {"u": array_namespace(points["x"]).sin(points["x"])}

    def residual(self, d):
        return {"u": d["u_t"] - d["k"] * d["u_xx"] - d["f"]}

    def solver(self):
        return Evolution(lambda s, c, on: {"u": c["k"] * on.laplacian(s["u"], "u") + c["f"]})

    def reference(self):
        return Reference(lambda p: {"u": np.sin(p["x"]) * np.exp(-p["t"]) + p["t"]}, 1e-15, "exact")


@pytest.fixture
def view():
    """A view of the driven problem's forward task."""
    problem = Driven(Driven.Parameters())
    return View(Forward(problem, Forward.Parameters()), lambda purpose: np.random.default_rng(0))


def test_a_source_of_place_and_time_reaches_every_stage(view):
    errors = []
    for cells in (16, 32):
        grid, scheme = view.domain.grid(cells), view.solver("fd4")
        state, t = dict(view.start(grid.points())), 0.0
        n = int(np.ceil(1.0 / (0.9 * scheme.max_dt(state, {}, grid))))
        for k in range(n):
            state = scheme.step(state, {}, t + k / n, 1.0 / n, grid)
        x = grid.points()["x"]
        errors.append(np.abs(state["u"] - np.sin(x) * np.exp(-1) - 1.0).max())
    assert errors[1] < 1e-6
    assert np.log2(errors[0] / errors[1]) > 3.5


def test_what_steps_share_sees_known_coefficients():
    class Ring(Driven):
        domain = RING
        coefficients = {"nu": ()}  # noqa: RUF012
        needs = ("u", "u_t", "u_x", "u_xx", "nu")

        def coefficient_values(self):
            return {"nu": 0.3}

        def solver(self):
            return BURGERS

    task = Forward(Ring(Ring.Parameters()), Forward.Parameters())
    view = View(task, lambda purpose: np.random.default_rng(0))
    scheme, grid = view.solver("etdrk4"), view.domain.grid(32)
    like = np.zeros(32)
    prepared = scheme.prepared({"extra": like}, 0.01, grid)
    state = {"u": np.sin(grid.points()["x"])}
    with_it = scheme.step(state, prepared, 0.0, 0.01, grid)["u"]
    without = scheme.step(state, {}, 0.0, 0.01, grid)["u"]
    np.testing.assert_allclose(with_it, without, atol=1e-15)
    assert len(prepared) == 2


# ---- how fast the start is left ----


def test_rates_at_the_start_follow_from_the_residual():
    problem = Driven(Driven.Parameters())
    x = np.linspace(0.1, 3.0, 9)
    rates = rates_at_start(problem, problem.coefficient_values(), {"x": x})
    np.testing.assert_allclose(rates["u"], 1.0 - np.sin(x), atol=1e-12)


def test_a_sought_coefficient_counts_as_its_guess():
    problem = Driven(Driven.Parameters())
    zero = {"f": lambda p: 0.0 * p["x"]}
    assert time_scale(problem, {"k": 4.0, **zero}) == pytest.approx(0.25)
    assert time_scale(problem, {"k": 0.1, **zero}) == pytest.approx(1.0)  # the span at most
