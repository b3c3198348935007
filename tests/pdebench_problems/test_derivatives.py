"""`derivatives`: its contract, the truth against other ways to it, and what it refuses."""

import mpmath
import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.testing import ExpressionContract
from pdebench_problems._extended import Series, _Precision, certified


class TestSlide(ExpressionContract):
    selector = "derivatives:slide"


class TestNetwork(ExpressionContract):
    selector = "derivatives:network[order=1,inputs=3,width=4,points=6]"


class TestJacobian(ExpressionContract):
    selector = "derivatives:jacobian[m=3,n=2,width=4,points=6]"


def test_the_slide_has_the_numbers_of_the_slide():
    y, by_x1, by_x2 = registry().task("derivatives").truth.values.ravel()
    assert (round(y, 5), round(by_x1, 5), round(by_x2, 5)) == (2.01665, 3.01184, -13.72396)


def test_the_slide_agrees_with_derivatives_by_hand():
    a, b = mpmath.mpf("1.5"), mpmath.mpf("0.5")
    with mpmath.workdps(30):
        r, e = a / b, mpmath.exp(b)
        s, d = mpmath.sin(r) + r - e, r - e
        slope = (mpmath.cos(r) + 1) * d + s  # by the ratio
        expected = [s * d, slope / b, -slope * a / b**2 - e * (s + d)]
    found = registry().task("derivatives").truth
    np.testing.assert_allclose(found.values.ravel(), [float(v) for v in expected], rtol=1e-15)


@pytest.mark.parametrize("index", [(0, 0, 0, 0), (0, 1), (0, 0, 1), (0, 1, 1, 2), (0, 0, 1, 1)])
def test_mixed_derivatives_by_polarisation(index):
    """∂ of sin(a) exp(b) tanh(c) / (2 + a) against mpmath's own numerical differentiation."""

    def function(x, constants):
        xp = x.__array_namespace__()
        a, b, c = x[:1], x[1:2], x[2:]
        return xp.sin(a) * xp.exp(b) * xp.tanh(c) / (2.0 + a)

    point = np.array([[0.3], [-0.2], [0.7]])
    (found,), bound = certified(function, {}, point, (index,))
    counts = tuple(index.count(i) for i in range(3))
    with mpmath.workdps(40):
        expected = mpmath.diff(
            lambda a, b, c: mpmath.sin(a) * mpmath.exp(b) * mpmath.tanh(c) / (2 + a),
            tuple(mpmath.mpf(float(v)) for v in point.ravel()),
            counts,
        )
    assert bound < 1e-15
    assert float(found[0, 0]) == pytest.approx(float(expected), rel=1e-13)


def test_products_in_whole_numbers_are_those_of_the_context():
    rng = np.random.default_rng(0)
    precision = _Precision(30)
    matrix = precision.lift(rng.standard_normal((3, 4)))
    values = precision.lift(rng.standard_normal((4, 2)))
    gap = precision.product(matrix, values) - matrix @ values
    assert max(abs(float(v)) for v in gap.ravel()) < 1e-28


def test_series_obey_arithmetic():
    """(u/v)·v − u, −u + u and 2·u − (u + u) vanish to the precision."""
    precision = _Precision(30)
    start = precision.lift(np.array([[0.4, -1.3]]))
    u = Series(precision, [start, start**0, 0 * start, 0 * start])
    v = u.__array_namespace__().exp(u)
    for nothing in ((u / v) * v - u, -u + u, 2.0 * u - (u + u), (1.0 - u) + u - 1.0):
        assert max(abs(float(c)) for part in nothing.c for c in part.ravel()) < 1e-28


def test_all_partials_are_named_once():
    task = registry().task("derivatives:network[order=3,inputs=3,partials=all]")
    asked = task.expression().asked
    assert len(asked) == len(set(asked)) == 10
    assert (0, 1, 2) in asked


def test_too_many_partials_are_refused():
    with pytest.raises(PdebenchError, match=r"3876 derivatives of order 4 in 16 inputs"):
        registry().task("derivatives:network[order=4,inputs=16,partials=all]")


def test_instances_differ_and_have_no_field():
    first, second = (registry().task(f"derivatives:network[instance={i}]") for i in range(2))
    assert not np.array_equal(first.expression().points, second.expression().points)
    with pytest.raises(UnsupportedError, match="no field"):
        first.problem.reference()
