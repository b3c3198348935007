import numpy as np
import pytest

from pdebench_lite.numerics import rk4, ssp_rk2, ssp_rk3
from pdebench_lite.numerics.steppers import spectral_radius


@pytest.mark.parametrize(("step", "expected"), [(ssp_rk2, 2), (ssp_rk3, 3), (rk4, 4)])
def test_order_of_accuracy(step, expected, observed_order):
    """u' = −u², u = 1/(1/u₀ + t)."""
    start = np.array([1.0, 2.0, 0.5])

    def error(steps):
        u = start
        for _ in range(steps):
            u = step(lambda u: -(u**2), u, 1 / steps)
        return np.abs(u - 1 / (1 / start + 1)).max()

    assert observed_order(error, (64, 128)) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(("step", "degree"), [(ssp_rk2, 2), (ssp_rk3, 3), (rk4, 4)])
def test_amplification_is_the_exponentials_taylor_polynomial(step, degree):
    z = np.linspace(-2, 0, 9) + 0.5j
    expected = sum(z**k / np.prod(np.arange(1, k + 1)) for k in range(degree + 1))
    np.testing.assert_allclose(step(lambda u: z * u, np.ones_like(z), 1.0), expected, rtol=1e-13)


def test_the_spectral_radius_of_a_second_order_equation():
    """u_tt = −ω² u as a system: the radius is ω, though the norm of the matrix is ω²."""
    omega = 300.0 * np.linspace(0.1, 1.0, 40)

    def rate(s):
        return {"u": s["u_t"], "u_t": -(omega**2) * s["u"]}

    zero = {"u": np.zeros(40), "u_t": np.zeros(40)}
    assert 0.9 * 300.0 < spectral_radius(rate, zero) < 1.001 * 300.0
