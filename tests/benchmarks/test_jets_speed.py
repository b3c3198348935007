"""One PINN step (loss and gradient of the weights) by jets, by hand and by nested autodiff.

`by_jets` leaves the reverse pass to the backend, `as_pinn` goes through the layers as `pinn` does.

The loss is the mean squared residual of Burgers' equation at 2780 points, the network 3×20 tanh.
`make bench` times them in turn; otherwise each runs once, and all must agree on the loss. Memory is
what the reverse pass keeps: XLA's own count of temporaries in JAX, in torch the bytes of the
tensors that autograd saves.
"""

import math
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pdebench_jax._jet_activation
import pdebench_torch._jet_network
from pdebench_lite.numerics import jets
from pdebench_methods import networks

jax.config.update("jax_enable_x64", True)

N = 2780
NU = 0.01 / math.pi
SPACE = jets.space(("x", "t"), ("x", "xx", "t"))
LOSS = 0.2580546655723  # of the network and the points below


def problem(dtype):
    rng = np.random.default_rng(0)
    weights = [
        (rng.normal(size=(o, i)) / math.sqrt(i), 0.1 * rng.normal(size=o))
        for i, o in pairwise((2, 20, 20, 20, 1))
    ]
    rng = np.random.default_rng(1)
    x, t = rng.uniform(-1, 1, N), rng.uniform(0, 1, N)
    return [tuple(a.astype(dtype) for a in w) for w in weights], x.astype(dtype), t.astype(dtype)


def residual(u, u_x, u_t, u_xx):
    return u_t + u * u_x - NU * u_xx


def layer_by_layer(activation, layers, h):
    *hidden, (weight, bias) = layers
    for w, b in hidden:
        h = getattr(jets, activation)(jets.linear(w, h, b))
    return jets.linear(weight, h, bias)


def by_jets(weights, x, t, propagate=layer_by_layer):
    at = jets.variables(SPACE, {"x": x, "t": t})
    u = propagate("tanh", weights, jets.stack([at["x"], at["t"]]))[0]
    d = jets.derivatives(u, ("", "x", "t", "xx"))
    return (residual(*d.values()) ** 2).mean()


def as_pinn(weights, x, t):
    if isinstance(x, jax.Array):
        propagate = partial(networks.propagate, pdebench_jax._jet_activation.activate)
    else:
        propagate = pdebench_torch._jet_network.propagate
    return by_jets(weights, x, t, propagate)


def stacked(weights, x, t):
    """By hand: u, u_x, u_t and u_xx side by side, one matrix product per layer."""
    xp, cat = (jnp, jnp.concatenate) if isinstance(x, jax.Array) else (torch, torch.cat)
    zero, one = xp.zeros_like(x), xp.ones_like(x)
    rows = [[x, t], [one, zero], [zero, one], [zero, zero]]
    h = cat([xp.stack(row) for row in rows], 1)
    for i, (w, b) in enumerate(weights):
        a = w @ h  # (out, 4 n)
        u, u_x, u_t, u_xx = (
            a[:, :N] + b[:, None],
            a[:, N : 2 * N],
            a[:, 2 * N : 3 * N],
            a[:, 3 * N :],
        )
        if i < len(weights) - 1:
            f = xp.tanh(u)
            slope = 1 - f * f
            h = cat([f, slope * u_x, slope * u_t, slope * (u_xx - 2 * f * u_x * u_x)], 1)
    return (residual(u[0], u_x[0], u_t[0], u_xx[0]) ** 2).mean()


def nested(weights, x, t):
    return (nested_in_jax if isinstance(x, jax.Array) else nested_in_torch)(weights, x, t)


