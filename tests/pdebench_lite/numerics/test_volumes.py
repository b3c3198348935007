"""Finite volumes, the fast Laplacian, and the Krylov and Newton methods on top of them."""

import numpy as np
import pytest

from pdebench_lite.numerics.krylov import conjugate_gradients, newton, stabilised_bicg
from pdebench_lite.numerics.poisson import FastPoisson
from pdebench_lite.numerics.reading import CellValues
from pdebench_lite.numerics.volumes import to_faces
from pdebench_lite.problem import (
    Box,
    Dirichlet,
    Domain,
    Field,
    Neumann,
    Periodic,
    Robin,
    Stationary,
)
from pdebench_lite.problem.volumes import FiniteVolumes

pi = np.pi
FIELDS = (Field("u"),)


def solved(stated, domain, cells, coefficients=None, symmetric=None, fields=FIELDS):
    grid = domain.grid(cells)
    described = {f.name: f for f in fields}
    equations = FiniteVolumes(stated, domain, described, grid)
    points = grid.points()
    known = {k: v(points) if callable(v) else v for k, v in (coefficients or {}).items()}
    if symmetric is not None:
        assert equations.is_symmetric(known) == symmetric
    found, count = equations.solve(known, np.empty(0), bool(symmetric))
    return found, count, points


def order(stated, domain, exact, cells=(16, 32), **kwargs):
    errors = []
    for n in cells:
        found, _, points = solved(stated, domain, n, **kwargs)
        errors.append(np.sqrt(np.mean((found["u"] - exact(points)) ** 2)))
    return np.log2(errors[0] / errors[1])


def manufactured(p):
    """u = sin(x + 2y) + x y, whose slopes and Laplacian are known."""
    return np.sin(p["x"] + 2 * p["y"]) + p["x"] * p["y"]


def slope_x(p):
    return np.cos(p["x"] + 2 * p["y"]) + p["y"]


def slope_y(p):
    return 2 * np.cos(p["x"] + 2 * p["y"]) + p["x"]


def gradient(d):
    return {"u": {a: d[f"u_{a}"] for a in "xy"}}


BOX = Box(x=(0.0, 1.0), y=(0.0, 0.5))
SIDES = (
    Dirichlet(manufactured, on=("x_lower",)),
    Neumann(slope_x, on=("x_upper",)),
    Robin(2.0, 1.0, lambda p: 2 * manufactured(p) - slope_y(p), on=("y_lower",)),
    Dirichlet(manufactured, on=("y_upper",)),
)


def test_all_conditions_together_are_of_second_order():
    stated = Stationary(gradient, lambda d: {"u": -5 * np.sin(d["x"] + 2 * d["y"])})
    assert order(stated, Domain(BOX, boundary=SIDES), manufactured, symmetric=True) > 1.9


def test_a_tensor_and_a_velocity_make_it_unsymmetric_and_of_second_order():
    def flux(d):
        return {"u": {
            "x": 2 * d["u_x"] + 0.5 * d["u_y"] - 3 * d["u"],
            "y": d["u_y"] + 0.5 * d["u_x"],
        }}  # fmt: skip

    def source(d):
        wave = np.sin(d["x"] + 2 * d["y"])
        # ∇·flux = −(2 + 4 + 2) sin + 1 (of xy, twice ½) − 3 u_x
        return {"u": -8 * wave + 1.0 - 3 * (np.cos(d["x"] + 2 * d["y"]) + d["y"])}

    sides = Dirichlet(manufactured)
    assert order(Stationary(flux, source), Domain(BOX, boundary=sides), manufactured,
                 symmetric=False) > 1.8  # fmt: skip


def test_newton_solves_a_nonlinear_equation():
    def flux(d):
        return {"u": {a: (1 + d["u"] ** 2) * d[f"u_{a}"] for a in "xy"}}

    def source(d):
        u = manufactured(d)
        flat = -5 * np.sin(d["x"] + 2 * d["y"])
        return {"u": (1 + u**2) * flat + 2 * u * (slope_x(d) ** 2 + slope_y(d) ** 2)}

    stated = Stationary(flux, source, linear=False)
    sides = Dirichlet(manufactured)
    assert order(stated, Domain(BOX, boundary=sides), manufactured, symmetric=False) > 1.9


@pytest.mark.parametrize(("strength", "solvable"), [(1.0, True), (10.0, False)])
def test_what_has_no_solution_leaves_a_residual(strength, solvable):
    """u'' + λ eᵘ = 0 (Bratu) has solutions up to λ = 3.51 only."""
    domain = Domain(Box(x=(0.0, 1.0)), boundary=Dirichlet(0.0))
    stated = Stationary(
        lambda d: {"u": {"x": d["u_x"]}}, lambda d: {"u": -strength * np.exp(d["u"])}, linear=False
    )
    equations = FiniteVolumes(stated, domain, {"u": Field("u")}, domain.grid(16))
    found, _ = equations.solve({}, np.empty(0), True)
    assert (equations.left(found, {}) < 1e-9) == solvable


def test_a_field_known_up_to_a_constant_has_mean_zero():
    domain = Domain(Box(x=(0.0, 1.0), y=(0.0, 1.0)), boundary=(Periodic("x"), Neumann(0.0)))

    def exact(p):
        return np.cos(2 * pi * p["x"]) * np.cos(pi * p["y"])

    stated = Stationary(gradient, lambda d: {"u": -5 * pi**2 * exact(d)})
    found, _, points = solved(stated, domain, 32, symmetric=True, fields=(Field("u", gauge=True),))
    assert abs(found["u"].mean()) < 1e-12
    assert np.max(np.abs(found["u"] - exact(points))) < 0.01


