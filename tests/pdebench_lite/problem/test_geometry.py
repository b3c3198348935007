"""Shapes: points inside, normals outwards, quadrature that is exact, distances that vanish."""

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.numerics import jets
from pdebench_lite.problem import Ball, Box, Difference, Disc, Interval, Polygon

L_SHAPE = Polygon(((0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (0, 2)))
HOLED = Polygon(((0, 0), (3, 0), (3, 2), (0, 2)), (((1, 0.5), (2, 0.5), (1.5, 1.5)),))
SHAPES = {
    "interval": Interval(x=(-1, 2)),
    "box": Box(x=(0, 2), y=(-1, 1)),
    "cube": Box(x=(0, 1), y=(0, 2), z=(-1, 0)),
    "disc": Disc((0.2, 0.1), 0.7),
    "ball": Ball((0.0, 1.0, 0.0), 0.5),
    "l": L_SHAPE,
    "holed": HOLED,
    "plate": Difference(Box(x=(-0.5, 0.5), y=(-0.5, 0.5)), (Disc((0.1, 0.0), 0.2),)),
}
VOLUMES = {
    "interval": 3.0, "box": 4.0, "cube": 2.0, "disc": 0.49 * np.pi, "ball": np.pi / 6,
    "l": 3.0, "holed": 5.5, "plate": 1 - 0.04 * np.pi,
}  # fmt: skip


@pytest.fixture(params=SHAPES)
def name(request):
    return request.param


def test_volumes(name):
    shape = SHAPES[name]
    assert shape.volume == pytest.approx(VOLUMES[name], rel=1e-14)
    _, weights = shape.quadrature(24)
    assert weights.sum() == pytest.approx(VOLUMES[name], rel=1e-13)
    assert (weights > 0).all()


def test_points_are_inside_and_repeatable(name):
    shape = SHAPES[name]
    for draw in (shape.sample, shape.spread):
        points = draw(np.random.default_rng(3), 500)
        assert {len(p) for p in points.values()} == {500}
        assert shape.contains(points).all()
        again = draw(np.random.default_rng(3), 500)
        assert all(np.array_equal(points[a], again[a]) for a in shape.names)
    assert shape.contains(shape.quadrature(6)[0]).all()


def test_points_are_spread_evenly(name):
    """Their means are those of the shape, to within a few standard errors."""
    shape = SHAPES[name]
    at, weights = shape.quadrature(16)
    points = shape.sample(np.random.default_rng(0), 20_000)
    for a in shape.names:
        mean = np.sum(weights * at[a]) / shape.volume
        assert points[a].mean() == pytest.approx(mean, abs=5 * points[a].std() / np.sqrt(20_000))


def test_integrals_of_smooth_functions(name):
    """At n = 24 they are right to 1e-10 of those at n = 48, and of exact ones where known."""
    shape = SHAPES[name]

    def f(p):
        return np.exp(sum(p.values())) * np.cos(2 * p["x"])

    low, high = (float(np.sum(w * f(p))) for p, w in map(shape.quadrature, (24, 48)))
    assert low == pytest.approx(high, rel=1e-10)


def test_moments_of_round_shapes():
    at, w = SHAPES["plate"].quadrature(16)
    hole = np.pi * 0.04 * (0.01 + 0.04 / 4)  # ∫x² over the disc: area·(centre² + r²/4)
    assert np.sum(w * at["x"] ** 2) == pytest.approx(1 / 12 - hole, rel=1e-12)
    at, w = SHAPES["ball"].quadrature(8)
    assert np.sum(w * at["z"] ** 2) == pytest.approx(4 / 15 * np.pi * 0.5**5, rel=1e-12)


def test_normals_point_outwards(name):
    shape = SHAPES[name]
    for part in shape.parts:
        surface = shape.spread_on(part, np.random.default_rng(1), 40)
        lengths = sum(n**2 for n in surface.normals.values())
        np.testing.assert_allclose(lengths, 1.0, atol=1e-14)
        for sign in (-1, 1):
            near = {a: surface.points[a] + sign * 1e-6 * surface.normals[a] for a in shape.names}
            assert (shape.contains(near) == (sign < 0)).all(), part


@pytest.mark.parametrize("name", ["interval", "box", "cube", "disc", "ball"])
def test_distances(name):
    """Zero on the parts that are asked for, positive inside and elsewhere, and on jets alike."""
    shape = SHAPES[name]
    first = shape.parts[0]
    inside = shape.sample(np.random.default_rng(2), 50)
    assert (shape.distance(inside, shape.parts) > 0).all()
    on = shape.spread_on(first, np.random.default_rng(2), 50).points
    np.testing.assert_allclose(shape.distance(on, (first,)), 0.0, atol=1e-15)
    space = jets.space(shape.names, shape.names)
    lifted = shape.distance(jets.variables(space, inside), (first,))
    np.testing.assert_allclose(lifted.value, shape.distance(inside, (first,)))
    assert shape.distance(inside, ()) is None


def test_shapes_with_corners_inwards_have_no_smooth_distance():
    for name in ("l", "holed", "plate"):
        points = SHAPES[name].sample(np.random.default_rng(0), 3)
        assert SHAPES[name].distance(points, SHAPES[name].parts[:1]) is None


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Box(x=(1, 0)), "needs a one-letter name and lower < upper"),
        (lambda: Box(xy=(0, 1)), "needs a one-letter name"),
        (lambda: Interval(x=(0, 1), y=(0, 1)), "write Box"),
        (lambda: Disc(radius=0.0), "radius=0 must be above 0"),
        (lambda: Polygon(((0, 0), (1, 1))), "at least 3"),
        (lambda: Polygon(((0, 0), (1, 1), (1, 0), (0, 1))).volume, "not a polygon"),
        (
            lambda: Difference(Box(x=(0, 1), y=(0, 1)), (Disc((0.1, 0.5), 0.2),)),
            "the squares around the holes meet",
        ),
        (lambda: SHAPES["box"].on_boundary("top", np.zeros((1, 1))), "no boundary part 'top'"),
    ],
)
def test_what_is_no_shape_is_refused(make, words):
    with pytest.raises(PdebenchError, match=words):
        make()


def test_shapes_are_values():
    assert Box(x=(0, 1)) == Box(x=(0.0, 1.0))
    assert len({Disc(), Disc(), Disc(radius=2.0)}) == 2
