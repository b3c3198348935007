"""Operators between boundaries: orders of accuracy up to the face, by refinement."""

import numpy as np
import pytest

from pdebench_lite.numerics import (
    Dirichlet,
    Extrapolation,
    Grid,
    Neumann,
    central_difference,
    diffuse_explicit,
    explicit_diffusion_limit,
    interpolate,
    laplacian,
    maccormack,
    muscl_divergence,
    pad,
    semi_lagrangian,
    ssp_rk2,
    ssp_rk3,
    upwind,
)


def box(n):
    return Grid(("x",), (-0.5,), (1.5,), (n,), (False,))


def wave(x):
    return np.sin(2.0 * x + 0.4)


def slope(x):
    return 2.0 * np.cos(2.0 * x + 0.4)


VALUES = (Dirichlet(wave(-0.5)), Dirichlet(wave(1.5)))
SLOPES = (Neumann(-slope(-0.5)), Neumann(slope(1.5)))  # along the outward normals
MIXED = (Dirichlet(wave(-0.5)), Neumann(slope(1.5)))
FREE = Extrapolation()
KINDS = {"values": VALUES, "slopes": SLOPES, "mixed": MIXED, "free": FREE}
every_kind = pytest.mark.parametrize("sides", KINDS.values(), ids=KINDS.keys())


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_ghosts_continue_a_polynomial(degree):
    """To rounding for its own degree, and not for the next: at both ends, of each kind."""
    grid, random = box(8), np.random.default_rng(0)
    h = grid.spacing["x"]
    x = np.concatenate(
        [grid.centres()[:1] - [2 * h, h], grid.centres(), 1.5 + h * np.array([0.5, 1.5])]
    )
    for extra in (0, 1):
        p = np.polynomial.Polynomial(random.normal(size=degree + 1 + extra))
        low, high = p.deriv()(-0.5), p.deriv()(1.5)
        for sides in (
            (Dirichlet(p(-0.5)), Dirichlet(p(1.5))),
            (Neumann(-low), Neumann(high)),
            FREE,
        ):
            ghosts = pad(p(grid.centres()), grid, "x", 2, {"x": sides}, degree)
            gap = np.abs(ghosts - p(x))
            assert gap[2:-2].max() == 0
            assert (gap.max() < 1e-12) == (not extra)


def test_ghosts_of_degree_nought_hold_the_value():
    u = np.arange(1.0, 5.0)
    grid = Grid(("x",), (0.0,), (1.0,), (4,), (False,))
    ghosts = pad(u, grid, "x", 2, {"x": (Dirichlet(7.0), Neumann(8.0))}, degree=0)
    np.testing.assert_allclose(ghosts, [7, 7, 1, 2, 3, 4, 4 + 8 / 4, 4 + 2 * 8 / 4])


def test_a_periodic_axis_is_padded_with_its_other_end():
    grid = Grid(("x", "y"), (0.0, 0.0), (1.0, 1.0), (4, 3), (True, False))
    u = np.random.default_rng(0).normal(size=(2, 4, 3))
    np.testing.assert_array_equal(pad(u, grid, "x", 2), u[:, [2, 3, 0, 1, 2, 3, 0, 1]])


@every_kind
@pytest.mark.parametrize("order", [2, 4])
def test_gradient(sides, order, observed_order):
    def error(n):
        x = box(n).centres()
        found = central_difference(wave(x), box(n), order=order, conditions={"x": sides})
        return np.abs(found - slope(x)).max()

    assert observed_order(error, (64, 128)) == pytest.approx(order, abs=0.2)


@every_kind
@pytest.mark.parametrize(("order", "expected"), [("linear", 2), ("cubic", 4)])
def test_interpolation_up_to_the_faces(sides, order, expected, observed_order):
    points = np.linspace(-0.5, 1.5, 301)

    def error(n):
        grid = box(n)
        positions = [(points + 0.5) / grid.spacing["x"] - 0.5]
        found = interpolate(wave(grid.centres()), positions, grid, order, {"x": sides})
        return np.abs(found - wave(points)).max()

    assert observed_order(error, (64, 128)) == pytest.approx(expected, abs=0.3)


def test_beyond_a_face_is_its_value():
    grid = box(16)
    positions = [np.array([-0.5, -3.0, 15.5, 40.0])]
    for order in ("linear", "cubic"):
        found = interpolate(wave(grid.centres()), positions, grid, order, {"x": VALUES})
        low, high = wave(-0.5), wave(1.5)
        np.testing.assert_allclose(found, [low, low, high, high], rtol=1e-13)


