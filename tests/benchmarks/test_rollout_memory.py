"""Long rollouts do not run out of memory; gradient steps of the book's simulation.

Memory is that of what the reverse pass keeps: XLA's own count of temporaries in JAX; in torch the
bytes of the tensors that autograd saves or that are alive after the forward pass. The bytes against
the number of steps, which no record holds, are printed by

    pytest tests/benchmarks/test_rollout_memory.py -m slow -s
"""

import gc
import os

import numpy as np
import pytest

from pdebench_lite.plugins import registry
from pdebench_problems.burgers_pbdl import CELLS, DT, NU, OBSERVED

COUNTS = (64, 256, 1024, 4096)


def simulation():
    """Return the book's step with its coefficient and grid filled in, and a state."""
    task = registry().task("burgers:pbdl")
    (scheme,) = task.problem.schemes().values()
    grid = task.problem.domain.grid(CELLS)

    def step(state, k):
        return scheme.step(state, {"nu": NU}, 0.0, DT / 64, grid)

    return step, 0.1 * np.sin(np.pi * grid.centres("x"))


def jax_gradient(steps: int, dtype: str = "float64"):
    """Return the jitted value and gradient of mean u(steps)² and its argument."""
    os.environ["JAX_ENABLE_X64"] = "1"
    jax = pytest.importorskip("jax")
    from pdebench_jax._rollout import repeat

    step, u = simulation()
    u = jax.numpy.asarray(u, dtype)

    def loss(u):
        return jax.numpy.mean(repeat(step, {"u": u}, steps, u.dtype)["u"] ** 2)

    return jax.jit(jax.value_and_grad(loss)), u


def jax_bytes(steps: int) -> int:
    function, u = jax_gradient(steps)
    return function.lower(u).compile().memory_analysis().temp_size_in_bytes


def torch_bytes(steps: int) -> int:
    torch = pytest.importorskip("torch")
    from pdebench_torch._rollout import repeat

    step, u = simulation()
    u = torch.tensor(u, requires_grad=True)
    kept: dict[int, int] = {}

    def keep(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        loss = torch.mean(repeat(step, {"u": u}, steps)["u"] ** 2)
    assert loss.requires_grad
    for tensor in gc.get_objects():  # the first states of the segments, held to start again from
        if type(tensor) is torch.Tensor:
            keep(tensor)
    return sum(kept.values())


@pytest.mark.slow
@pytest.mark.parametrize("count", [jax_bytes, torch_bytes])
def test_memory_grows_like_the_root_of_the_steps(count):
    sizes = [count(n) for n in COUNTS]
    print(f"\n{'steps':>6} {'MB':>8}  {count.__name__.removesuffix('_bytes')}")
    for steps, size in zip(COUNTS, sizes, strict=True):
        print(f"{steps:6d} {size / 1e6:8.3f}")
    assert sizes[-1] < 12 * sizes[0]  # 64 times the steps: 8 times the states, not 64


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_segments_change_no_gradient(backend, monkeypatch):
    gradients = []
    for whole in (1, 1000):
        if backend == "jax":
            pytest.importorskip("jax")
            monkeypatch.setattr("pdebench_jax._rollout.WHOLE", whole)
            function, u = jax_gradient(150)
            gradients.append(np.asarray(function(u)[1]))
        else:
            torch = pytest.importorskip("torch")
            from pdebench_torch._rollout import repeat

            monkeypatch.setattr("pdebench_torch._rollout.WHOLE", whole)
            step, u = simulation()
            leaf = torch.tensor(u, requires_grad=True)
            torch.mean(repeat(step, {"u": leaf}, 150)["u"] ** 2).backward()
            gradients.append(leaf.grad.numpy())
    np.testing.assert_allclose(gradients[0], gradients[1], rtol=1e-12, atol=1e-18)
    assert np.abs(gradients[0]).max() > 0


def test_gradient_step_of_the_book_in_jax(benchmark):
    """16 steps, N = 128, float32, compiled: to be compared with PhiFlow's."""
    function, u = jax_gradient(OBSERVED, "float32")
    function(u)[1].block_until_ready()
    benchmark(lambda: function(u)[1].block_until_ready())
