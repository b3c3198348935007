"""Long rollouts do not run out of memory; gradient steps of the book's simulation.

Memory is that of what the reverse pass keeps: XLA's own count of temporaries in JAX; in torch the
bytes of the tensors that autograd saves or that are alive after the forward pass. `make bench`
draws it against the number of steps, beside a rollout of which every state is kept.
"""

import gc
import importlib
import os

import numpy as np
import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_problems.burgers_pbdl import CELLS, DT, NU

COUNTS = tuple(2**k for k in range(4, 13))
TIMED = 1024  # steps


def simulation():
    """Return the book's step with its coefficient and grid filled in, and a state."""
    task = registry().task("burgers:pbdl")
    (scheme,) = task.problem.schemes().values()
    grid = task.problem.domain.grid(CELLS)

    def step(state, k):
        return scheme.step(state, {"nu": NU}, 0.0, DT / 64, grid)

    return step, 0.1 * np.sin(np.pi * grid.centres("x"))


def jax_gradient(steps: int):
    """Return a function that makes value and gradient of mean u(steps)², as it is compiled."""
    os.environ["JAX_ENABLE_X64"] = "1"
    jax = pytest.importorskip("jax")
    from pdebench_jax._rollout import repeat

    step, u = simulation()
    u = jax.numpy.asarray(u, "float64")

    def loss(u):
        return jax.numpy.mean(repeat(step, {"u": u}, steps, u.dtype)["u"] ** 2)

    return jax.jit(jax.value_and_grad(loss)).lower(u).compile(), u


def jax_bytes(steps: int) -> int:
    return jax_gradient(steps)[0].memory_analysis().temp_size_in_bytes


def torch_loss(steps: int):
    """Return a function that computes mean u(steps)², and u, of which a gradient is wanted."""
    torch = pytest.importorskip("torch")
    from pdebench_torch._rollout import repeat

    step, u = simulation()
    u = torch.tensor(u, requires_grad=True)
    return lambda: torch.mean(repeat(step, {"u": u}, steps)["u"] ** 2), u


def torch_bytes(steps: int) -> int:
    torch = pytest.importorskip("torch")
    forward, _ = torch_loss(steps)
    kept: dict[int, int] = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    def alive():
        return [tensor for tensor in gc.get_objects() if type(tensor) is torch.Tensor]

    others = alive()  # of whatever ran before; held, so that none of their places is used again
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = forward()
    assert loss.requires_grad
    known = {id(tensor) for tensor in others}
    for tensor in alive():  # the first states of the segments, held to start again from
        if id(tensor) not in known:
            keep(tensor)
    return sum(kept.values())


def gradient(backend: str, steps: int):
    """Return a function that computes the gradient of mean u(steps)² as a NumPy array."""
    if backend == "jax":
        compiled, start = jax_gradient(steps)
        return lambda: np.asarray(compiled(start)[1])
    torch = pytest.importorskip("torch")
    forward, u = torch_loss(steps)
    return lambda: torch.autograd.grad(forward(), u)[0].numpy()


BYTES = {"jax": jax_bytes, "torch": torch_bytes}


@pytest.mark.slow
@pytest.mark.parametrize("backend", BYTES)
def test_memory_grows_like_the_root_of_the_steps(benchmark, race, monkeypatch, backend):
    benchmark.group = f"gradient of {TIMED} steps on {CELLS} cells, {backend}, float64"
    benchmark.extra_info |= {"backend": backend, "cells": CELLS, "steps": TIMED}
    sizes = {"segments": [BYTES[backend](n) for n in COUNTS]}
    by_segments = gradient(backend, TIMED)
    whole = importlib.import_module(f"pdebench_{backend}._rollout")

    def every_state_kept(call):
        with monkeypatch.context() as patch:
            patch.setattr(whole, "WHOLE", COUNTS[-1])
            return call()

    sizes["every state"] = [every_state_kept(lambda n=n: BYTES[backend](n)) for n in COUNTS]
    unbroken = every_state_kept(lambda: gradient(backend, TIMED))
    race({"segments": by_segments, "every state": lambda: every_state_kept(unbroken)}, rounds=5)
    benchmark.extra_info["bytes"] = {
        kept: dict(zip(COUNTS, found, strict=True)) for kept, found in sizes.items()
    }
    long, short = COUNTS[-1], 64
    grown = {kept: found[-1] / found[COUNTS.index(short)] for kept, found in sizes.items()}
    # 64 times the steps: 8 times the states, not 64
    assert grown["segments"] < 12 < 0.8 * long / short < grown["every state"]


@pytest.mark.parametrize("backend", BYTES)
def test_segments_change_no_gradient(backend, monkeypatch):
    gradients = []
    for whole in (1, 1000):
        pytest.importorskip(backend)
        monkeypatch.setattr(f"pdebench_{backend}._rollout.WHOLE", whole)
        gradients.append(gradient(backend, 150)())
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-12, atol=1e-18)
    assert np.abs(gradients[0]).max() > 0
