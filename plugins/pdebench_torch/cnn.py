"""Solver of `cnn` in PyTorch."""

from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.objectives.cnn import CnnObjective
from pdebench_methods.training import train
from pdebench_torch._training import TorchTools


def solve(view: View, run: Run) -> Solution:
    """Fit a convolutional network to labelled instances."""
    tools = TorchTools(run)
    with run.phase("data"):
        objective = CnnObjective(view, run, tools)
    return train(run, objective, tools)
