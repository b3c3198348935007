"""Cole–Hopf's quotient over the cells of a grid: exact, independent of the solver, bounded."""

import numpy as np
import pytest

from pdebench_lite.errors import DivergedError
from pdebench_lite.problem.carrying import TooMuchWorkError, carry_initial_state
from pdebench_problems._cole_hopf import ColeHopf, random_modes
from pdebench_problems._sampled_cole_hopf import carried_by_cole_hopf
from pdebench_problems.burgers import Burgers

DOMAIN = Burgers(Burgers.Parameters()).domain
X = np.linspace(-1.0, 1.0, 37)
T = np.array([0.0, 0.01, 0.1, 0.5, 1.0])


def carried(u: np.ndarray, nu: float, tolerance: float = 1e-12) -> np.ndarray:
    return carried_by_cole_hopf(u, nu, DOMAIN.grid(u.size), X, T, tolerance)


@pytest.mark.parametrize("nu", [1e-3, 0.01 / np.pi, 0.05, 1.0])
@pytest.mark.parametrize("instance", [0, 1])
def test_a_state_of_few_modes_is_carried_exactly(nu: float, instance: int) -> None:
    exact = ColeHopf(nu, *random_modes(np.random.default_rng(instance)))
    found = carried(exact.initial(DOMAIN.grid(1024).centres()), nu)
    truth = exact.evaluate(X[:, None], T)
    np.testing.assert_allclose(found, truth, atol=1e-11 * np.abs(truth).max())


def test_a_state_of_many_modes_is_carried_as_a_fourier_solver_does() -> None:
    nu, problem = 0.05, Burgers(Burgers.Parameters(nu=0.05))

    def start(points: dict[str, np.ndarray]) -> np.ndarray:
        return 0.3 + 1.0 / (
            1.2 + np.sin(np.pi * points["x"]) + 0.1 * np.cos(9 * points["x"] * np.pi)
        )

    axes = {"x": X, "t": T}
    scheme = problem.schemes()["etdrk4"]
    marched = carry_initial_state(DOMAIN, scheme, {"u": start}, {"nu": nu}, axes, 1e-6)
    found = carried(start(DOMAIN.grid(1024).points()), nu)
    assert marched.bound < 1e-6
    np.testing.assert_allclose(found, marched.fields["u"], atol=1e-6 * np.abs(found).max())


def test_a_small_wave_decays_as_heat_does() -> None:
    nu, height = 0.1, 1e-8
    found = carried(height * np.sin(np.pi * DOMAIN.grid(64).centres()), nu)
    heat = np.exp(-nu * np.pi**2 * T) * np.sin(np.pi * X)[:, None]
    np.testing.assert_allclose(found / height, heat, atol=1e-6)


def test_no_value_leaves_the_range_of_the_state() -> None:
    """The maximum principle holds on any grid, however coarse, for a mean with weights."""
    rough = np.where(np.random.default_rng(0).random(64) < 0.5, -1.0, 2.0)
    found = carried(rough, 1e-4)[:, 1:]  # at t = 0 it is interpolated
    assert -1.0 - 1e-12 <= found.min() < found.max() <= 2.0 + 1e-12


def test_the_windows_hold_what_the_tolerance_asks_for() -> None:
    exact = ColeHopf(0.01 / np.pi, *random_modes(np.random.default_rng(5)))
    u = exact.initial(DOMAIN.grid(512).centres())
    whole = carried(u, exact.nu)
    for tolerance in (1e-3, 1e-6):
        gap = np.abs(carried(u, exact.nu, tolerance) - whole).max() / np.abs(whole).max()
        assert 0.0 < gap < tolerance


def test_what_cannot_be_carried_is_named() -> None:
    with pytest.raises(DivergedError, match=r"nu = -0\.1: it must be positive"):
        carried(np.ones(64), -0.1)
    with pytest.raises(TooMuchWorkError, match=r"a state of size .*e\+1. would take .* nodes"):
        carried(1e12 * np.sin(np.pi * DOMAIN.grid(64).centres()), 0.01)
