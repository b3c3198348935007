"""Solver of `mlp` in JAX."""

from pdebench_jax._training import JaxTools
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.objectives.mlp import MlpObjective
from pdebench_methods.objectives.mlp_operator import MlpOperatorObjective
from pdebench_methods.training import train


def solve(view: View, run: Run) -> Solution:
    """Fit a network to labels: a field on points, or an operator from grid to grid."""
    tools = JaxTools(run)
    with run.phase("data"):
        statement = MlpOperatorObjective if view.instances else MlpObjective
        objective = statement(view, run, tools)
    return train(run, objective, tools)
