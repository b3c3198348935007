"""Every operator on every backend: one table, so that a new operator is one row."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import array_api_compat
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pdebench_lite.numerics import (
    Dirichlet,
    Extrapolation,
    Grid,
    Neumann,
    array_namespace,
    carried,
    central_difference,
    dealias_mask,
    departure,
    diffuse_explicit,
    diffuse_spectral,
    etdrk4_coefficients,
    etdrk4_step,
    godunov_flux,
    interpolate,
    interpolate_periodic,
    laplacian,
    maccormack,
    muscl_divergence,
    rk4,
    semi_lagrangian,
    spectral_derivative,
    ssp_rk2,
    ssp_rk3,
    upwind,
    wavenumbers,
)
from pdebench_methods.search.channels import ChannelAverage, channel_average

LINE = Grid(("x",), (-1.0,), (1.0,), (12,), (True,))
PLANE = Grid(("x", "y"), (0.0, -1.0), (2.0, 1.0), (6, 5), (True, True))
BOX = Grid(("x", "y"), (0.0, -1.0), (2.0, 1.0), (6, 5), (False, False))
TUBE = Grid(("x", "y"), (0.0, -1.0), (2.0, 1.0), (6, 5), (False, True))
X, XY, POINTS, SCALAR = (12,), (6, 5), (7,), ()


def square(u):
    return u * u / 2


def muscl(limiter, grid=LINE, **options):
    return lambda u: muscl_divergence(u, square, grid, limiter=limiter, **options)


def burgers_etdrk4(u, nu):
    xp = array_namespace(u)
    k = wavenumbers(LINE, like=u)
    mask = dealias_mask(LINE, like=u)

    def nonlinear(u_hat):
        return -0.5j * k * mask * xp.fft.rfft(xp.fft.irfft(u_hat, n=12, axis=-1) ** 2, axis=-1)

    coefficients = etdrk4_coefficients(-nu * k**2, 0.02)
    u_hat = etdrk4_step(xp.fft.rfft(u, axis=-1), coefficients, nonlinear)
    return xp.fft.irfft(u_hat, n=12, axis=-1)


AVERAGE = channel_average(np.linspace(0.0, 0.5, 12), np.full((12, 12), 1 / 12))


def averaged_channels(v):
    xp = array_namespace(v)
    arrays = (xp.asarray(a, dtype=v.dtype) for a in (AVERAGE.channels, AVERAGE.averages))
    return ChannelAverage(*arrays)(v)


@dataclass(frozen=True)
class Row:
    """An operator as a function of arrays, and the shapes of those arrays without a batch."""

    function: Callable
    shapes: tuple[tuple[int, ...], ...]


def two(u, v):
    return {"x": u, "y": v}


def walls(a, b):
    """One condition of each kind, and their values as arguments."""
    return {"x": (Dirichlet(a), Neumann(b)), "y": (Extrapolation(), Dirichlet(b))}


OPERATORS = {
    "interpolate-linear": Row(lambda u, p: interpolate_periodic(u, 9 * p), (X, POINTS)),
    "interpolate-bicubic": Row(
        lambda u, p, q: interpolate_periodic(u, (p * 9, q * 9), "cubic"), (XY, POINTS, POINTS)
    ),
    "semi-lagrangian-cubic": Row(lambda q, u: semi_lagrangian(q, u, 0.3, LINE, "cubic"), (X, X)),
    "departure-cubic": Row(lambda q, u: carried(q, departure(u, 0.3, LINE, "cubic"), LINE), (X, X)),
    "semi-lagrangian-plane": Row(
        lambda q, u, v: semi_lagrangian(q, two(u, v), 0.3, PLANE, trace="euler"), (XY, XY, XY)
    ),
    "maccormack": Row(lambda q, u: maccormack(q, u, 0.1, LINE), (X, X)),
    "upwind-plane": Row(lambda q, u, v: upwind(q, two(u, v), 0.1, PLANE), (XY, XY, XY)),
    "godunov-flux": Row(lambda u, v: godunov_flux(square, u, v, 0.0), (X, X)),
    "muscl-van-leer": Row(muscl("van_leer"), (X,)),
    "muscl-minmod": Row(muscl("minmod"), (X,)),
    "muscl-mc": Row(muscl("mc"), (X,)),
    "muscl-plane": Row(muscl("van_leer", PLANE, axis="x", sonic=-float("inf")), (XY,)),
    "ssp-rk2": Row(lambda u: ssp_rk2(muscl("van_leer"), u, 0.02), (X,)),
    "ssp-rk3": Row(lambda u: ssp_rk3(lambda v: v * central_difference(v, LINE), u, 0.02), (X,)),
    "rk4": Row(lambda u: rk4(lambda v: v * central_difference(v, LINE), u, 0.02), (X,)),
    "laplacian": Row(lambda u: laplacian(u, PLANE), (XY,)),
    "diffuse-explicit": Row(lambda u, nu: diffuse_explicit(u, nu, 0.01, LINE), (X, SCALAR)),
    "diffuse-spectral": Row(lambda u, nu: diffuse_spectral(u, nu, 0.1, PLANE), (XY, SCALAR)),
    "central-difference-2": Row(lambda u: central_difference(u, PLANE, "x"), (XY,)),
    "central-difference-4": Row(lambda u: central_difference(u, LINE, order=4), (X,)),
    "spectral-derivative": Row(lambda u: spectral_derivative(u, LINE), (X,)),
    "spectral-derivative-2": Row(lambda u: spectral_derivative(u, PLANE, "y", 2), (XY,)),
    "laplacian-walls": Row(lambda u, a, b: laplacian(u, BOX, walls(a, b)), (XY, SCALAR, SCALAR)),
    "central-difference-walls": Row(
        lambda u, a, b: central_difference(u, BOX, "x", 4, walls(a, b)), (XY, SCALAR, SCALAR)
    ),
    "interpolate-walls": Row(
        lambda u, p, q, a: interpolate(u, (p * 5, q * 4), BOX, "cubic", walls(a, a)),
        (XY, POINTS, POINTS, SCALAR),
    ),
    "semi-lagrangian-walls": Row(
        lambda q, u, v, a: semi_lagrangian(q, two(u, v), 0.3, TUBE, conditions=walls(a, a)),
        (XY, XY, XY, SCALAR),
    ),
    "maccormack-walls": Row(
        lambda q, u, v, a: maccormack(q, two(u, v), 0.3, BOX, conditions=walls(a, a)),
        (XY, XY, XY, SCALAR),
    ),
    "upwind-walls": Row(
        lambda q, u, v, a: upwind(q, two(u, v), 0.1, BOX, walls(a, a)), (XY, XY, XY, SCALAR)
    ),
    "muscl-walls": Row(
        lambda u, a, b: muscl_divergence(u, square, BOX, axis="x", conditions=walls(a, b)),
        (XY, SCALAR, SCALAR),
    ),
    "etdrk4": Row(burgers_etdrk4, (X, SCALAR)),
    "channel-average": Row(averaged_channels, (X,)),
}

# XLA's optimiser takes most of the time of these tests, and none of them measures speed
CHEAP = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
fast_jit = partial(jax.jit, compiler_options=CHEAP)
LONG = ("maccormack-walls",)  # compiles for half a minute
every_operator = pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=name, marks=pytest.mark.slow if name in LONG else ())
        for name, row in OPERATORS.items()
    ],
)


def inputs(row, batch=(), dtype=np.float64):
    """Uniform on [0, 1], of both signs for states: slopes of all signs, no ties, no kinks hit."""
    random = np.random.default_rng(7)
    draws = [random.uniform(size=(*batch, *shape)) for shape in row.shapes]
    return [(d - 0.4 * (d.ndim > len(batch))).astype(dtype) for d in draws]


def weighted(row, weights):
    """A scalar function of the operator's output, to be differentiated."""
    return lambda *arrays: (row.function(*arrays) * weights).sum()


