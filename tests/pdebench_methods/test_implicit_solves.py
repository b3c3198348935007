"""Derivatives of a stationary solution by both backends: the complex step's, to 1e-9."""

import numpy as np
import pytest

from pdebench_lite.problem import Box, Dirichlet, Domain, Field, Robin, Stationary
from pdebench_lite.problem.volumes import FiniteVolumes

CELLS = 8
SQUARE = Box(x=(0.0, 1.0), y=(0.0, 1.0))


def _darcy(d):
    return {"u": {k: d["a"] * d[f"u_{k}"] for k in "xy"}}


def _swept(d):
    return {"u": {"x": d["a"] * d["u_x"] - 4.0 * d["a"] * d["u"], "y": d["a"] * d["u_y"]}}


def _stiffening(d):
    return {"u": {k: d["a"] * (1.0 + d["u"] ** 2) * d[f"u_{k}"] for k in "xy"}}


CASES = {
    "symmetric": (Stationary(_darcy, lambda d: {"u": 0.0 * d["u"] - 1.0}, harmonic=("a",)), True),
    "unsymmetric": (Stationary(_swept, lambda d: {"u": d["u"] - d["a"]}), False),
    "nonlinear": (
        Stationary(_stiffening, lambda d: {"u": d["u"] ** 3 - 40.0 * d["a"]}, linear=False), False
    ),
}  # fmt: skip


def _equations(name, machine):
    stated, symmetric = CASES[name]
    sides = (Robin(1.0, 0.3, on=("x_lower",)), Dirichlet(0.2, on=("x_upper", "y_lower", "y_upper")))
    domain = Domain(SQUARE, boundary=sides)
    grid = domain.grid(CELLS)
    return FiniteVolumes(stated, domain, {"u": Field("u")}, grid, machine=machine), symmetric


def _waves():
    """Return six functions of place, which make log a."""
    x, y = (np.asarray(v) for v in Domain(SQUARE).grid(CELLS).points().values())
    return np.stack(
        [np.cos(k * np.pi * x) * np.cos(m * np.pi * y) for k in (0, 1, 2) for m in (0, 1)]
    )


@pytest.fixture(params=sorted(CASES))
def case(request):
    """Return its name, parameters, weights of what is seen, and the Jacobian by differences."""
    rng = np.random.default_rng(3)
    theta, weights = 0.3 * rng.standard_normal(6), rng.standard_normal((3, CELLS, CELLS))
    from pdebench_lite.numerics.krylov import HOST

    equations, symmetric = _equations(request.param, HOST)
    assert equations.is_symmetric({"a": np.ones((CELLS, CELLS))}) == symmetric or symmetric is False

    def seen(theta):
        a = np.exp(np.tensordot(theta, _waves(), 1))
        fields, _ = equations.solve({"a": a}, np.empty(0), symmetric)
        return np.tensordot(weights, fields["u"], 2)

    h = 1e-3  # of sixth order: 1e-18 h⁶ and rounding 1e-13/h
    rows = []
    for unit in np.eye(6):
        f = {k: seen(theta + k * h * unit) for k in (-3, -2, -1, 1, 2, 3)}
        rows.append((45 * (f[1] - f[-1]) - 9 * (f[2] - f[-2]) + f[3] - f[-3]) / (60 * h))
    return request.param, symmetric, theta, weights, np.stack(rows, axis=1)


def _agrees(found, expected):
    assert np.max(np.abs(found - expected)) <= 1e-9 * np.max(np.abs(expected))


def test_jax(case):
    jax = pytest.importorskip("jax")
    from pdebench_jax._stationary import MACHINE

    name, symmetric, theta, weights, expected = case
    with jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64():
        jnp = jax.numpy
        equations, _ = _equations(name, MACHINE)
        waves, sums = jnp.asarray(_waves()), jnp.asarray(weights)

        def seen(theta):
            a = jnp.exp(jnp.tensordot(theta, waves, 1))
            fields, _ = equations.solve({"a": a}, theta, symmetric)
            return jnp.tensordot(sums, fields["u"], 2)

        for differentiate in (jax.jacfwd, jax.jacrev):
            _agrees(np.asarray(jax.jit(differentiate(seen))(jnp.asarray(theta))), expected)


def test_torch(case):
    torch = pytest.importorskip("torch")
    from pdebench_torch._stationary import MACHINE

    name, symmetric, theta, weights, expected = case
    equations, _ = _equations(name, MACHINE)
    waves, sums = torch.tensor(_waves()), torch.tensor(weights)

    def seen(theta):
        """Take parameters of any leading axes."""
        a = torch.exp(torch.tensordot(theta, waves, 1))
        fields, _ = equations.solve({"a": a}, theta, symmetric)
        return torch.tensordot(fields["u"], sums, ([-2, -1], [-2, -1]))

    at = torch.tensor(theta, requires_grad=True)
    in_reverse = torch.stack([torch.autograd.grad(s, at, retain_graph=True)[0] for s in seen(at)])
    _agrees(in_reverse.numpy(), expected)
    from pdebench_torch._stationary import forward_jacobian

    values, forward = forward_jacobian(seen, torch.tensor(theta))
    _agrees(forward.numpy(), expected)
    np.testing.assert_allclose(values.numpy(), seen(torch.tensor(theta)).numpy(), rtol=1e-10)
