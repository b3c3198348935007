"""Steps of the operators on every backend, forward and with their gradient.

`make bench` times them; otherwise every case runs once, and all backends must agree.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pdebench_lite.numerics import (
    Dirichlet,
    Grid,
    array_namespace,
    dealias_mask,
    etdrk4_coefficients,
    etdrk4_step,
    laplacian,
    maccormack,
    muscl_divergence,
    semi_lagrangian,
    ssp_rk2,
    upwind,
    wavenumbers,
)

jax.config.update("jax_enable_x64", True)

N, NU, DT = 512, 0.01 / np.pi, 1e-3
LINE = Grid(("x",), (-1.0,), (1.0,), (N,), (True,))
BOX = Grid(("x",), (-1.0,), (1.0,), (N,), (False,))
WALLS = {"x": (Dirichlet(0.5), Dirichlet(-0.5))}


def finite_volumes(u: Any, grid: Grid = LINE, conditions: Any = None) -> Any:
    def rate(v: Any) -> Any:
        inflow = muscl_divergence(v, lambda w: 0.5 * w * w, grid, conditions=conditions)
        return inflow + NU * laplacian(v, grid, conditions)

    return ssp_rk2(rate, u, DT)


def spectral(u: Any) -> Any:
    xp = array_namespace(u)
    k, mask = wavenumbers(LINE, like=u), dealias_mask(LINE, like=u)

    def nonlinear(v_hat: Any) -> Any:
        v = xp.fft.irfft(mask * v_hat, n=N)
        return -0.5j * k * mask * xp.fft.rfft(v * v)

    coefficients = etdrk4_coefficients(-NU * k**2, DT)
    return xp.fft.irfft(etdrk4_step(xp.fft.rfft(u), coefficients, nonlinear), n=N)


STEPS: dict[str, Callable[[Any], Any]] = {
    "muscl": finite_volumes,
    "muscl between walls": lambda u: finite_volumes(u, BOX, WALLS),
    "etdrk4": spectral,
    "semi-lagrangian cubic": lambda u: semi_lagrangian(u, u, DT, LINE, "cubic"),
    "maccormack": lambda u: maccormack(u, u, DT, LINE),
    "upwind": lambda u: upwind(u, u, DT, LINE),
}


def start() -> np.ndarray:
    return 0.5 - np.sin(np.pi * LINE.centres())


def told(backend: Callable[..., Any], name: str, what: str) -> dict[str, str]:
    return {"operator": name, "backend": backend.__name__.removeprefix("of_"), "what": what}


def of_numpy(step: Callable[[Any], Any], gradient: bool) -> Callable[[], Any]:
    u = start()
    return lambda: step(u)


def of_torch(step: Callable[[Any], Any], gradient: bool) -> Callable[[], Any]:
    u = torch.tensor(start(), requires_grad=gradient)
    if not gradient:
        return lambda: step(u)
    return lambda: torch.autograd.grad((step(u) ** 2).sum(), u)[0]


def of_jax(step: Callable[[Any], Any], gradient: bool) -> Callable[[], Any]:
    u = jnp.asarray(start())
    function = jax.jit(jax.grad(lambda v: (step(v) ** 2).sum()) if gradient else step)
    return lambda: jax.block_until_ready(function(u))


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("backend", [of_numpy, of_torch, of_jax])
def test_step(benchmark, backend, name):
    benchmark.group = name
    benchmark.extra_info |= told(backend, name, "step")
    run = backend(STEPS[name], False)
    run()  # compilation
    np.testing.assert_allclose(benchmark(run), STEPS[name](start()), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("backend", [of_torch, of_jax])
def test_gradient(benchmark, backend, name):
    benchmark.group = f"{name}, gradient"
    benchmark.extra_info |= told(backend, name, "gradient")
    run = backend(STEPS[name], True)
    run()
    u, d, eps = start(), 0.3 + np.sin(np.pi * LINE.centres()), 1e-6
    ahead, behind = ((STEPS[name](u + sign * eps * d) ** 2).sum() for sign in (1, -1))
    slope = (ahead - behind) / (2 * eps)
    assert float((np.asarray(benchmark(run)) * d).sum()) == pytest.approx(slope, rel=1e-5)