@every_operator
def test_values_and_gradients_agree(row):
    arrays = inputs(row)
    value = row.function(*arrays)
    weights = np.random.default_rng(8).uniform(size=value.shape)

    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    by_torch = row.function(*tensors)
    torch_gradients = torch.autograd.grad(weighted(row, torch.tensor(weights))(*tensors), tensors)

    @fast_jit
    def value_and_gradients(*arrays):
        result, pullback = jax.vjp(row.function, *arrays)
        return result, pullback(jnp.asarray(weights))

    by_jax, jax_gradients = value_and_gradients(*map(jnp.asarray, arrays))

    assert isinstance(value, np.ndarray)
    assert isinstance(by_torch, torch.Tensor)
    scale = np.abs(value).max()
    np.testing.assert_allclose(by_torch.detach().numpy(), value, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(by_jax, value, rtol=0, atol=1e-12 * scale)

    for ours, theirs in zip(torch_gradients, jax_gradients, strict=True):
        assert np.isfinite(theirs).all()
        atol = 1e-12 * np.abs(theirs).max()
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=0, atol=atol)

    directions = [np.random.default_rng(9).normal(size=a.shape) for a in arrays]
    f, eps = weighted(row, weights), 1e-6
    ahead, behind = (
        f(*(a + sign * eps * d for a, d in zip(arrays, directions, strict=True)))
        for sign in (1, -1)
    )
    slope = sum(np.sum(g * d) for g, d in zip(jax_gradients, directions, strict=True))
    np.testing.assert_allclose((ahead - behind) / (2 * eps), slope, rtol=2e-7, atol=1e-8)


@every_operator
def test_float32_stays_float32(row):
    arrays = inputs(row, dtype=np.float32)
    reference = row.function(*map(np.float64, arrays))
    scale = np.abs(reference).max()
    for convert in (np.asarray, torch.asarray):
        result = row.function(*map(convert, arrays))
        assert str(result.dtype).endswith("float32")
        np.testing.assert_allclose(np.asarray(result), reference, rtol=0, atol=2e-5 * scale)
    assert jax.eval_shape(row.function, *map(jnp.asarray, arrays)).dtype == jnp.float32