@pytest.mark.parametrize("box", [{"x": (0, 1)}, {"x": (0, 1), "y": (0, 2), "z": (0, 1)}])
def test_one_and_three_dimensions(box):
    domain = Domain(Box(**box), boundary=Dirichlet(0.0))
    waves = [(a, pi / (hi - lo)) for a, (lo, hi) in box.items()]

    def exact(p):
        return np.prod([np.sin(k * p[a]) for a, k in waves], axis=0)

    scale = sum(k * k for _, k in waves)
    stated = Stationary(
        lambda d: {"u": {a: d[f"u_{a}"] for a in box}}, lambda d: {"u": -scale * exact(d)}
    )
    assert order(stated, domain, exact, cells=(8, 16), symmetric=True) > 1.9


def test_through_layers_in_series_goes_the_exact_flux():
    """a jumps from 1 to 100 between two cells: the harmonic mean is exact, at any resolution."""
    domain = Domain(Box(x=(0.0, 1.0)), boundary=(Dirichlet(0.0, on=("x_lower",)),
                                                 Dirichlet(1.0, on=("x_upper",))))  # fmt: skip
    layers = {"a": lambda p: np.where(p["x"] < 0.5, 1.0, 100.0)}
    for mean in ("a",), ():
        stated = Stationary(lambda d: {"u": {"x": d["a"] * d["u_x"]}}, harmonic=mean)
        found, _, points = solved(stated, domain, 10, layers, True)
        x, share = points["x"], 2.0 / (1 + 0.01)
        exact = np.where(x < 0.5, share * x, 1 - 0.01 * share * (1 - x))
        assert (np.max(np.abs(found["u"] - exact)) < 1e-12) == bool(mean)


def test_iterations_do_not_grow_with_the_grid():
    """−∇·(a∇u) = 1 with a from 1/8 to 8: the preconditioner's promise."""
    domain = Domain(Box(x=(0.0, 1.0), y=(0.0, 1.0)), boundary=Dirichlet(0.0))
    a = {"a": lambda p: 8 ** (np.cos(pi * p["x"]) * np.cos(2 * pi * p["y"]))}
    stated = Stationary(
        lambda d: {"u": {k: d["a"] * d[f"u_{k}"] for k in "xy"}}, lambda d: {"u": 0 * d["u"] - 1.0},
        harmonic=("a",),
    )  # fmt: skip
    counts = [solved(stated, domain, n, a, True)[1] for n in (16, 64)]
    assert counts[1] <= 30
    assert counts[1] <= counts[0] + 4


def test_the_fast_laplacian_is_the_inverse_on_mixed_ends():
    domain = Domain(BOX, boundary=SIDES)
    grid = domain.grid((6, 5))
    equations = FiniteVolumes(Stationary(gradient), domain, {"u": Field("u")}, grid)
    fast = FastPoisson.on(grid, domain.ghosts("u", grid, None, np.empty(0)), np.empty(0))
    r = np.random.default_rng(0).standard_normal((2, 1, *grid.cells))
    zero = equations.residual(0 * r, {})
    np.testing.assert_allclose(equations.residual(fast(r), {}) - zero, r, atol=1e-11)


def test_krylov_methods_solve_batches_each_to_rounding():
    rng = np.random.default_rng(1)
    A = rng.standard_normal((7, 7)) + 7 * np.eye(7)
    b = rng.standard_normal((3, 7)) * np.array([[1.0], [1e-6], [0.0]])
    for method, matrix in ((stabilised_bicg, A), (conjugate_gradients, A @ A.T)):
        x, _ = method(lambda v, m=matrix: v @ m.T, b, lambda r: r, 1)
        np.testing.assert_allclose(x, np.linalg.solve(matrix, b.T).T, rtol=1e-9)


def test_newton_halves_steps_that_go_too_far():
    """From 3, plain Newton on arctan diverges."""
    found = newton(np.arctan, np.array([3.0]), lambda apply, b: b / apply(np.ones(1)), 1)
    assert abs(found[0]) < 1e-8


def test_means_at_faces():
    grid = Domain(Box(x=(0.0, 1.0)), boundary=Dirichlet(0.0)).grid(3)
    values = np.array([1.0, 3.0, 6.0])
    np.testing.assert_allclose(to_faces(values, grid, "x"), [0.0, 2.0, 4.5, 7.5])
    np.testing.assert_allclose(to_faces(values, grid, "x", harmonic=True), [1.0, 1.5, 4.0, 6.0])
    assert to_faces(2.0, grid, "x") == 2.0


def test_cells_are_read_alike_at_points_and_on_a_grid():
    grid = Domain(BOX, boundary=SIDES).grid((12, 9))
    values = CellValues(grid, {"u": manufactured(grid.points())})
    axes = {"x": np.linspace(0, 1, 5), "y": np.linspace(0, 0.5, 4)}
    mesh = dict(zip("xy", (m.ravel() for m in np.meshgrid(*axes.values(), indexing="ij")),
                    strict=True))  # fmt: skip
    flat = values.at(mesh)["u"]
    np.testing.assert_allclose(values.on_grid(axes)["u"].ravel(), flat, atol=1e-14)
    np.testing.assert_allclose(flat, manufactured(mesh), atol=1e-4)
