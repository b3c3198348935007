"""References of stationary problems by Galerkin's method."""

from functools import cached_property

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import Box, Dirichlet, Domain, Neumann, Problem, Stationary
from pdebench_lite.problem.galerkin import refined_by_degree


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PDEBENCH_CACHE", str(tmp_path))


class _Smooth(Problem):
    """−∇·((1 + u²)∇u) = s with u = eˣ cos y on x = 0, 1 and y = 1, no flux through y = 0."""

    name, fields = "smooth", ("u",)
    far = Neumann(0.0, on=("y_lower",))

    def exact(self, p):
        xp = array_namespace(p["x"])
        return xp.exp(p["x"]) * xp.cos(p["y"])

    @cached_property
    def domain(self):
        sides = Dirichlet(self.exact, on=("x_lower", "x_upper", "y_upper"))
        return Domain(Box(x=(0.0, 1.0), y=(0.0, 1.0)), boundary=(sides, self.far))

    def solver(self):
        def source(d):  # ∇·((1 + u²)∇u) = 2u|∇u|², since u is harmonic
            return {"u": 2 * self.exact(d) * np.exp(2 * d["x"])}

        return Stationary(
            lambda d: {"u": {a: (1 + d["u"] ** 2) * d[f"u_{a}"] for a in "xy"}}, source, False
        )

    def reference(self):
        return refined_by_degree(self, 15)


class _Sloped(_Smooth):
    far = Neumann(0.5, on=("y_lower",))


def test_a_nonlinear_problem_is_solved_to_its_bound():
    problem = _Smooth(_Smooth.Parameters())
    reference = problem.reference()
    rng = np.random.default_rng(2)
    points = {"x": rng.random(50), "y": rng.random(50)}
    exact = problem.exact(points)
    error = np.linalg.norm(reference.evaluate(points)["u"] - exact) / np.linalg.norm(exact)
    assert error <= reference.bound < 1e-8
    assert error < 1e-11
    assert reference.kind == "refined"


def test_nodes_themselves_may_be_asked_for():
    problem = _Smooth(_Smooth.Parameters())
    corner = {"x": np.array([0.0, 1.0, 0.3]), "y": np.array([1.0, 0.0, 0.0])}
    found = problem.reference().evaluate(corner)["u"]
    np.testing.assert_allclose(found, problem.exact(corner), rtol=1e-11)


def test_a_slope_that_is_not_natural_is_refused():
    with pytest.raises(PdebenchError, match="u on y_lower: give a value, or slope 0"):
        _Sloped(_Sloped.Parameters()).reference()
