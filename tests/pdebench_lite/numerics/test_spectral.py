import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import torch

from pdebench_lite.numerics import (
    Grid,
    dealias_mask,
    etdrk4_coefficients,
    etdrk4_step,
    spectral_derivative,
    wavenumbers,
)

NU = 0.05


@pytest.mark.parametrize("n", [24, 25])
@pytest.mark.parametrize("order", [0, 1, 2, 3])
def test_derivatives_are_exact(n, order):
    grid = Grid(("x",), (0.0,), (3.0,), (n,), (True,))
    k, x = 2 * np.pi * 5 / 3, grid.centres()
    expected = k**order * np.cos(k * x + 0.4 + order * np.pi / 2)
    result = spectral_derivative(np.cos(k * x + 0.4), grid, order=order)
    np.testing.assert_allclose(result, expected, atol=1e-13 * k**order * n)


def test_the_sawtooth_has_no_odd_derivative(line):
    sawtooth = np.cos(np.pi * np.arange(8.0))
    np.testing.assert_allclose(spectral_derivative(sawtooth, line(8)), 0, atol=1e-14)
    second = spectral_derivative(sawtooth, line(8), order=2)
    np.testing.assert_allclose(second, -((4 * np.pi) ** 2) * sawtooth)


@pytest.mark.parametrize("n", [7, 8, 9])
def test_wavenumbers_are_those_of_the_transforms(n, line):
    grid, like = line(n), np.empty(0)
    h = grid.spacing["x"]
    np.testing.assert_allclose(wavenumbers(grid, like=like), 2 * np.pi * np.fft.rfftfreq(n, h))
    full = wavenumbers(grid, like=like, full=True)
    np.testing.assert_allclose(full, 2 * np.pi * np.fft.fftfreq(n, h))


@pytest.mark.parametrize("n", [12, 13, 14])
def test_the_two_thirds_rule_removes_aliasing(n, line):
    """The kept modes of a product equal those of the product on a grid twice as fine."""
    grid = line(n)
    mask = dealias_mask(grid, like=np.empty(0))
    assert mask.sum() == (n + 2) // 3  # |j| < n/3, and not one mode less

    def aliased(spectrum):
        fine = 2 * np.fft.rfft(np.fft.irfft(spectrum, n=2 * n) ** 2)[: mask.size]
        return np.abs(mask * (np.fft.rfft(np.fft.irfft(spectrum, n=n) ** 2) - fine)).max()

    phases = np.exp(1j * np.arange(mask.size))
    assert aliased(mask * phases) < 1e-14
    assert aliased(phases) > 0.01
    full = dealias_mask(grid, like=np.empty(0), full=True)
    assert full.sum() == 2 * mask.sum() - 1


def exact_coefficients(z):
    """The closed forms of Cox & Matthews (26)–(29) at dt = 1, in 60 digits."""
    with mpmath.workdps(60):
        z = mpmath.mpmathify(z)
        if z == 0:
            z = mpmath.mpf(10) ** -15
        e = mpmath.exp(z)
        return [
            e,
            mpmath.exp(z / 2),
            (mpmath.exp(z / 2) - 1) / z,
            (-4 - z + e * (4 - 3 * z + z**2)) / z**3,
            2 * (2 + z + e * (z - 2)) / z**3,
            (-4 - 3 * z - z**2 + e * (4 - z)) / z**3,
        ]


def scales(z):
    """The size of each coefficient; `first` changes sign near z = −2.3 and is measured so."""
    return [1, 1, 0.5 / (1 + abs(z) / 2), 1 / (6 + z**2), 1 / (3 + z**2), 1 / (6 + abs(z))]


def test_coefficients_to_1e_13():
    z = np.concatenate([-np.logspace(-12, 4, 400), -np.linspace(0.9, 3.0, 100), [0.0, -1.0, -2.0]])
    ours = etdrk4_coefficients(z, 1.0)
    for i, point in enumerate(z):
        exact = exact_coefficients(float(point))
        for value, expected, scale in zip(ours, exact, scales(point), strict=True):
            assert abs(value[i] - float(expected)) < 1e-13 * scale


