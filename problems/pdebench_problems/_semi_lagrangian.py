"""The semi-Lagrangian schemes of a density that a steady motion carries."""

from pdebench_lite.numerics import Grid, Stencil, carried, departure
from pdebench_lite.numerics.advection import Trace
from pdebench_lite.numerics.interpolation import Order
from pdebench_lite.problem import Arrays, Scheme


def steady(interpolation: Order, motion: tuple[str, ...], summary: str, order: int = 1) -> Scheme:
    """Return the scheme on a periodic grid, stable at any step.

    Departure points are the same in every step of a rollout, and are found once: by the midpoint
    rule for `linear`; for `cubic`, where its error would dominate, by Runge–Kutta.

    Args:
        interpolation: `linear` or `cubic`.
        motion: names of the components of the motion, in the order of the axes.
        summary: one line.
        order: of accuracy.
    """
    trace: Trace = "rk4" if interpolation == "cubic" else "midpoint"

    def shared(unknowns: Arrays, dt: float, grid: Grid) -> Arrays:
        velocity = {a: unknowns[name] for a, name in zip(grid.axes, motion, strict=True)}
        return {"departure": departure(velocity, dt, grid, order=interpolation, trace=trace)}

    def step(state: Arrays, unknowns: Arrays, t: float, dt: float, grid: Grid) -> Arrays:
        if "departure" not in unknowns:
            unknowns = shared(unknowns, dt, grid)
        at: Stencil = unknowns["departure"]
        return {"d": carried(state["d"], at, grid)}

    return Scheme(step, _no_limit, summary, order, shared=shared)


def _no_limit(state: Arrays, unknowns: Arrays, grid: Grid) -> float:
    return float("inf")
