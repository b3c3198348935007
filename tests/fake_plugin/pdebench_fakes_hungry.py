"""Allocations of known size in each phase, by each backend's own allocator."""

from collections.abc import Callable
from typing import Any

import numpy as np
from pdebench_fakes import _solution

from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run

_COUNT = 125_000  # float64 numbers in 10⁶ bytes


def _solve(view: View, run: Run, fill: Callable[[int], Any]) -> Solution:
    """Hold `before` megabytes from data on, compile with twice as much, train with `megabytes`."""
    with run.phase("data"):
        data = fill(run.config.before * _COUNT)
    with run.phase("compile"):
        scratch = fill(2 * run.config.before * _COUNT)
        del scratch
    with run.phase("train"):
        run.report(0, None, lambda: _solution(view))
        late = fill(run.config.megabytes * _COUNT)
        total = float(data.sum()) + float(late.sum())
        run.report(1, None, lambda: _solution(view))
    return _solution(view, details={"sum": total})


def numpy(view: View, run: Run) -> Solution:
    """Allocate with NumPy."""
    return _solve(view, run, np.ones)


def torch(view: View, run: Run) -> Solution:
    """Allocate with torch."""
    import torch

    return _solve(view, run, torch.ones)


def jax(view: View, run: Run) -> Solution:
    """Allocate with JAX, which compiles a program for each size."""
    import jax
    import jax.numpy as jnp

    sizes = {n * _COUNT for n in (run.config.before, 2 * run.config.before, run.config.megabytes)}
    with run.phase("compile"):
        made = {n: jax.jit(lambda n=n: jnp.ones(n)).lower().compile() for n in sizes}
    return _solve(view, run, lambda n: made[n]().block_until_ready())
