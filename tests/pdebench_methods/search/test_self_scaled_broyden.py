"""Self-scaled Broyden on classic problems, and its update against the formula written out."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import minimize

from pdebench_methods.search import SelfScaledBroyden


def minimise(problem, steps=300):
    optimizer = SelfScaledBroyden(problem.value_and_gradient, np.array(problem.start))
    losses = [optimizer.loss]
    while len(losses) <= steps and optimizer.loss > 1e-24 and optimizer.step():
        losses.append(optimizer.loss)
    return optimizer, losses


def test_classic_problems_are_solved(classic):
    optimizer, losses = minimise(classic)
    assert all(after < before for before, after in pairwise(losses))
    assert losses[-1] < 1e-20
    np.testing.assert_allclose(optimizer.x, classic.minimum, atol=1e-4)


def test_it_needs_about_as_many_evaluations_as_bfgs(classic):
    optimizer, _ = minimise(classic)
    bfgs = minimize(
        classic.value_and_gradient, classic.start, jac=True, method="BFGS", options={"gtol": 1e-9}
    )
    assert optimizer.evaluations < 2 * bfgs.nfev


def inverse_hessian(optimizer):
    n = optimizer.x.size
    return np.stack([optimizer._times(row) for row in np.eye(n)], axis=1)


def formula(H, s, y, g, alpha):
    """Return the update as the paper writes it, with full matrices."""
    n, rho = s.size, 1 / (y @ s)
    Hy = H @ y
    h, b = rho * (y @ Hy), -alpha * rho * (s @ g)
    a = h * b - 1
    c = np.sqrt(abs(a) / (1 + a))
    rho_minus = min(1, h * (1 - c))
    theta = max((rho_minus - 1) / a, min(1 / rho_minus, (1 - b) / b))
    sigma = 1 + theta * a
    sigma_n = abs(sigma) ** (1 / (1 - n))
    rho_k = min(1, 1 / b)
    tau = min(rho_k * sigma_n, sigma) if theta <= 0 else rho_k * min(sigma_n, 1 / theta)
    phi = (1 - theta) / (1 + a * theta)
    v = rho * s - Hy / (y @ Hy)
    inner = H - np.outer(Hy, Hy) / (y @ Hy) + phi * (y @ Hy) * np.outer(v, v)
    return inner / tau + rho * np.outer(s, s)


def test_the_update_is_the_published_one():
    rng = np.random.default_rng(1)
    A = rng.normal(size=(6, 6))
    A = A @ A.T + np.eye(6)
    target = rng.normal(size=6)

    def evaluate(x):
        e = x - target
        return 0.5 * e @ A @ e + np.sum(e**4), A @ e + 4 * e**3

    optimizer = SelfScaledBroyden(evaluate, np.zeros(6))
    optimizer.step()
    for _ in range(12):  # more than are held back before they go into the matrix
        H, x, g = inverse_hessian(optimizer), optimizer.x, optimizer._gradient
        optimizer.step()
        s = optimizer.x - x
        alpha = (s @ s) / -(s @ (H @ g))
        expected = formula(H, s, optimizer._gradient - g, g, alpha)
        np.testing.assert_allclose(inverse_hessian(optimizer), expected, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(expected @ (optimizer._gradient - g), s, rtol=1e-8, atol=1e-12)
        np.testing.assert_allclose(
            optimizer._newton, expected @ optimizer._gradient, rtol=1e-7, atol=1e-12
        )


def test_values_that_are_not_finite_are_stepped_around():
    def evaluate(x):
        if x[0] <= 0:
            return np.nan, np.full(1, np.nan)
        return float(x[0] - np.log(x[0])), 1 - 1 / x

    optimizer = SelfScaledBroyden(evaluate, np.array([1e-3]))
    while optimizer.step():
        pass
    assert optimizer.x[0] == pytest.approx(1.0, abs=1e-7)


def test_other_data_are_taken_up_with_the_curvature_kept():
    """After a small change of the data, a few steps reach what took many from scratch."""
    rng = np.random.default_rng(2)
    A, b = rng.normal(size=(40, 8)) * np.logspace(0, 3, 8), rng.normal(size=40)
    shift = np.zeros(40)

    def evaluate(x):
        r = A @ x - b - shift
        return float(r @ r), 2 * A.T @ r

    def steps_to(optimizer):
        best = np.linalg.lstsq(A, b + shift)[1][0]
        count = 0
        while optimizer.loss > best * (1 + 1e-9):
            assert optimizer.step()
            count += 1
        return count

    optimizer = SelfScaledBroyden(evaluate, np.zeros(8))
    first = steps_to(optimizer)
    shift[:] = 0.1 * rng.normal(size=40)
    optimizer.refresh()
    assert steps_to(optimizer) < first / 2


def test_it_goes_on_bit_by_bit(classic):
    whole, _ = minimise(classic, 15)
    half, _ = minimise(classic, 7)
    other = SelfScaledBroyden(classic.value_and_gradient, np.ones(len(classic.start)))
    other.restore(half.state())
    for _ in range(8):
        other.step()
    assert np.array_equal(other.x, whole.x)
    assert np.array_equal(other.state()["matrix"], whole.state()["matrix"])
    assert other.evaluations == whole.evaluations
