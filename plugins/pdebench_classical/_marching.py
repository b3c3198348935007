"""Solver of the methods that march the known initial state in NumPy."""

from math import ceil
from typing import Any

from pdebench_classical import _family
from pdebench_classical._trajectory import Trajectory
from pdebench_classical.marching import MarchingSettings
from pdebench_lite.errors import UnsupportedError
from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View


def solve(view: View, run: Run) -> Solution:
    """March the known initial state forward by one of the problem's schemes.

    Raises:
        UnsupportedError: the configured steps violate the stability bound.
    """
    if view.instances:
        return _family.solve(view, run)
    config: MarchingSettings = run.config
    time = view.domain.time
    assert time is not None, "a scheme marches in time"
    with run.phase("data"):
        scheme, grid = view.solver(config.scheme), view.domain.grid(config.cells)
        state: dict[str, Any] = dict(view.initial_state(grid.points()))
        limit = scheme.max_dt(state, {}, grid)
        chosen = ceil(time.length / min(limit, grid.longest_step(time.length)) - 1e-9)
        steps = config.steps or chosen
        dt = time.length / steps
        if dt > limit * (1 + 1e-12):
            raise UnsupportedError(
                f"steps={steps} is a step of {dt:.3g}, above the stability bound {limit:.3g} on "
                f"{config.cells} cells; use steps={chosen}, or steps=0 to have them chosen"
            )
        marched = Trajectory(
            view.domain, scheme, grid, state, dt, steps, config.interpolation == "trigonometric"
        )

    def solution(done: int = steps) -> Solution:
        undone = f"{done} of {steps} steps, t = {time.lower + done * dt:.4g} of {time.upper:g}"
        return Solution(
            predict=marched.predict,
            parameters=sum(values.size for values in state.values()),
            details={"scheme": config.scheme, "cells": config.cells, "dt": dt},
            unfinished="" if done == steps else f"{undone}; give more, or fewer cells",
        )

    step = 0
    for step in range(1, steps + 1):
        marched.advance()
        run.count(solver_steps=1)
        if run.report(step, None, solution):
            break
    return solution(step)
