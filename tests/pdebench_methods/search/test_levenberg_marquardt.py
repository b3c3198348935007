"""Levenberg–Marquardt on classic problems, through both of its solvers."""

from itertools import pairwise

import numpy as np
import pytest

from pdebench_methods.search import LevenbergMarquardt, levenberg_marquardt


@pytest.fixture(params=["svd", "cholesky"])
def solver(request, monkeypatch):
    if request.param == "cholesky":
        monkeypatch.setattr(levenberg_marquardt, "_SVD_UP_TO", 0)


def minimise(problem, steps=100):
    optimizer = LevenbergMarquardt(problem.linearise, problem.residuals, np.array(problem.start))
    losses = [optimizer.loss]
    while len(losses) <= steps and optimizer.step():
        losses.append(optimizer.loss)
    return optimizer, losses


@pytest.mark.usefixtures("solver")
def test_classic_problems_are_solved(classic):
    optimizer, losses = minimise(classic)
    assert all(after < before for before, after in pairwise(losses))
    assert losses[-1] < 1e-20
    np.testing.assert_allclose(optimizer.x, classic.minimum, atol=1e-4)


def test_both_solvers_take_the_same_step(classic, monkeypatch):
    points = []
    for limit in (300, 0):
        monkeypatch.setattr(levenberg_marquardt, "_SVD_UP_TO", limit)
        optimizer = LevenbergMarquardt(
            classic.linearise, classic.residuals, np.array(classic.start)
        )
        assert optimizer.step()
        points.append(optimizer.x)
    np.testing.assert_allclose(points[0], points[1], rtol=1e-10, atol=1e-12)


def test_the_predicted_fall_is_that_of_the_linear_model():
    """On a linear problem the gain ratio is one, so damping falls by three at every step."""
    rng = np.random.default_rng(0)
    J, b = rng.normal(size=(8, 3)), rng.normal(size=8)
    optimizer = LevenbergMarquardt(lambda x: (J @ x - b, J), lambda x: J @ x - b, np.zeros(3))
    assert optimizer.step()
    first = optimizer.damping
    assert optimizer.step()
    assert optimizer.damping == pytest.approx(first / 3, rel=1e-6)
    for _ in range(20):
        optimizer.step()
    best, *_ = np.linalg.lstsq(J, b)
    np.testing.assert_allclose(optimizer.x, best, rtol=1e-9)


@pytest.mark.usefixtures("solver")
def test_residuals_that_are_not_finite_are_stepped_around():
    """√ is undefined below zero, where the full Gauss–Newton step would lead."""

    def residuals(x):
        with np.errstate(invalid="ignore"):
            return np.sqrt(x) - 0.1

    def linearise(x):
        return residuals(x), (0.5 / np.sqrt(x))[:, None]

    optimizer = LevenbergMarquardt(linearise, residuals, np.array([4.0]))
    while optimizer.step():
        pass
    assert optimizer.x[0] == pytest.approx(0.01, rel=1e-8)


def test_a_minimum_is_the_end():
    optimizer = LevenbergMarquardt(lambda x: (x, np.eye(2)), lambda x: x, np.zeros(2))
    assert not optimizer.step()
    assert optimizer.loss == 0.0


@pytest.mark.usefixtures("solver")
def test_it_goes_on_bit_by_bit(classic):
    whole, _ = minimise(classic, 9)
    half, _ = minimise(classic, 4)
    other = LevenbergMarquardt(classic.linearise, classic.residuals, np.zeros(len(classic.start)))
    other.restore(half.state())
    for _ in range(5):
        other.step()
    assert np.array_equal(other.x, whole.x)
    assert other.damping == whole.damping
    assert other.evaluations == whole.evaluations
