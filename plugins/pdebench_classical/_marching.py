"""Solver of the methods that march the known initial state in NumPy."""

from math import ceil

import numpy as np

from pdebench_classical import _family
from pdebench_classical._trajectory import Trajectory
from pdebench_classical.marching import MarchSettings, chosen
from pdebench_lite.errors import UnsupportedError
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run


def solve(view: View, run: Run) -> Solution:
    """March the known initial state forward by one of the problem's schemes.

    Raises:
        UnsupportedError: the configured steps violate the stability bound.
    """
    if view.instances:
        return _family.solve(view, run)
    config: MarchSettings = run.config
    time = view.domain.time
    assert time is not None, "a scheme marches in time"
    with run.phase("data"):
        name, scheme, cells = chosen(view, config)
        grid = view.domain.grid(cells)
        state = {k: np.asarray(v, float) for k, v in view.start(grid.points()).items()}
        limit = scheme.max_dt(state, {}, grid)
        needed = ceil(time.length / min(limit, grid.longest_step(time.length)) - 1e-9)
        steps = config.steps or needed
        dt = time.length / steps
        if dt > limit * (1 + 1e-12):
            raise UnsupportedError(
                f"steps={steps} is a step of {dt:.3g}, above the stability bound {limit:.3g} on "
                f"{cells} cells; use steps={needed}, or steps=0 to have them chosen"
            )
        marched = Trajectory(view.domain, scheme, grid, state, dt, steps, view.fields)

    def solution(done: int = steps) -> Solution:
        undone = f"{done} of {steps} steps, t = {time.lower + done * dt:.4g} of {time.upper:g}"
        return Solution(
            predict=marched.predict,
            on_grid=marched.on_grid,
            parameters=sum(values.size for values in state.values()),
            details={"scheme": name, "cells": cells, "dt": dt},
            unfinished="" if done == steps else f"{undone}; give more, or fewer cells",
        )

    step = 0
    for step in range(1, steps + 1):
        marched.advance()
        run.count(solver_steps=1)
        if run.report(step, None, solution):
            break
    return solution(step)
