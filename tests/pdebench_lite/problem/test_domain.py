"""One statement of the boundary, and what follows from it: gaps, ghost cells, lifts, embedding."""

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.numerics.operators import Differences, Spectral
from pdebench_lite.problem import (
    Axis,
    Box,
    Dirichlet,
    Domain,
    Interval,
    Neumann,
    Periodic,
    Polygon,
    Robin,
)


def smooth(p):
    return np.sin(p["x"] + 0.3) * np.exp(0.5 * p.get("y", 0.0)) * (1.0 + p.get("t", 0.0))


def slope_x(p):
    return np.cos(p["x"] + 0.3) * np.exp(0.5 * p.get("y", 0.0)) * (1.0 + p.get("t", 0.0))


MIXED = Domain(
    Box(x=(0, 1), y=(0, 2)),
    (0, 1),
    (
        Dirichlet(smooth),
        Neumann(slope_x, on=("x_upper",)),
        Robin(2.0, 1.0, lambda p: 2.5 * smooth(p), on=("y_upper",)),  # ∂u/∂y = u/2
    ),
)


def test_the_last_statement_wins():
    assert MIXED.condition("x_lower", "u").beta == 0.0
    assert MIXED.condition("x_upper", "u").alpha == 0.0
    assert MIXED.condition("y_upper", "u").alpha == 2.0
    assert MIXED.parts == ("x_lower", "x_upper", "y_lower", "y_upper")


def test_the_gap_of_a_solution_vanishes():
    for part in MIXED.parts:
        surface = MIXED.spread_on(part, np.random.default_rng(0), 30)
        p = surface.points
        d = {"u": smooth(p), "u_x": slope_x(p), "u_y": 0.5 * smooth(p)}
        condition = MIXED.condition(part, "u")
        assert set(condition.needs("u", ("x", "y"))) <= set(d)
        np.testing.assert_allclose(condition.gap("u", d, p, surface.normals), 0.0, atol=1e-14)
        wrong = condition.gap("u", {k: v + 0.1 for k, v in d.items()}, p, surface.normals)
        assert np.abs(wrong).min() > 0.05


@pytest.mark.parametrize("order", [2, 4])
def test_ghost_cells_keep_the_order_of_differences(order):
    """∂x, ∂xx and the Laplacian up to the walls, with conditions of all three kinds at a time."""
    t, errors = 0.4, {"x": [], "xx": [], "yy": []}
    for n in (16, 32, 64):
        grid = MIXED.grid(n)
        points = {**grid.points(), "t": t}
        u = smooth(points)
        on = Differences(grid, t, lambda name, like, g=grid: MIXED.ghosts(name, g, t, like), order)
        truth = {"x": slope_x(points), "xx": -u, "yy": 0.25 * u}
        for axes, values in truth.items():
            errors[axes].append(np.abs(on.d(u, axes, "u") - values).max())
    for axes, (_, coarse, fine) in errors.items():
        least = order - 0.3 if len(axes) == 1 else order - 1.3  # the ghost's own error, over h²
        assert np.log2(coarse / fine) > least, axes


def test_spectral_derivatives_and_the_inverse_laplacian():
    domain = Domain(Box(x=(0, 2 * np.pi), y=(0, 2 * np.pi)), boundary=Periodic("x", "y"))
    grid = domain.grid((16, 12))
    p = grid.points()
    u = np.sin(2 * p["x"]) * np.cos(p["y"])
    on = Spectral(grid)
    np.testing.assert_allclose(on.d(u, "xy"), -2 * np.cos(2 * p["x"]) * np.sin(p["y"]), atol=1e-12)
    np.testing.assert_allclose(on.laplacian(u), -5 * u, atol=1e-12)
    np.testing.assert_allclose(on.inverse_laplacian(-5 * u + 3.0), u, atol=1e-13)


def test_a_lift_has_the_stated_values_on_every_side():
    """Sides with values of their own are blended; at corners they agree."""
    values = {
        "x_lower": lambda p: np.sin(p["y"]),
        "x_upper": lambda p: np.sin(p["y"]) + p["y"] * (1 - p["y"]),
        "y_lower": lambda p: 0.0 * p["x"],
        "y_upper": lambda p: np.sin(1.0) + 0.0 * p["x"],
    }
    sides = tuple(Dirichlet(v, on=(part,)) for part, v in values.items())
    domain = Domain(Box(x=(0, 1), y=(0, 1)), boundary=sides)
    for part, value in values.items():
        p = domain.spread_on(part, np.random.default_rng(0), 20).points
        lift, distance = domain.hard("u", p)
        np.testing.assert_allclose(lift, value(p), atol=1e-14)
        np.testing.assert_allclose(distance, 0.0, atol=1e-15)
        assert domain.is_hard(part, "u")


def test_only_dirichlet_sides_of_convex_shapes_are_hard():
    p = {"x": np.array([0.5]), "y": np.array([0.5]), "t": np.array([0.0])}
    assert not MIXED.is_hard("x_upper", "u")
    assert MIXED.is_hard("x_lower", "u")
    _, distance = MIXED.hard("u", p)
    assert distance == pytest.approx(0.5 * 0.25)  # of x = 0 and y = 0, each over its length
    corner = Polygon(((0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (0, 2)))
    assert Domain(corner, boundary=Dirichlet()).hard("u", p) is None


def test_a_time_axis_may_be_called_otherwise():
    domain = Domain(Interval(x=(0, 1)), Axis("s", 1.0, 3.0), Periodic("x"))
    assert domain.names == ("x", "s")
    points = domain.spread(np.random.default_rng(0), 50)
    assert set(points) == {"x", "s"}
    assert points["s"].min() >= 1.0
    np.testing.assert_allclose(domain.to_unit(points)[1], (points["s"] - 1) / 2)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Domain(Interval(x=(0, 1)), boundary=Periodic("y")), "no axis 'y' of a box"),
        (lambda: Domain(Interval(x=(0, 1)), boundary=Dirichlet(on=("left",))), "no boundary part"),
        (lambda: Domain(Interval(x=(0, 1)), (1, 0)), "lower < upper"),
        (lambda: Domain(Polygon(((0, 0), (1, 0), (0, 1)))).grid(8), "not a box"),
        (
            lambda: Domain(Interval(x=(0, 1))).ghosts(
                "u", Domain(Interval(x=(0, 1))).grid(8), 0.0, np.ones(8)
            ),
            "no boundary condition for u on x_lower",
        ),
    ],
)
def test_what_is_no_domain_is_refused(make, words):
    with pytest.raises(PdebenchError, match=words):
        make()
