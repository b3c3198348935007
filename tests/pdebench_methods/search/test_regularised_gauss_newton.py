"""Regularised Gauss–Newton on problems whose answer is known."""

import numpy as np
import pytest

from pdebench_methods.search.regularised_gauss_newton import Level, RegularisedGaussNewton

NOISE = 1e-3


def smoothing(seed: int = 0, noise: float = NOISE):
    """A linear ill-posed problem: 40 noisy values of 30 coefficients that decay by 0.6 each."""
    rng = np.random.default_rng(seed)
    U, _ = np.linalg.qr(rng.standard_normal((40, 40)))
    A = U[:, :30] * 0.6 ** np.arange(30)
    truth = rng.standard_normal(30)
    return A, truth, A @ truth + noise * rng.standard_normal(40)


def search(A, y, noise=NOISE, solver=0.0, **options):
    options = {"weight": 1.0, "floor": 1e-14, **options}
    return RegularisedGaussNewton(
        lambda x: (A @ x - y, A),
        lambda x: A @ x - y,
        np.zeros(A.shape[1]),
        lambda x: Level(40 * noise**2, solver),
        **options,
    )


def tikhonov(A, y, w):
    return np.linalg.solve(A.T @ A + w * np.eye(A.shape[1]), A.T @ y)


def run(optimizer, most=200):
    steps = 0
    while steps < most and optimizer.step():
        steps += 1
    return steps