@pytest.mark.parametrize("sides", [VALUES, MIXED], ids=["values", "mixed"])
def test_a_steady_heated_bar_is_of_second_order(sides, observed_order):
    """u'' = f, solved on the grid: the error at the faces is not larger than inside."""

    def error(n):
        grid = box(n)
        zero = laplacian(np.zeros(n), grid, {"x": sides})
        matrix = (laplacian(np.eye(n), grid, {"x": sides}) - zero).T
        x = grid.centres()
        return np.abs(np.linalg.solve(matrix, -4.0 * wave(x) - zero) - wave(x)).max()

    assert observed_order(error, (64, 128)) == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize(
    ("sides", "mode"),
    [
        ((Dirichlet(0.0), Dirichlet(0.0)), (1, 0.0)),
        ((Neumann(0.0), Neumann(0.0)), (1, np.pi / 2)),
        ((Neumann(0.0), Dirichlet(0.0)), (0.5, np.pi / 2)),
    ],
    ids=["values", "slopes", "mixed"],
)
def test_explicit_diffusion_is_of_second_order(sides, mode, observed_order):
    nu, time, (k, phase) = 0.1, 0.5, mode
    k = k * np.pi / 2

    def error(n):
        grid, conditions = box(n), {"x": sides}
        u = np.sin(k * (grid.centres() + 0.5) + phase)
        exact = np.exp(-nu * k**2 * time) * u
        steps = int(np.ceil(time / (0.9 * explicit_diffusion_limit(nu, grid, conditions))))
        for _ in range(steps):
            u = diffuse_explicit(u, nu, time / steps, grid, conditions)
        return np.abs(u - exact).max()

    assert observed_order(error, (32, 64)) == pytest.approx(2, abs=0.15)


@pytest.mark.parametrize(
    "sides", [(Dirichlet(), Dirichlet()), (Neumann(), Dirichlet()), (Neumann(), Neumann())]
)
def test_the_bound_on_the_time_step_is_sharp(sides):
    grid, conditions = box(40), {"x": sides}
    limit = explicit_diffusion_limit(0.3, grid, conditions)
    growth = [
        np.abs(
            np.linalg.eigvals(diffuse_explicit(np.eye(40), 0.3, f * limit, grid, conditions))
        ).max()
        for f in (1.0, 1.01)
    ]
    assert growth[0] <= 1 + 1e-12
    assert growth[1] > 1.005


def carried(step, n, speed=1.0):
    """Let sin⁴ 4πx on [0, 1] leave through the upper face of [0, 2], or its mirror image."""

    def profile(x):
        return np.where(x < 0, 0.0, np.sin(4 * np.pi * np.clip(x, 0, 1)) ** 4)

    grid = Grid(("x",), (0.0,), (2.0,), (n,), (False,))
    x = grid.centres() if speed > 0 else 2.0 - grid.centres()
    steps = round(1.4 / (0.6 * grid.spacing["x"]))
    q, u = profile(x), speed * np.ones(n)
    sides = (Dirichlet(0.0), Extrapolation())
    conditions = {"x": sides if speed > 0 else sides[::-1]}
    for _ in range(steps):
        q = step(q, u, 1.4 / steps, grid, conditions=conditions)
    return np.abs(q - profile(x - 1.4)).mean()


@pytest.mark.parametrize("speed", [1.0, -1.0])
@pytest.mark.parametrize(
    ("step", "expected", "sizes"),
    [
        (upwind, 1, (1024, 2048)),
        (semi_lagrangian, 1, (1024, 2048)),
        (lambda *a, **k: semi_lagrangian(*a, order="cubic", **k), 3, (256, 512)),
        (maccormack, 2, (512, 1024)),
    ],
    ids=["upwind", "linear", "cubic", "maccormack"],
)
def test_advection_through_a_box(step, expected, sizes, speed, observed_order):
    order = observed_order(lambda n: carried(step, n, speed), sizes)
    assert order == pytest.approx(expected, abs=0.2)


def test_what_flows_in_is_the_value_on_the_face():
    """After one passage every cell holds what stood at the inflow, whatever the outflow."""
    grid, conditions = box(16), {"x": (Dirichlet(3.0), Extrapolation())}
    start, u = np.random.default_rng(0).normal(size=16), np.ones(16)
    for step, tolerance in ((semi_lagrangian, 1e-12), (maccormack, 1e-3), (upwind, 1e-3)):
        q = start
        for _ in range(80):
            q = step(q, u, 0.1, grid, conditions=conditions)
        np.testing.assert_allclose(q, 3.0, rtol=tolerance)


def square(u):
    return u * u / 2


