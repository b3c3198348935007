"""The references of Poisson's equation: their bounds, checked by finite elements and by hand."""

import mpmath
import numpy as np
import pytest

from pdebench_classical._fem_space import Space
from pdebench_lite.problem import Domain
from pdebench_lite.registry.discovery import registry
from pdebench_lite.selectors import parse_selector
from pdebench_lite.testing.attempt import attempt
from pdebench_problems.references import harmonic


@pytest.fixture(params=["l-shape", "holes"])
def task(request):
    return registry().task(parse_selector(f"poisson[shape={request.param}]"))


def test_the_bounds_are_what_least_squares_reach(task):
    assert task.reference.kind == "bounded residual"
    assert task.reference.bound < 5e-13


def test_finite_elements_of_order_four_find_the_same(task):
    """Independent: another method, its error far below any mistake in the series."""
    method = {"l-shape": "fem[order=4,cells=8,grading=4]", "holes": "fem[order=4,cells=6]"}
    shape = task.settings["shape"]
    done = attempt(registry(), task.label, method[shape], "numpy", 10**6)
    assert done.metrics["rel_l2"] < 3e-6


def test_the_boundary_values_hold_between_the_points_that_were_fitted_and_checked(task):
    """The maximum principle: the error inside is at most the largest one here."""
    domain, worst = task.problem.domain, 0.0
    rng = np.random.default_rng(0)
    for part in domain.parts:
        unit = np.concatenate([rng.random(400), 10.0 ** -np.arange(2.0, 17.0)])
        at = domain.geometry.on_boundary(part, unit[None]).points
        found = task.reference.evaluate(at)["u"]
        condition = domain.condition(part, "u")
        worst = max(worst, float(np.max(np.abs(found - condition.at(at)))))
    assert worst < 1e-13


def test_the_equation_holds_to_many_digits_on_the_l_shape():
    """Second derivatives of v = u + |z|²/4 in 40 digits: each column is harmonic."""
    with mpmath.workdps(40):
        h = mpmath.mpf(10) ** -8
        z = mpmath.mpc(-0.4, 0.3)
        axis = mpmath.exp(mpmath.mpc(0, 1.25) * mpmath.pi)
        functions = [
            lambda z: ((z / axis) ** (mpmath.mpf(2) / 3)).real,
            lambda z: ((z / axis) ** 2 * mpmath.log(z / axis)).real,
        ]
        for f in functions:
            moves = (h, -h, mpmath.mpc(0, h), mpmath.mpc(0, -h))
            laplacian = (sum(f(z + m) for m in moves) - 4 * f(z)) / h**2
            assert abs(laplacian) < mpmath.mpf(10) ** -12


def test_the_reference_on_the_l_shape_is_symmetric_and_vanishes_like_a_two_thirds_power():
    evaluate = harmonic.l_shape().evaluate
    r = np.array([1e-6, 1e-9])
    near = evaluate({"x": -r, "y": -r})["u"]
    assert np.log10(near[0] / near[1]) / 3 == pytest.approx(2 / 3, abs=1e-4)
    x, y = np.array([-0.3]), np.array([0.7])
    assert evaluate({"x": x, "y": y})["u"] == pytest.approx(evaluate({"x": y, "y": x})["u"])


def test_the_holes_lie_on_circles_of_the_mesh():
    """The rims are curved: nodes on them are on the circle, not on chords."""
    domain: Domain = registry().task(parse_selector("poisson[shape=holes]")).problem.domain
    space = Space(domain, 4, 2)
    for part, numbers in space.boundary_nodes():
        if part.startswith("hole"):
            hole = domain.geometry.holes[int(part[4:])]
            apart = np.linalg.norm(space.at[numbers] - np.array(hole.centre), axis=1)
            np.testing.assert_allclose(apart, hole.radius, rtol=1e-12)
