"""Steppers: order, stability limits, embedded errors, spectral radii."""

import numpy as np
import pytest

from pdebench_lite.numerics.steppers import (
    ARS222,
    BS3,
    TABLEAUX,
    imex_step,
    spectral_radius,
)


def rate(state, t):
    """y' = −2 t y + cos t on each entry: not autonomous, so that wrong stage times show."""
    return {"y": -2.0 * t * state["y"] + np.cos(t)}


def march(step, n):
    state, dt = {"y": np.array([1.0, -0.5])}, 1.0 / n
    for k in range(n):
        state = step(state, k * dt, dt)
    return state["y"]


@pytest.mark.parametrize("name", TABLEAUX)
def test_orders(name):
    tableau = TABLEAUX[name]
    exact = march(lambda s, t, dt: TABLEAUX["rk4"].step(rate, s, t, dt), 2000)
    errors = [
        np.abs(march(lambda s, t, dt: tableau.step(rate, s, t, dt), n) - exact).max()
        for n in (10, 20, 40, 80)
    ]
    slopes = np.log2(np.array(errors[:-1]) / errors[1:])
    assert slopes[-1] == pytest.approx(tableau.order, abs=0.15)


@pytest.mark.parametrize("name", TABLEAUX)
def test_stability_limits(name):
    """Just inside the stated limits the amplification is at most 1, a little outside above it."""
    tableau = TABLEAUX[name]

    def amplification(z):
        state = {"y": np.array([1.0 + 0.0j])}
        return abs(tableau.step(lambda s, t: {"y": z * s["y"]}, state, 0.0, 1.0)["y"][0])

    assert amplification(-0.999 * tableau.real) <= 1.0
    assert amplification(-1.01 * tableau.real) > 1.0
    if tableau.imaginary:
        assert amplification(0.999j * tableau.imaginary) <= 1.0
        assert amplification(1.01j * tableau.imaginary) > 1.0


def test_the_embedded_error_is_of_its_order():
    state = {"y": np.array([1.0])}
    errors = [abs(BS3.error(rate, state, 0.3, dt)["y"][0]) for dt in (0.02, 0.01, 0.005)]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(3, abs=0.2)
    with pytest.raises(ValueError, match="rk4 has no embedded error"):
        TABLEAUX["rk4"].error(rate, state, 0.0, 0.1)


def test_the_implicit_part_is_stable_and_of_second_order():
    """y' = −λ y + cos t with the stiff part implicit."""

    def forced(state, t):
        return {"y": np.cos(t) + 0.0 * state["y"]}

    def end(n, stiff):
        state, dt = {"y": np.array([1.0])}, 1.0 / n
        symbol = {"y": np.array([-stiff])}
        for k in range(n):
            state = imex_step(ARS222, state, symbol, forced, k * dt, dt)
        return state["y"][0]

    exact = (np.cos(1) + np.sin(1)) / 2 + 0.5 * np.exp(-1)  # of λ = 1
    errors = [abs(end(n, 1.0) - exact) for n in (20, 40, 80)]
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.2)
    assert abs(end(10, 1e6)) < 1e-3


@pytest.mark.parametrize("n", [16, 64])
def test_spectral_radii(n):
    """Of a diffusion, and of waves as a system of first order, whose norm says nothing."""
    h = 1.0 / n

    def laplacian(u):
        return (np.roll(u, 1) - 2 * u + np.roll(u, -1)) / h**2

    u = np.sin(2 * np.pi * np.arange(n) * h)
    heat = spectral_radius(lambda s: {"u": laplacian(s["u"])}, {"u": u})
    assert heat == pytest.approx(4 / h**2, rel=0.1)
    waves = spectral_radius(lambda s: {"u": s["v"], "v": laplacian(s["u"])}, {"u": u, "v": 0 * u})
    assert waves == pytest.approx(2 / h, rel=0.1)
    assert spectral_radius(lambda s: {"u": 0 * s["u"]}, {"u": u}) == 0.0