@every_operator
def test_a_batch_equals_a_loop(row):
    """Two leading batch axes, in the call itself and by jax.vmap and torch.func.vmap."""
    arrays = [a.reshape(*a.shape, *(1,) * (len(row.shapes[0]) * (s == SCALAR)))
              for a, s in zip(inputs(row, (2, 3)), row.shapes, strict=True)]  # fmt: skip
    singles = [[a[i, j] for a in arrays] for i in range(2) for j in range(3)]
    looped = np.stack([row.function(*single) for single in singles])
    batched = row.function(*arrays)
    looped = looped.reshape(batched.shape)
    tolerance = {"rtol": 0, "atol": 1e-13 * np.abs(looped).max()}
    np.testing.assert_allclose(batched, looped, **tolerance)
    tensors = list(map(torch.asarray, arrays))
    np.testing.assert_allclose(row.function(*tensors), looped, **tolerance)
    by_torch = torch.func.vmap(torch.func.vmap(row.function))(*tensors)
    np.testing.assert_allclose(by_torch, looped, **tolerance)
    by_jax = fast_jit(jax.vmap(jax.vmap(row.function)))(*map(jnp.asarray, arrays))
    np.testing.assert_allclose(by_jax, looped, **tolerance)


@every_operator
def test_forward_mode_is_the_transpose_of_reverse_mode(row):
    """⟨w, J·t⟩ = ⟨Jᵀ·w, t⟩ by torch.func; JAX's reverse mode is its forward mode transposed."""
    tensors = tuple(map(torch.asarray, inputs(row)))
    tangents = tuple(map(torch.cos, tensors))
    result, forward = torch.func.jvp(row.function, tensors, tangents)
    weights = torch.cos(result)
    _, pullback = torch.func.vjp(row.function, *tensors)
    pairs = zip(pullback(weights), tangents, strict=True)
    backward = sum((gradient * tangent).sum() for gradient, tangent in pairs)
    scale = (weights * forward).abs().sum()
    torch.testing.assert_close(
        (weights * forward).sum(), backward, rtol=0, atol=1e-12 * float(scale)
    )


TRACED = ("semi-lagrangian-plane", "muscl-van-leer", "upwind-walls", "etdrk4")  # one of each kind


@pytest.mark.skipif(
    hasattr(laplacian, "__wrapped__"), reason="Dynamo cannot trace jaxtyping's run-time checks"
)
@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=name, marks=() if name in TRACED else pytest.mark.slow)
        for name, row in OPERATORS.items()
    ],
)
def test_torch_compiles_it_whole(row):
    """Dynamo traces the operator into one graph, without a warning."""
    tensors = list(map(torch.asarray, inputs(row)))
    compiled = torch.compile(row.function, backend="eager", fullgraph=True, dynamic=False)
    torch.testing.assert_close(compiled(*tensors), row.function(*tensors), rtol=0, atol=1e-14)


def test_unequal_batches_broadcast():
    random = np.random.default_rng(0)
    q, u = random.normal(size=(3, 1, 12)), random.normal(size=(2, 12))
    expected = np.stack([[semi_lagrangian(a[0], b, 0.3, LINE) for b in u] for a in q])
    step = partial(semi_lagrangian, dt=0.3, grid=LINE)
    for function, convert in (
        (step, np.asarray),
        (step, torch.asarray),
        (fast_jit(step), jnp.asarray),
    ):
        result = function(convert(q), convert(u))
        np.testing.assert_allclose(result, expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("limiter", ["van_leer", "minmod", "mc"])
def test_limiters_have_gradients_where_u_is_constant(limiter):
    zeros = jnp.zeros(12)
    gradient = fast_jit(jax.grad(lambda u: muscl(limiter)(u)[3]))(zeros)
    assert np.isfinite(gradient).all()
    tensor = torch.zeros(12, requires_grad=True)
    (gradient,) = torch.autograd.grad(muscl(limiter)(tensor).sum(), tensor)
    assert gradient.isfinite().all()


def test_gradient_by_a_time_step_and_a_viscosity():
    def f(dt, nu):
        u = jnp.sin(jnp.pi * LINE.centres(like=jnp.zeros(1)))
        u = diffuse_explicit(semi_lagrangian(u, u, dt, LINE, "cubic"), nu, dt, LINE)
        return (u**2).sum()

    assert all(np.isfinite(g) and g != 0 for g in fast_jit(jax.grad(f, (0, 1)))(0.01, 0.1))


def test_the_tables_arrays_are_those_of_three_libraries():
    names = [array_api_compat.array_namespace(c([1.0])).__name__
             for c in (np.asarray, torch.asarray, jnp.asarray)]  # fmt: skip
    assert len(set(names)) == 3