def nested_in_jax(weights, x, t):
    def u(x, t):
        h = jnp.stack([x, t])
        for w, b in weights[:-1]:
            h = jnp.tanh(w @ h + b)
        return (weights[-1][0] @ h + weights[-1][1])[0]

    def at(x, t):
        value, (u_x, u_t) = jax.value_and_grad(u, (0, 1))(x, t)
        return residual(value, u_x, u_t, jax.grad(jax.grad(u, 0), 0)(x, t))

    return (jax.vmap(at)(x, t) ** 2).mean()


def nested_in_torch(weights, x, t):
    x, t = x.detach().requires_grad_(), t.detach().requires_grad_()
    h = torch.stack([x, t])
    for w, b in weights[:-1]:
        h = torch.tanh(w @ h + b[:, None])
    u = (weights[-1][0] @ h + weights[-1][1][:, None])[0]
    u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
    (u_xx,) = torch.autograd.grad(u_x.sum(), x, create_graph=True)
    return (residual(u, u_x, u_t, u_xx) ** 2).mean()


def step_in_jax(loss, dtype):
    arguments = jax.tree.map(jnp.asarray, problem(dtype))
    step = jax.jit(jax.value_and_grad(loss))
    return lambda: jax.block_until_ready(step(*arguments))[0]


def step_in_torch(loss, dtype, compiled=False):
    weights, x, t = problem(dtype)
    weights = [tuple(torch.tensor(a, requires_grad=True) for a in w) for w in weights]
    leaves = [a for w in weights for a in w]
    x, t = torch.tensor(x), torch.tensor(t)
    function = torch.compile(loss, fullgraph=True) if compiled else loss

    def step():
        value = function(weights, x, t)
        torch.autograd.grad(value, leaves)
        return value.detach()

    return step


def kept_by_jax(loss, dtype):
    """Return the bytes of intermediate arrays of a compiled step."""
    arguments = jax.tree.map(jnp.asarray, problem(dtype))
    compiled = jax.jit(jax.value_and_grad(loss)).lower(*arguments).compile()
    return compiled.memory_analysis().temp_size_in_bytes


def kept_by_torch(loss, dtype):
    """Return the bytes that wait for the reverse pass."""
    weights, x, t = problem(dtype)
    weights = [tuple(torch.tensor(a, requires_grad=True) for a in w) for w in weights]
    kept = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        value = loss(weights, torch.tensor(x), torch.tensor(t))
    assert value.requires_grad
    return sum(kept.values())


LOSSES = (as_pinn, by_jets, stacked, nested)
KEPT = {"jax": kept_by_jax, "torch": kept_by_torch}


@pytest.mark.filterwarnings("ignore:.*script_method:DeprecationWarning")  # torch's own
@pytest.mark.parametrize("dtype", [np.float64, pytest.param(np.float32, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "backend", ["jax", "torch", pytest.param("torch compiled", marks=pytest.mark.slow)]
)
def test_step(benchmark, race, backend, dtype):
    benchmark.group = "a step of the residual's loss"
    compiled = backend == "torch compiled"
    losses = (by_jets, stacked) if compiled else LOSSES
    if backend == "jax":
        steps = {loss.__name__: step_in_jax(loss, dtype) for loss in losses}
    else:
        steps = {loss.__name__: step_in_torch(loss, dtype, compiled) for loss in losses}
    for step in steps.values():  # compilation
        assert float(step()) == pytest.approx(LOSS, rel=1e-10 if dtype == np.float64 else 1e-4)
    race(steps, rounds=100)
    benchmark.extra_info |= {"backend": backend, "precision": dtype.__name__}
    if benchmark.enabled and backend in KEPT:
        kept = {loss.__name__: KEPT[backend](loss, dtype) for loss in losses}
        benchmark.extra_info["bytes"] = kept


@pytest.mark.parametrize("backend", KEPT)
def test_memory_of_a_step(backend):
    """Jets with a reverse pass by hand keep the least."""
    found = {loss: KEPT[backend](loss, np.float64) for loss in (as_pinn, by_jets, nested)}
    assert found[as_pinn] <= found[by_jets]
    assert found[as_pinn] < found[nested]
