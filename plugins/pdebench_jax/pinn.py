"""Solver of `pinn` in JAX."""

from pdebench_jax._training import JaxTools
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.objectives import pinn_per_instance
from pdebench_methods.objectives.pinn import PinnObjective
from pdebench_methods.training import train


def solve(view: View, run: Run) -> Solution:
    """Train a network on the residual of the equation; on a family, one for each instance."""
    tools = JaxTools(run)
    if view.instances:
        return pinn_per_instance.solve(view, run, tools)
    with run.phase("data"):
        objective = PinnObjective(view, run, tools)
    return train(run, objective, tools)
