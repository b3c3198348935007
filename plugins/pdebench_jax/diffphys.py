"""Solver of `diffphys` in JAX."""

from pdebench_jax._training import JaxTools
from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View
from pdebench_methods.objectives.diffphys import DiffphysObjective
from pdebench_methods.training import train


def solve(view: View, run: Run) -> Solution:
    """Fit unknowns through the unrolled solver."""
    tools = JaxTools(run)
    with run.phase("data"):
        objective = DiffphysObjective(view, run, tools)
    return train(run, objective, tools)