def test_it_ends_at_the_minimum_for_its_weight():
    A, _, y = smoothing()
    optimizer = search(A, y)
    assert run(optimizer) < 30
    np.testing.assert_allclose(optimizer.x, tikhonov(A, y, optimizer.weight), atol=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_weight_is_near_the_best_one(seed):
    """The prior here is the true one: its evidence peaks near w = σ²/1."""
    A, truth, y = smoothing(seed)
    optimizer = search(A, y)
    run(optimizer)
    weights = 10.0 ** np.arange(-14, 1, 0.5)
    best = min(np.linalg.norm(tikhonov(A, y, w) - truth) for w in weights)
    assert np.linalg.norm(optimizer.x - truth) < 1.15 * best
    assert 0.1 * NOISE**2 < optimizer.weight < 10 * NOISE**2


@pytest.mark.parametrize("seed", range(3))
def test_a_weight_that_is_too_small_already_rises_to_the_best_one(seed):
    """It ends where a search from above ends, within a stride, and has weights on both sides."""
    A, truth, y = smoothing(seed)
    above, low, stuck = (search(A, y, weight=w, ceiling=c)
                         for w, c in ((1.0, 0.0), (1e-12, 1.0), (1e-12, 0.0)))  # fmt: skip
    for optimizer in (above, low, stuck):
        run(optimizer)
    assert abs(np.log10(low.weight / above.weight)) <= 0.51
    assert low.chosen_by == "evidence"
    assert low.sweep[:, 0].min() < low.weight < low.sweep[:, 0].max()
    errors = [np.linalg.norm(o.x - truth) for o in (above, low, stuck)]
    assert errors[1] < 1.15 * errors[0]
    assert errors[2] > 3 * errors[0], "else nothing is shown"


def test_a_search_that_rises_goes_on_from_a_checkpoint():
    A, _, y = smoothing()
    whole, part = (search(A, y, weight=1e-12, ceiling=1.0) for _ in range(2))
    part.step()
    assert part.weight > 1e-12
    again = search(A, y, weight=1e-12, ceiling=1.0)
    again.restore(part.state())
    run(whole)
    run(again)
    np.testing.assert_array_equal(again.sweep, whole.sweep)
    np.testing.assert_array_equal(again.x, whole.x)


def test_the_posterior_covers_the_truth():
    errors = []
    for seed in range(20):
        A, truth, y = smoothing(seed)
        optimizer = search(A, y)
        run(optimizer)
        errors.append((optimizer.x - truth) / np.sqrt(np.diag(optimizer.covariance())))
    assert 0.6 < np.std(errors) < 1.6


def test_singular_values_are_those_of_the_jacobian():
    A, _, y = smoothing()
    d = 0.9 ** np.arange(30)
    optimizer = search(A, y, priors=np.stack([d]), floor=1e-6, chooses=False)
    run(optimizer)
    np.testing.assert_allclose(
        optimizer.singular_values, np.linalg.svd(A * d, compute_uv=False), rtol=1e-10, atol=1e-14
    )
    inside = np.linalg.lstsq(A, y)[0]
    assert optimizer.unreached == pytest.approx(np.sum((A @ inside - y) ** 2), rel=1e-8)
    along = np.abs(np.linalg.svd(A * d, full_matrices=False)[0].T @ y)
    np.testing.assert_allclose(optimizer.data_coefficients, along, atol=1e-10)
    hat = A @ np.linalg.solve(A.T @ A + optimizer.weight * np.diag(d**-2), A.T)
    assert optimizer.determined == pytest.approx(np.trace(hat)), "trace of the influence matrix"


def test_the_sweep_tells_evidence_and_what_was_chosen_by_it():
    A, _, y = smoothing()
    optimizer = search(A, y)
    assert optimizer.chosen_by == "unfinished"
    run(optimizer)
    weight, misfit, norm, evidence, prior = optimizer.sweep.T
    assert optimizer.chosen_by == "evidence"
    assert optimizer.explained == pytest.approx(40 * NOISE**2)
    best = np.nanmax(evidence)
    assert optimizer.weight in weight[np.isclose(evidence, best, rtol=1e-9)]
    known = np.isfinite(evidence)
    assert known.sum() > 5
    exact = []
    for w in weight[known]:
        covariance = NOISE**2 * (np.eye(40) + A @ A.T / w)  # of the data, under the prior
        _, logarithm = np.linalg.slogdet(covariance)
        exact.append(-0.5 * (logarithm + y @ np.linalg.solve(covariance, y)))
    np.testing.assert_allclose(
        evidence[known] - best, exact - np.max(exact), rtol=1e-6, atol=1e-6 * abs(best)
    )
    assert (misfit > 0).all()
    assert (norm > 0).all()
    assert (prior == 0).all()
    clean = search(A, A @ np.ones(30), noise=0.0)
    run(clean)
    assert (clean.chosen_by, clean.weight) == ("floor", 1e-14)


def test_a_chosen_weight_is_reached_and_kept():
    A, _, y = smoothing()
    optimizer = search(A, y, floor=1e-4, chooses=False)
    run(optimizer)
    assert optimizer.weight == 1e-4
    np.testing.assert_allclose(optimizer.x, tikhonov(A, y, 1e-4), atol=1e-9)


def test_it_asks_for_a_better_solver():
    A, _, y = smoothing(noise=0.0)
    optimizer = search(A, y, noise=0.0, solver=1e-2, refinable=True)
    run(optimizer)
    assert optimizer.needs_refinement
    assert np.sum((A @ optimizer.x - y) ** 2) <= 1e-2
    patient = search(A, y, noise=0.0, solver=1e-2, refinable=False)
    run(patient)
    assert not patient.needs_refinement


def beyond_reach():
    """Noise of 0.1, and beside it what no x explains: larger than the solver's estimated error."""
    A, _, y = smoothing(noise=0.1)
    return A, y + np.linalg.svd(A)[0][:, -1] * 2.0


def test_no_weight_is_final_while_a_better_solver_may_be_had():
    A, y = beyond_reach()
    coarse = search(A, y, noise=0.1, solver=0.2, refinable=True)
    run(coarse)
    assert np.sum((A @ coarse.x - y) ** 2) > 0.2
    assert coarse.needs_refinement


@pytest.mark.parametrize(("part", "refined"), [(0.5, False), (2.0, True)])
def test_a_solver_may_err_by_the_noise_of_one_residual(part, refined):
    A, y = beyond_reach()
    found = search(A, y, noise=0.1, solver=part * 0.1**2, refinable=True)
    run(found)
    assert found.needs_refinement is refined


def test_the_level_at_the_end_is_not_that_of_the_beginning():
    """A solver that errs more and more on the way: at first it is good enough, then it is not."""
    A, y = beyond_reach()
    asked = []

    def level(x):
        asked.append(x)
        return Level(40 * 0.1**2, 0.0 if len(asked) == 1 else 0.2)

    found = RegularisedGaussNewton(
        lambda x: (A @ x - y, A), lambda x: A @ x - y, np.zeros(30), level,
        weight=1.0, floor=1e-14, refinable=True,
    )  # fmt: skip
    run(found)
    assert len(asked) == 2
    assert found.needs_refinement
    assert found.explained == pytest.approx(0.6)


def test_the_evidence_chooses_among_priors():
    """Coefficients beyond the fifth are zero: of the priors that fall, one that ends there wins."""
    A = smoothing()[0] * 1.5 ** np.arange(30)
    k = np.arange(30)
    priors = np.stack([np.exp(-((k / length) ** 2)) for length in (1e6, 40, 20, 10, 5, 2.5, 1.2)])
    errors = []
    for seed in range(5):
        x = np.random.default_rng(seed).standard_normal(30) * np.exp(-((k / 5.0) ** 2))
        y = A @ x + 0.1 * np.random.default_rng(100 + seed).standard_normal(40)
        flat, chosen = search(A, y, noise=0.1), search(A, y, noise=0.1, priors=priors)
        run(flat)
        run(chosen)
        assert chosen.prior in range(2, 6)
        d, w = priors[chosen.prior], chosen.weight
        expected = d * tikhonov(A * d, y, w)
        np.testing.assert_allclose(chosen.x, expected, atol=1e-6)
        inverse = np.linalg.inv(A.T @ A + w * np.diag(d**-2.0)) * 0.1**2
        np.testing.assert_allclose(chosen.covariance(), inverse, atol=1e-8)
        errors.append([np.linalg.norm(found.x - x) for found in (flat, chosen)])
    assert np.median(np.divide(*np.transpose(errors)[::-1])) < 0.9
    again = search(A, y, noise=0.1, priors=priors)
    again.restore(chosen.state())
    assert again.prior == chosen.prior
    assert not again.step(), "it was over"
    assert np.array_equal(again.covariance(), chosen.covariance())
    assert np.array_equal(again.singular_values, chosen.singular_values)
    assert (again.explained, again.determined) == (chosen.explained, chosen.determined)


def test_nonlinear():
    """Two exponentials: the rates are found from 50 exact values."""
    t = np.linspace(0, 2, 50)
    y = np.exp(-0.5 * t) + np.exp(-3.0 * t)

    def residuals(x):
        return np.exp(-x[0] * t) + np.exp(-x[1] * t) - y

    def linearise(x):
        J = np.stack([-t * np.exp(-x[0] * t), -t * np.exp(-x[1] * t)], axis=1)
        return residuals(x), J

    optimizer = RegularisedGaussNewton(
        linearise, residuals, np.array([0.0, 2.0]), lambda x: Level(0.0, 0.0), 1.0, 1e-14
    )
    run(optimizer)
    np.testing.assert_allclose(optimizer.x, [0.5, 3.0], atol=1e-5)


def test_it_goes_on_bit_by_bit():
    A, _, y = smoothing()
    whole, part = search(A, y), search(A, y)
    for _ in range(4):
        assert part.step()
    again = search(A, y)
    again.restore(part.state())
    run(whole)
    run(again)
    assert np.array_equal(whole.x, again.x)
    assert whole.weight == again.weight
    assert whole.evaluations == again.evaluations
