"""The harness's own differences: what they are exact for, and where they may be asked."""

import numpy as np
import pytest

from pdebench_lite.errors import DivergedError
from pdebench_lite.metrics.derivatives import derivatives, margin
from pdebench_lite.problem import Box, Domain, Periodic

DOMAIN = Domain(Box(x=(-1, 1), y=(0, 3)), (0, 2), Periodic("x"))
SUFFIXES = ("", "x", "y", "t", "xx", "yy", "xy", "xt", "xxx", "yyyy", "xxy")


def points(n=50):
    rng, free = np.random.default_rng(0), {}
    for axis in DOMAIN.axes:
        edge = margin(SUFFIXES, axis.name) if not axis.periodic else 0.0
        free[axis.name] = axis.lower + axis.length * rng.uniform(edge, 1 - edge, n)
    return free


def field(p):
    return np.sin(np.pi * p["x"]) * np.exp(p["y"]) * np.cos(p["t"])


def exact(p, suffix):
    """Multiply by π or i π, 1, and so on: derivatives of sin, exp and cos."""
    a, b, c = (suffix.count(axis) for axis in "xyt")
    del b
    s = np.pi**a * np.sin(np.pi * p["x"] + a * np.pi / 2)
    return s * np.exp(p["y"]) * np.cos(p["t"] + c * np.pi / 2)


def test_every_derivative_of_a_smooth_field():
    p = points()
    found = derivatives(lambda q: {"u": field(q), "v": -field(q)}, ("u", "v"), p, DOMAIN, SUFFIXES)
    tolerance = {0: 1e-15, 1: 1e-11, 2: 1e-7, 3: 1e-5, 4: 1e-5}
    for suffix in SUFFIXES:
        name = f"_{suffix}" if suffix else ""
        scale = np.abs(exact(p, suffix)).max()
        gap = np.abs(found["u" + name] - exact(p, suffix)).max() / scale
        assert gap <= tolerance[len(suffix)], suffix
        np.testing.assert_array_equal(found["v" + name], -found["u" + name])


def test_nodes_stay_in_the_domain():
    """Wrapped on the periodic axis; kept inside by the margin on the others."""
    asked = []

    def spy(q):
        asked.append(q)
        return {"u": field(q)}

    edge = {a.name: margin(("xx", "yy", "t"), a.name) * a.length for a in DOMAIN.axes}
    corner = {"x": np.array([-1.0, 1.0]), "y": np.array([edge["y"], 3 - edge["y"]]),
              "t": np.array([edge["t"], 2 - edge["t"]])}  # fmt: skip
    derivatives(spy, ("u",), corner, DOMAIN, ("xx", "yy", "t"))
    (query,) = asked  # one call for all
    for axis in DOMAIN.axes:
        assert query[axis.name].min() >= axis.lower - 1e-12
        assert query[axis.name].max() <= axis.upper + 1e-12


def test_a_field_that_is_not_finite_is_refused():
    with pytest.raises(DivergedError, match="'u' is not finite where it is differentiated"):
        derivatives(lambda q: {"u": q["x"] * np.inf}, ("u",), {"x": np.ones(1)}, DOMAIN, ("x",))
