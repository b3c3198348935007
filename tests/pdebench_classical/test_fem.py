"""Finite elements: orders on shapes, conditions, nonlinear fluxes, systems, time."""

from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_classical._fem import _Marching, _Newton
from pdebench_classical._fem_space import Space
from pdebench_classical._fem_weak import WeakForm
from pdebench_lite.problem import (
    Box,
    Dirichlet,
    Disc,
    Domain,
    Interval,
    Neumann,
    Periodic,
    Polygon,
    Robin,
    Stationary,
)
from pdebench_lite.problem.geometry import Ball, Difference
from pdebench_lite.registry.discovery import registry
from pdebench_lite.selectors import parse_selector
from pdebench_lite.testing.attempt import attempt

SQUARE = Box(x=(0, 1), y=(0, 1))
DISC = Disc((0.2, -0.1), 1.0)


def laplace(source):
    """−Δu = source."""

    def flux(d):
        return {"u": {a: d[f"u_{a}"] for a in "xyz" if f"u_{a}" in d}}

    return Stationary(flux, lambda d: {"u": -source(d)})


def solved(domain, stated, order, cells, fields=("u",), **known):
    """Return the space and the values at its nodes."""
    space = Space(domain, order, cells)
    weak = WeakForm(space, domain, fields, stated, known, frozenset())
    values = weak.impose(np.zeros(weak.free.shape), None)
    for values in _Newton(weak).stationary(values):  # noqa: B007, B020
        pass
    return space, values


def error(domain, stated, exact, order, cells):
    """Return the L2 error by the quadrature of the shape."""
    space, values = solved(domain, stated, order, cells)
    points, w = domain.geometry.quadrature(14)
    at = np.stack([points[a.name] for a in domain.space], axis=1)
    cell, shape = space.locate(at)
    found = np.einsum("na,na->n", shape, values[0][space.numbers[cell]])
    return float(np.sqrt(np.sum(w * (found - exact(points)) ** 2)))


def wavy(p):
    return np.sin(2 * p["x"] + 0.5) * np.cos(1.5 * p["y"])


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", [SQUARE, DISC], ids=["square", "disc"])
def test_the_error_falls_by_one_power_more_than_the_order(shape, order):
    """On curved sides too: no polygon is computed on."""
    domain = Domain(shape, boundary=Dirichlet(wavy))
    stated = laplace(lambda d: (4 + 2.25) * wavy(d))
    coarse, fine = (error(domain, stated, wavy, order, n) for n in (3, 6))
    assert np.log2(coarse / fine) == pytest.approx(order + 1, abs=0.45)


def test_the_order_falls_to_four_thirds_at_a_corner_that_points_inwards_and_grading_helps():
    def rel_l2(method):
        done = attempt(registry(), "poisson[shape=l-shape]", method, "numpy", 10**6)
        return done.metrics["rel_l2"]

    coarse, fine = rel_l2("fem[order=2,cells=4]"), rel_l2("fem[order=2,cells=8]")
    assert np.log2(coarse / fine) == pytest.approx(4 / 3, abs=0.2)
    assert rel_l2("fem[order=4,cells=8,grading=4]") < rel_l2("fem[order=4,cells=8]") / 50


def test_a_ball_and_a_line():
    def square(p):
        return sum(p[a] ** 2 for a in "xyz" if a in p)

    for shape, d in ((Ball(), 3), (Box(x=(0, 1), y=(0, 2), z=(-1, 0)), 3), (Interval(x=(0, 2)), 1)):
        domain = Domain(shape, boundary=Dirichlet(square))
        stated = laplace(lambda d, n=d: -2.0 * n + 0.0 * d["x"])
        assert error(domain, stated, square, 2, 3) < (2e-3 if isinstance(shape, Ball) else 1e-12)


def test_every_kind_of_condition_at_once():
    """Exact solution x² + 3y: a flux in, a flux out, a Robin side, given values."""
    domain = Domain(
        SQUARE,
        boundary=(
            Dirichlet(lambda p: 3 * p["y"], on=("x_lower",)),
            Neumann(2.0, on=("x_upper",)),
            Robin(2.0, 0.5, lambda p: 2 * p["x"] ** 2 - 1.5, on=("y_lower",)),
            Neumann(3.0, on=("y_upper",)),
        ),
    )
    stated = laplace(lambda d: -2.0 + 0.0 * d["x"])
    assert error(domain, stated, lambda p: p["x"] ** 2 + 3 * p["y"], 2, 2) < 1e-12