def test_coefficients_of_dispersion():
    """Complex arrays: the imaginary axis."""
    z = 1j * np.concatenate([np.linspace(-40, 40, 161), [1e-9, 0.999, 1.0, 1.001]])
    ours = etdrk4_coefficients(z, 1.0)
    for i, point in enumerate(z):
        exact = exact_coefficients(complex(point))
        assert max(abs(v[i] - complex(e)) for v, e in zip(ours, exact, strict=True)) < 2e-14


def test_coefficients_have_exact_gradients():
    """At z = 0 and on both sides of the switch; φ₁(z/2)/2 = 1/2 + z/8, f₁ = 1/6 + 4z/24, …"""
    z = np.array([-1e4, -30.0, -1.0, -np.nextafter(1.0, 0), -1e-9, 0.0])

    def total(z):
        return sum(c.sum() for c in etdrk4_coefficients(z, 1.0))

    by_jax = jax.jit(jax.grad(total))(jnp.asarray(z))
    tensor = torch.tensor(z, requires_grad=True)
    (by_torch,) = torch.autograd.grad(total(tensor), tensor)
    np.testing.assert_allclose(by_torch, by_jax, rtol=1e-12)
    assert by_jax[-1] == pytest.approx(1 + 1 / 2 + 1 / 8 + 4 / 24 + 4 / 24 + 0, rel=1e-14)
    exact = [float(mpmath.diff(lambda s: mpmath.fsum(exact_coefficients(s)), v)) for v in z[:-2]]
    np.testing.assert_allclose(by_jax[:-2], exact, rtol=1e-11)


def burgers(u, nu, time, steps, grid):
    """Viscous Burgers by ETDRK4 with the 2/3 rule."""
    k, mask = wavenumbers(grid, like=u), dealias_mask(grid, like=u)
    n = grid.cells[0]

    def nonlinear(u_hat):
        return -0.5j * k * mask * np.fft.rfft(np.fft.irfft(u_hat, n=n) ** 2)

    coefficients = etdrk4_coefficients(-nu * k**2, time / steps)
    u_hat = mask * np.fft.rfft(u)
    for _ in range(steps):
        u_hat = etdrk4_step(u_hat, coefficients, nonlinear)
    return np.fft.irfft(u_hat, n=n)


def cole_hopf(x, time, nu):
    """Burgers from −sin πx: Basdevant et al. 1986, by 120 Gauss–Hermite nodes."""
    nodes, weights = np.polynomial.hermite.hermgauss(120)
    y = x[:, None] - np.sqrt(4 * nu * time) * nodes
    kernel = weights * np.exp(-(np.cos(np.pi * y) + 1) / (2 * np.pi * nu))
    return -(kernel * np.sin(np.pi * y)).sum(axis=1) / kernel.sum(axis=1)


def test_etdrk4_is_of_fourth_order_in_time(line, observed_order):
    grid = line(128)
    x = grid.centres()
    exact = cole_hopf(x, 0.5, NU)

    def error(steps):
        return np.abs(burgers(-np.sin(np.pi * x), NU, 0.5, steps, grid) - exact).max()

    assert observed_order(error, (20, 40)) == pytest.approx(4, abs=0.25)
    assert error(400) < 1e-9


def test_etdrk4_is_exact_without_a_nonlinear_part():
    linear = -np.array([0.0, 1.0, 1e2, 1e6])
    u_hat = np.ones(4) + 0j
    result = etdrk4_step(u_hat, etdrk4_coefficients(linear, 0.1), lambda u: 0 * u)
    np.testing.assert_allclose(result, np.exp(0.1 * linear), rtol=1e-15)


def test_a_negative_order_is_refused(line):
    with pytest.raises(ValueError, match="must not be negative, got -1"):
        spectral_derivative(np.ones(8), line(8), order=-1)