@pytest.mark.parametrize("limiter", ["van_leer", "minmod", "mc"])
def test_finite_volumes_of_a_spreading_wave(limiter, observed_order):
    """The value is given where the wave enters; nothing is known where it leaves."""

    def error(n):
        grid = Grid(("x",), (0.0,), (1.0,), (n,), (False,))
        x, t, steps = grid.centres(), 0.0, 4 * n
        u = exact_ramp(x, 0.0)
        for _ in range(steps):
            dt = 0.25 / steps
            at = t + dt / 2
            u = ssp_rk2(
                lambda v, at=at: muscl_divergence(
                    v, square, grid, limiter=limiter,
                    conditions={"x": (Dirichlet(exact_ramp(0.0, at)), Extrapolation())},
                ),
                u, dt,
            )  # fmt: skip
            t += dt
        return np.abs(u - exact_ramp(x, 0.25)).mean()

    assert observed_order(error, (128, 256)) > 1.7


def exact_ramp(x, t):
    """Characteristics from u₀ = (1 + x)²: u = (1 + x − u t)², the smaller root."""
    if t == 0:
        return (1 + x) ** 2
    b = 2 * (1 + x) * t + 1
    return (b - np.sqrt(b * b - 4 * t * t * (1 + x) ** 2)) / (2 * t * t)


def test_a_shock_leaves_through_the_face():
    grid = Grid(("x",), (0.0,), (1.0,), (64,), (False,))
    conditions = {"x": (Dirichlet(1.0), Neumann(0.0))}
    u = np.where(grid.centres() < 0.3, 1.0, 0.2)
    mass = [u.mean()]
    for _ in range(320):
        u = ssp_rk3(lambda v: muscl_divergence(v, square, grid, conditions=conditions), u, 0.005)
        mass.append(u.mean())
        assert u.min() > 0.2 - 1e-12
        assert u.max() < 1.0 + 1e-12
    # ∫u grows by ½·1² − ½·0.2² per time until the shock, of speed 0.6, arrives at t = 0.7/0.6
    assert mass[100] - mass[0] == pytest.approx(0.5 * 0.48, abs=1e-3)
    np.testing.assert_allclose(u, 1.0, atol=1e-6)


def test_the_sum_changes_by_what_the_faces_let_through():
    """Towards the inside at both ends, so that the fluxes are those of the given values."""
    u, h = np.random.default_rng(0).normal(size=32), box(32).spacing["x"]
    u[[0, -1]] = 0.0
    sides = (Dirichlet(0.7), Dirichlet(-0.4))
    rate = muscl_divergence(u, square, box(32), conditions={"x": sides})
    assert h * rate.sum() == pytest.approx(square(0.7) - square(-0.4), abs=1e-13)


def test_a_plane_with_one_open_axis_is_a_stack_of_lines():
    plane = Grid(("x", "y"), (-0.5, 0.0), (1.5, 1.0), (16, 5), (False, True))
    random = np.random.default_rng(0)
    q, u = random.normal(size=(2, 16))
    conditions = {"x": (Dirichlet(0.3), Neumann(-0.2))}
    wide = {"x": np.repeat(u[:, None], 5, 1), "y": random.normal(size=(16, 5))}
    for step in (semi_lagrangian, maccormack, upwind):
        found = step(np.repeat(q[:, None], 5, 1), wide, 0.05, plane, conditions=conditions)
        alone = step(q, u, 0.05, box(16), conditions=conditions)
        np.testing.assert_allclose(found, np.repeat(alone[:, None], 5, 1), atol=1e-13)


@pytest.mark.parametrize(
    "operator",
    [
        lambda u, g, **k: laplacian(u, g, **k),
        lambda u, g, **k: central_difference(u, g, **k),
        lambda u, g, **k: muscl_divergence(u, square, g, **k),
        lambda u, g, **k: semi_lagrangian(u, u, 0.1, g, **k),
        lambda u, g, **k: maccormack(u, u, 0.1, g, **k),
        lambda u, g, **k: upwind(u, u, 0.1, g, **k),
    ],
)
def test_an_open_axis_needs_conditions(operator):
    with pytest.raises(ValueError, match=r"'x' is not periodic.*conditions=.*Dirichlet"):
        operator(np.ones(8), box(8))
    with pytest.raises(ValueError, match="with"):
        operator(np.ones(9), box(8), conditions={"x": Neumann()})
    assert operator(np.ones(8), box(8), conditions={"x": Neumann()}).shape == (8,)


def test_too_few_cells_are_refused():
    with pytest.raises(ValueError, match="'x' needs at least 3 cells here, got 2"):
        laplacian(np.ones(2), box(2), {"x": Dirichlet()})