def test_periodic_sides():
    domain = Domain(SQUARE, boundary=(Periodic("x"), Dirichlet(0.0)))

    def exact(p):
        return np.sin(2 * np.pi * p["x"]) * np.sin(np.pi * p["y"])

    stated = laplace(lambda d: 5 * np.pi**2 * exact(d))
    assert error(domain, stated, exact, 4, 8) < 3e-6


def test_a_nonlinear_flux_by_newton():
    """−∇·((1 + u²)∇u) = f, u = x + 2y: f = −2u·5; quadratic convergence needs exact slopes."""
    domain = Domain(
        SQUARE, boundary=(Dirichlet(lambda p: p["x"] + 2 * p["y"]), Neumann(1.0, on=("x_upper",)))
    )

    def flux(d):
        a = 1 + d["u"] ** 2
        return {"u": {"x": a * d["u_x"], "y": a * d["u_y"]}}

    def source(d):
        return {"u": 10 * (d["x"] + 2 * d["y"])}

    stated = Stationary(flux, source, linear=False)
    assert error(domain, stated, lambda p: p["x"] + 2 * p["y"], 2, 4) < 1e-12


def test_a_field_that_is_known_up_to_a_constant_is_zero_at_one_node():
    slopes = (Neumann(1.0, on=("x_upper",)), Neumann(-1.0, on=("x_lower",)))
    domain = Domain(SQUARE, boundary=(Neumann(0.0), *slopes))
    space = Space(domain, 2, 3)
    weak = WeakForm(space, domain, ("u",), laplace(lambda d: 0 * d["x"]), {}, frozenset({"u"}))
    (values,) = _Newton(weak).stationary(weak.impose(np.zeros(weak.free.shape), None))
    np.testing.assert_allclose(np.ptp(values[0] - space.at[:, 0]), 0.0, atol=1e-12)


def test_a_system_with_a_coefficient_of_place():
    """−∇·(k∇u) + v = f, −Δv = 0: what one equation reads of the other's field is in the matrix."""
    domain = Domain(SQUARE, boundary=(
        Dirichlet(lambda p: p["x"] ** 2, fields=("u",)), Dirichlet(lambda p: p["y"], fields=("v",))
    ))  # fmt: skip
    k = lambda p: 1 + p["x"]  # noqa: E731

    def flux(d):
        return {
            "u": {a: d["k"] * d[f"u_{a}"] for a in "xy"},
            "v": {a: d[f"v_{a}"] for a in "xy"},
        }

    def source(d):  # ∇·(k∇x²) = 2 + 4x
        return {"u": d["v"] + 2 + 4 * d["x"] - d["y"]}

    space, values = solved(domain, Stationary(flux, source), 2, 3, ("u", "v"), k=k)
    np.testing.assert_allclose(values[0], space.at[:, 0] ** 2, atol=1e-12)
    np.testing.assert_allclose(values[1], space.at[:, 1], atol=1e-12)


def test_heat_in_time_falls_by_the_fourth_power():
    """u_t = u_xx, u = exp(−π²t) sin πx: the space is exact enough that time alone is seen."""
    domain = Domain(Interval(x=(0, 1)), (0, 0.2), Dirichlet(0.0))
    space = Space(domain, 4, 48)
    stated = Stationary(lambda d: {"u": {"x": d["u_x"]}})
    start = lambda p: {"u": np.sin(np.pi * p["x"])}  # noqa: E731
    view = SimpleNamespace(domain=domain, fields=("u",), start=start)

    def gap(steps):
        weak = WeakForm(space, domain, ("u",), stated, {}, frozenset())
        marching = _Marching(weak, _Newton(weak), view, 0.0, 0.2 / steps)
        for _ in range(steps):
            marching.advance()
        truth = np.exp(-(np.pi**2) * 0.2) * np.sin(np.pi * space.at[:, 0])
        return np.max(np.abs(marching.at(0.2)[0] - truth))

    gaps = [gap(n) for n in (4, 8, 16)]
    orders = np.log2(np.array(gaps[:-1]) / gaps[1:])
    assert orders[-1] == pytest.approx(4, abs=0.35), gaps


@pytest.mark.parametrize(
    "shape",
    [
        SQUARE, DISC, Ball(), Interval(x=(-1, 2)),
        Polygon(((0, 0), (2, 0), (2, 1), (0, 1)), holes=(((0.5, 0.3), (1, 0.3), (0.7, 0.7)),)),
        Difference(SQUARE, (Disc((0.3, 0.35), 0.1), Disc((0.75, 0.6), 0.15))),
    ],
    ids=lambda s: type(s).__name__,
)  # fmt: skip
def test_the_blocks_fill_the_shape_and_fit_each_other(shape):
    """The volume is right, and so is the length of the boundary: no face is left open."""
    space = Space(Domain(shape), 4, 2, 2.0 if isinstance(shape, Polygon) else 1.0)
    assert np.sum(space.inside.weights) == pytest.approx(shape.volume, rel=1e-4)
    gaps = [
        np.max(shape.gaps(dict(zip(shape.names, space.at[numbers].T, strict=True)))[
            shape.parts.index(part)
        ])
        for part, numbers in space.boundary_nodes()
    ]  # fmt: skip
    assert max(gaps) < 1e-9
    normal_flux = sum(
        np.sum(face.weights * np.sum(face.normals * face.at, axis=-1)) for face in space.faces
    )
    assert normal_flux == pytest.approx(len(shape.names) * shape.volume, rel=1e-4)


def test_points_between_the_rim_and_its_polynomial_are_found():
    space = Space(Domain(DISC), 2, 3)
    angle = np.linspace(0, 6, 40)
    at = np.stack([0.2 + np.cos(angle), -0.1 + np.sin(angle)], axis=1)
    cell, shape = space.locate(at)
    np.testing.assert_allclose(np.einsum("na,nad->nd", shape, space.nodes[cell]), at, atol=1e-9)


@pytest.mark.parametrize(
    ("problem", "settings", "reason"),
    [
        ("kovasznay", {}, "no fluxes and sources"),
        ("burgers", {}, "no fluxes and sources"),
        ("wave", {}, "no fluxes and sources"),
        ("poisson[shape=l-shape]", {"grading": 8, "cells": 16}, "grading=8 makes cells of 2e-10"),
    ],
)
def test_what_it_cannot_do_it_says(problem, settings, reason):
    known = registry()
    method = known.method("fem")
    support = method.supports(known.task(parse_selector(problem)), method.Config(**settings))
    assert not support.ok
    assert reason in support.reason


def test_it_equals_scikit_fem_where_both_have_the_element():
    """Biquadratic elements on a square, −Δu = 1 + xy: the same numbers at the same nodes."""
    import skfem
    from skfem.models.poisson import laplace as stiffness

    ticks = np.linspace(0, 1, 4)
    basis = skfem.Basis(skfem.MeshQuad.init_tensor(ticks, ticks), skfem.ElementQuad2())
    load = skfem.LinearForm(lambda v, w: (1 + w.x[0] * w.x[1]) * v).assemble(basis)
    matrix = stiffness.assemble(basis)
    theirs = skfem.solve(*skfem.condense(matrix, load, D=basis.get_dofs()))
    domain = Domain(SQUARE, boundary=Dirichlet(0.0))
    space, values = solved(domain, laplace(lambda d: 1 + d["x"] * d["y"]), 2, 3)
    cell, shape = space.locate(basis.doflocs.T)
    mine = np.einsum("na,na->n", shape, values[0][space.numbers[cell]])
    np.testing.assert_allclose(mine, theirs, atol=1e-14)


def test_allen_cahn_in_time_by_newton_from_the_selector_on():
    done = attempt(
        registry(), "allen-cahn[ic=smooth,diffusion=0.01]", "fem[order=4,cells=32,steps=48]",
        "numpy", 10**6,
    )  # fmt: skip
    assert done.metrics["rel_l2"] < 2e-5
    assert done.solution.details["time_error"] < 1e-3
